"""What every update handler of a workflow needs: who sent it, and a way to refuse that never fails the workflow."""

from collections.abc import Iterator
from contextlib import contextmanager

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.interception import application_error
from schemas.errors import CinemaError
from workflows.calls import failure_of


@contextmanager
def refusing() -> Iterator[None]:
    """Our errors in the form in which they reject or fail an update."""
    try:
        yield
    except CinemaError as error:
        raise application_error(error) from error
    except ActivityError as error:
        raise application_error(CinemaError.from_info(failure_of(error))) from error


def order_id() -> str:
    """The id that its sender gave the update; an update sent again has the same."""
    update = workflow.current_update_info()
    if update is None:
        raise RuntimeError("outside an update's handler and its validator there is no update")
    return update.id
