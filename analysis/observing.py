"""What was seen in a stretch of a file, as numbers, so that a later attempt need not look there again."""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator

from schemas.facts import Span
from schemas.model import Model

#: Of one table, in bytes; a stretch has far less.
_LARGEST = 1 << 26
_FORMAT = np.dtype("<f8")


def _unpacked(value: Any) -> NDArray[np.float64]:
    if isinstance(value, np.ndarray):
        return np.asarray(value, np.float64)
    try:
        columns, packed = str(value).split(":", 1)
        content = zlib.decompressobj().decompress(b64decode(packed, validate=True), _LARGEST)
        return np.frombuffer(content, _FORMAT).reshape(-1, int(columns))
    except (ValueError, zlib.error) as error:
        raise ValueError("is no packed table") from error


def _packed(table: NDArray[np.float64]) -> str:
    content = zlib.compress(np.ascontiguousarray(table, _FORMAT).tobytes(), level=1)
    return f"{table.shape[1]}:{b64encode(content).decode('ascii')}"


#: Rows of numbers, (rows, columns): exact, and in JSON as text of no more than a few bytes a number.
Table: TypeAlias = Annotated[NDArray[np.float64], PlainValidator(_unpacked), PlainSerializer(_packed, return_type=str)]


class Observed(Model):
    """The tables, by name, of what one analysis saw of the frames in ``[stretch.start_us, stretch.end_us)``."""

    stretch: Span
    tables: Mapping[str, Table]


def table(rows: Sequence[Sequence[float]], columns: int) -> NDArray[np.float64]:
    """Also of no rows."""
    return np.array(rows, np.float64).reshape(-1, columns)


def rows_in(rows: NDArray[np.float64], stretch: Span) -> NDArray[np.float64]:
    """The rows whose first column, a time in µs, lies in the stretch."""
    return rows[(rows[:, 0] >= stretch.start_us) & (rows[:, 0] < stretch.end_us)]


def joined(observed: Sequence[Observed], name: str) -> NDArray[np.float64]:
    """A table over all stretches, in order."""
    return np.concatenate([one.tables[name] for one in observed])
