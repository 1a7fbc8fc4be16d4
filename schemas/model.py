"""The base of every model that crosses a room, a process or the network."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """An immutable value that refuses fields it does not know.

    ``ser_json_inf_nan="constants"`` is left off on purpose: a measurement that came out as NaN or infinity is a
    defect of the measurement and must not travel as JSON ``null``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
