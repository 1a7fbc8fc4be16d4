"""The table of all settings in docs/settings.md, made from the settings themselves."""

from enum import Enum
from typing import Any

from pydantic.fields import FieldInfo

from cinema.settings import Settings, variable

HEADER = ("| Variable | Default | Meaning |", "|---|---|---|")


def settings_table() -> str:
    """One Markdown row per setting, in the order of the code."""
    rows = (f"| `{variable(name)}` | {_default(field)} | {field.description} |" for name, field in _fields())
    return "\n".join((*HEADER, *rows))


def _fields() -> list[tuple[str, FieldInfo]]:
    return list(Settings.model_fields.items())


def _default(field: FieldInfo) -> str:
    described = field.json_schema_extra
    if isinstance(described, dict) and "default" in described:
        return str(described["default"])
    return f"`{_plain(field.default)}`"


def _plain(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)
