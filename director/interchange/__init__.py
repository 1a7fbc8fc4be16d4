"""The edit for other programs and back: OpenTimelineIO, FCPXML, Premiere's XML, CMX 3600, the EDL's JSON Schema."""

from typing import Any

from director.interchange.formats import EXPORTS, Export, ExportFormat
from director.interchange.opentimeline import export_otio
from director.interchange.reading import import_otio
from schemas.edl import EDL

__all__ = ["EXPORTS", "Export", "ExportFormat", "edl_json_schema", "export_otio", "import_otio"]


def edl_json_schema() -> dict[str, Any]:
    """The JSON Schema of a serialised EDL, for clients."""
    return EDL.model_json_schema(mode="serialization")
