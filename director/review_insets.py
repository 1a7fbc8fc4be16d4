"""What could go wrong with a picture in the picture: that it hides the face it should lie beside."""

from collections.abc import Iterator

from director.material import Material
from director.seen import faces_on_canvas, seen_footage
from director.style import FACE_IN_FRAME_SHARE
from schemas.delivery import DeliveryCheck
from schemas.edl import EDL, Place
from schemas.timeline import Area


def faces_behind_insets(edl: EDL, material: Material) -> Iterator[DeliveryCheck]:
    """Of the frames sampled for faces under a picture in the picture, those in which it hides some of a face."""
    hidden = [
        any(_meet(face, shown.inset.place) for face in faces)
        for shown in seen_footage(edl, material)
        if shown.inset is not None and shown.inset.place is not None
        for faces in faces_on_canvas(shown, edl.canvas)
    ]
    if not hidden:
        return
    share, most = sum(hidden) / len(hidden), 1 - FACE_IN_FRAME_SHARE
    yield DeliveryCheck(
        name="faces behind an inset",
        measured=f"{100 * share:.1f}",
        limit=f"at most {100 * most:.0f}",
        unit="% of frames that show both",
        passed=share <= most,
    )


def _meet(face: Area, place: Place) -> bool:
    """Whether they share more than the pixel that rounding may cost."""
    return (
        place.x + 1 < face.x + face.width
        and face.x + 1 < place.x + place.width
        and place.y + 1 < face.y + face.height
        and face.y + 1 < place.y + place.height
    )
