"""A long output most of which is copied is not taken apart; one that has to be encoded is."""

from fractions import Fraction

import pytest

from activities.in_one_piece import mostly_copied
from schemas.edl import EDL, Grade
from schemas.facts import AssetFacts
from schemas.media import MediaProbe, VideoStream
from tests.render.render_media import edit, imagined, video_clip

pytestmark = pytest.mark.unit

RATE = Fraction(30)
TALK = imagined()
HOUR_S = 3600
#: 6 Mbit/s.
BYTES_A_SECOND = 750_000


def probe(**more: object) -> MediaProbe:
    """Of an hour as phones and screen recorders write it; ``more`` is what its picture has that they have not."""
    picture = {
        "index": 0,
        "codec": "h264",
        "coded_width": 1920,
        "coded_height": 1080,
        "display_width": 1920,
        "display_height": 1080,
        "time_base": Fraction(1, 90_000),
        "start_pts": 0,
        "end_pts": HOUR_S * 90_000,
        "frame_rate": RATE,
        "measured_rate": RATE,
        "variable_frame_rate": False,
        "frame_count": HOUR_S * 30,
        "pixel_format": "yuv420p",
    }
    return MediaProbe(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        size_bytes=HOUR_S * BYTES_A_SECOND,
        origin=Fraction(0),
        duration_us=HOUR_S * 1_000_000,
        video=VideoStream.model_validate(picture | more),
    )


def facts(found: MediaProbe) -> list[AssetFacts]:
    source = TALK.source
    return [AssetFacts(asset_id=source.id, name=source.name, kind=source.kind, sha256=source.sha256, probe=found)]


def talk(graded: int = 0) -> EDL:
    """Ten shots, of which the first so many are graded."""
    grade = {"grade": Grade(brightness=10)}
    clips = [video_clip(TALK, 900 * n, 900, 1000 * n, RATE, **(grade if n < graded else {})) for n in range(10)]
    return edit([TALK], clips, canvas=(1920, 1080))


def test_what_is_copied_is_made_in_one_piece() -> None:
    assert mostly_copied(talk(), facts(probe()))
    assert mostly_copied(talk(graded=2), facts(probe()))


def test_what_has_to_be_encoded_is_not() -> None:
    assert not mostly_copied(talk(graded=3), facts(probe()))
    small = edit([TALK], talk().video, canvas=(1280, 720))
    assert not mostly_copied(small, facts(probe()))


@pytest.mark.parametrize(
    "more",
    [{"codec": "hevc"}, {"pixel_format": "yuv422p10le"}, {"rotation": 180}, {"interlaced": True}, {"frame_rate": 25}],
)
def test_nor_is_what_nobody_would_deliver_as_it_is(more: dict[str, object]) -> None:
    assert not mostly_copied(talk(), facts(probe(**more)))


def test_nor_is_a_source_of_a_higher_bit_rate_than_is_delivered_or_one_that_is_not_known() -> None:
    large = probe().model_copy(update={"size_bytes": HOUR_S * BYTES_A_SECOND * 10})
    assert not mostly_copied(talk(), facts(large))
    assert not mostly_copied(talk(), [])
