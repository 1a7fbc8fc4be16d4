"""What this machine holds its children to, told by whoever starts them when it starts itself."""

import structlog

from activities.file_access import landlock_abi
from activities.system_calls import can_refuse

log = structlog.get_logger(__name__)


def tell_confinement() -> None:
    """Say it, as a warning where hostile media that took a child over could do what it should not."""
    calls, files = can_refuse(), landlock_abi()
    say = log.info if calls and files else log.warning
    say(_sentence(calls=calls, files=bool(files)), seccomp=calls, landlock_abi=files)


def _sentence(*, calls: bool, files: bool) -> str:
    if not calls:
        return "what decodes media can reach the network and every file of this user"
    if not files:
        return "what decodes media can read every file of this user: this kernel has no Landlock"
    return "what decodes media reaches no network, no other process and no file but its own"
