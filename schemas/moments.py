"""Moments as clients give them, in whatever zone, and as everything behind keeps them: in UTC."""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime


def _in_utc(moment: datetime) -> datetime:
    """At both ends of the calendar there are moments with a year in their own zone and none in UTC."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie between the years 1 and 9999 in UTC") from error


Moment: TypeAlias = Annotated[AwareDatetime, AfterValidator(_in_utc)]
