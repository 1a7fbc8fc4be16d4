"""Facts in, an EDL out: pure functions that decide what is shown, heard and written, and why.

The same facts always give the same EDL, byte for byte.
"""

from director.assembly import DIRECTOR_VERSION
from director.by_hand import adopt, with_captions
from director.cues import captions_from
from director.difference import Change, differences
from director.explanation import explain
from director.interchange import EXPORTS, Export, ExportFormat, edl_json_schema, export_otio, import_otio
from director.planning import plan, question
from director.recipe import PlanOptions
from director.review import review

__all__ = [
    "DIRECTOR_VERSION",
    "EXPORTS",
    "Change",
    "Export",
    "ExportFormat",
    "PlanOptions",
    "adopt",
    "captions_from",
    "differences",
    "edl_json_schema",
    "explain",
    "export_otio",
    "import_otio",
    "plan",
    "question",
    "review",
    "with_captions",
]
