"""Where the running parts can be scraped, in the form in which Prometheus discovers it (``file_sd_configs``)."""

import json
from pathlib import Path
from urllib.parse import urlsplit

from cinema.stack.state import ChildStatus


def write_targets(path: Path, children: tuple[ChildStatus, ...]) -> None:
    """Replace the file in one step: Prometheus reads it whenever it changes."""
    targets = [
        {"targets": [urlsplit(child.telemetry_url).netloc], "labels": {"service": child.name}}
        for child in children
        if child.telemetry_url is not None
    ]
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(targets, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)
