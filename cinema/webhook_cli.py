"""``cinema webhooks``: what it can be asked. Like ``cinema.cli``, it imports a command when that runs."""
# ruff: noqa: PLC0415 (see above)

from typing import Annotated
from uuid import UUID

import typer

from schemas.webhooks import LONGEST_DESCRIPTION, EventType, NewEndpoint

webhooks = typer.Typer(help="Tell other programs what happens to jobs.", no_args_is_help=True)

Endpoint = Annotated[UUID, typer.Argument(help="The endpoint, as `cinema webhooks list` shows it.")]
Delivery = Annotated[UUID, typer.Argument(help="The delivery, as `cinema webhooks deliveries` shows it.")]
Owner = Annotated[
    UUID | None, typer.Option("--owner", help="The creator it is for; the one of this home folder if not given.")
]
Events = Annotated[
    str, typer.Option("--events", metavar="TYPE[,TYPE…]", help="What to send, such as job.completed,job.failed.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of lines for people.")]

#: Every type but the test, which comes when it is asked for.
USUAL_EVENTS = ",".join(kind for kind in EventType if kind is not EventType.TEST_PING)


@webhooks.command()
def add(
    url: Annotated[str, typer.Argument(help="Where to send events; https.")],
    events: Events = USUAL_EVENTS,
    description: Annotated[str, typer.Option(help="A note for yourself.")] = "",
    owner: Owner = None,
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Add an endpoint, and show its secret, once."""
    if len(description) > LONGEST_DESCRIPTION:
        raise typer.BadParameter(f"At most {LONGEST_DESCRIPTION} characters.", param_hint="--description")
    wanted = NewEndpoint(url=url, description=description, event_types=_event_types(events))
    from cinema.commands.webhooks import add as run

    _leave(run(owner, wanted, as_json=as_json))


@webhooks.command("list")
def show(owner: Owner = None, as_json: AsJson = False) -> None:  # noqa: FBT002 (an option of the command line)
    """Show the endpoints."""
    from cinema.commands.webhooks import show as run

    _leave(run(owner, as_json=as_json))


@webhooks.command()
def subscribe(endpoint: Endpoint, events: Annotated[str, typer.Argument()], owner: Owner = None) -> None:
    """Send an endpoint these types of events from now on, separated by commas."""
    event_types = _event_types(events)
    from cinema.commands.webhooks import subscribe as run

    _leave(run(owner, endpoint, event_types))


@webhooks.command()
def rotate(
    endpoint: Endpoint,
    at_once: Annotated[bool, typer.Option("--at-once", help="Let the old secret sign no more; it has leaked.")] = False,  # noqa: FBT002 (an option of the command line)
    owner: Owner = None,
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Give an endpoint a new secret; the old one signs beside it for 24 hours."""
    from cinema.commands.webhooks import rotate as run

    _leave(run(owner, endpoint, at_once=at_once, as_json=as_json))


@webhooks.command("test")
def send_test(endpoint: Endpoint, owner: Owner = None, as_json: AsJson = False) -> None:  # noqa: FBT002 (an option of the command line)
    """Send a test.ping now and show what came of it. Exit status 0 if it was accepted, 1 if not."""
    from cinema.commands.webhooks import send_test as run

    _leave(run(owner, endpoint, as_json=as_json))


@webhooks.command()
def deliveries(
    endpoint: Endpoint,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the latest first.")] = 20,
    owner: Owner = None,
    as_json: AsJson = False,  # noqa: FBT002 (an option of the command line)
) -> None:
    """Show what was sent to an endpoint."""
    from cinema.commands.webhooks import deliveries as run

    _leave(run(owner, endpoint, limit=limit, as_json=as_json))


@webhooks.command()
def attempts(delivery: Delivery, owner: Owner = None, as_json: AsJson = False) -> None:  # noqa: FBT002 (an option of the command line)
    """Show every attempt of a delivery and what the receiver answered."""
    from cinema.commands.webhooks import attempts as run

    _leave(run(owner, delivery, as_json=as_json))


@webhooks.command()
def replay(delivery: Delivery, owner: Owner = None) -> None:
    """Send an event to its endpoint once more, with the same id."""
    from cinema.commands.webhooks import replay as run

    _leave(run(owner, delivery))


@webhooks.command()
def recover(
    endpoint: Endpoint,
    hours: Annotated[float, typer.Option(min=0, max=720, help="How far to look back.")] = 24.0,
    owner: Owner = None,
) -> None:
    """Send an endpoint every event it missed: those that failed, and those of the time when it was disabled."""
    from cinema.commands.webhooks import recover as run

    _leave(run(owner, endpoint, hours=hours))


@webhooks.command()
def enable(endpoint: Endpoint, owner: Owner = None) -> None:
    """Send an endpoint events again."""
    from cinema.commands.webhooks import enable as run

    _leave(run(owner, endpoint))


@webhooks.command()
def disable(endpoint: Endpoint, owner: Owner = None) -> None:
    """Send an endpoint nothing until it is enabled."""
    from cinema.commands.webhooks import disable as run

    _leave(run(owner, endpoint))


@webhooks.command()
def remove(endpoint: Endpoint, owner: Owner = None) -> None:
    """Forget an endpoint with its secrets and its log."""
    from cinema.commands.webhooks import remove as run

    _leave(run(owner, endpoint))


def _event_types(events: str) -> tuple[EventType, ...]:
    names = [name.strip() for name in events.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(EventType)]
    if unknown or not names:
        raise typer.BadParameter(
            f"{', '.join(unknown) or 'nothing'} is no event; there are {', '.join(EventType)}.", param_hint="--events"
        )
    return tuple(EventType(name) for name in names)


def _leave(status: int) -> None:
    from cinema.exits import leave

    leave(status)
