"""How a job ended, derived from how its outputs did."""

from collections.abc import Collection

from schemas.errors import ConflictError, ErrorCode
from schemas.jobs import JobStatus, OutputStatus


def derived_status(outputs: Collection[OutputStatus], *, asset_refused: bool) -> JobStatus:
    """The status of a job whose outputs have all settled.

    Args:
        outputs: the status of each of the job's outputs.
        asset_refused: some of the creator's material could not be used, so that even a full set of outputs is partial.

    Raises:
        ConflictError: an output has not settled yet (``INVALID_TRANSITION``).
    """
    unsettled = sum(not status.settled for status in outputs)
    if unsettled:
        raise ConflictError(
            ErrorCode.INVALID_TRANSITION, f"{unsettled} of this job's {len(outputs)} outputs are still being made."
        )
    completed = sum(status is OutputStatus.COMPLETED for status in outputs)
    if completed == len(outputs) and not asset_refused:
        return JobStatus.COMPLETED
    if completed:
        return JobStatus.PARTIAL
    if OutputStatus.CANCELLED in outputs:
        return JobStatus.CANCELLED
    return JobStatus.FAILED
