"""``cinema up`` in the foreground."""

from rich.console import Console

from cinema.commands.stack import announce
from cinema.logs import configure_logs
from cinema.settings import load_settings
from cinema.stack.foreground import run_stack


def up() -> int:
    settings = load_settings()
    configure_logs(settings, service="supervisor")
    console = Console()
    run_stack(
        settings,
        on_ready=lambda state: announce(console, state),
        on_found=lambda state: announce(console, state, "already running"),
    )
    return 0
