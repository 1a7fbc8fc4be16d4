"""Where everything lies below the home folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folders and files of one embedded stack."""

    home: Path

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    @property
    def temporal_database(self) -> Path:
        return self.home / "temporal" / "temporal.db"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def state(self) -> Path:
        return self.home / "stack.json"

    @property
    def targets(self) -> Path:
        return self.home / "prometheus-targets.json"

    @property
    def lock(self) -> Path:
        return self.home / "stack.lock"

    @property
    def owner(self) -> Path:
        return self.home / "owner"

    @property
    def signing_key(self) -> Path:
        return self.home / "signing.key"

    @property
    def token_key(self) -> Path:
        return self.home / "token.key"

    @property
    def webhook_key(self) -> Path:
        return self.home / "webhook.key"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def prepare(self) -> None:
        """Make the folders; they hold keys and footage, so only their owner may look into them."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.logs, self.temporal_database.parent, self.home / "objects", self.home / "scratch"):
            folder.mkdir(mode=0o700, exist_ok=True)
