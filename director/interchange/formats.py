"""The formats an edit can be written in for other programs: one line each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from director.interchange.adapters import export_cmx3600, export_premiere
from director.interchange.fcpxml import export_fcpxml
from director.interchange.media import MediaUrl
from director.interchange.opentimeline import export_otio
from schemas.edl import EDL


class ExportFormat(StrEnum):
    OTIO = "otio"
    FCPXML = "fcpxml"
    PREMIERE = "premiere"
    CMX3600 = "cmx3600"


class WriteEdit(Protocol):
    """Raises ``KeyError`` where ``media_url`` is a mapping that lacks a source."""

    def __call__(self, edl: EDL, *, media_url: MediaUrl) -> str: ...


@dataclass(frozen=True, slots=True)
class Export:
    """How an edit is written in a format, what its files' names end in, and their media type."""

    write: WriteEdit
    ending: str
    media_type: str
    programs: str


EXPORTS: Mapping[ExportFormat, Export] = MappingProxyType(
    {
        ExportFormat.OTIO: Export(export_otio, "otio", "application/json", "OpenTimelineIO"),
        ExportFormat.FCPXML: Export(export_fcpxml, "fcpxml", "application/xml", "Final Cut Pro, Resolve"),
        ExportFormat.PREMIERE: Export(export_premiere, "premiere.xml", "application/xml", "Premiere Pro, Resolve"),
        ExportFormat.CMX3600: Export(export_cmx3600, "edl", "text/plain", "any editing program"),
    }
)
