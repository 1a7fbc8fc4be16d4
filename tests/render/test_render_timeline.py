"""Which clip shows and sounds when: exact arithmetic."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.timeline import CropSpan, crop_spans, heard, source_tick, span_at
from schemas.edl import CropKey, Motion, Place, VideoClip
from schemas.timebase import RATE_FAMILY, frame_to_sample
from schemas.timeline import crop_at, visible_stretches
from tests.render.render_media import audio_clip, edit, imagined, video_clip

pytestmark = pytest.mark.unit

RATES = st.sampled_from(RATE_FAMILY)
#: Time bases that tell the frames of every rate apart, and one as coarse as a frame.
FINE = st.sampled_from([Fraction(1, 90_000), Fraction(1, 1000), Fraction(1, 15_360)])
TIME_BASES = FINE | st.just(Fraction(1001, 30_000))


def clip(source_in: int, duration: int, rate: Fraction, time_base: Fraction) -> VideoClip:
    end = source_in + max(1, round(duration / rate / time_base))
    return VideoClip(id="c", source="a", start=0, duration=duration, source_in=source_in, source_out=end, reason="d1")


@given(rate=RATES, time_base=FINE, first=st.integers(0, 5000), duration=st.integers(1, 200_000), data=st.data())
def test_a_source_of_the_same_rate_maps_one_to_one(
    rate: Fraction, time_base: Fraction, first: int, duration: int, data: st.DataObject
) -> None:
    number = data.draw(st.integers(0, duration - 1))

    def tick(frame: int) -> int:
        return round(frame / rate / time_base)

    shown = clip(tick(first), duration, rate, time_base)
    video = imagined(time_base=time_base).source.video
    assert video is not None
    sampled = source_tick(shown, video, rate, number)
    assert tick(first + number) <= sampled < tick(first + number + 1)


@given(rate=RATES, time_base=TIME_BASES, duration=st.integers(1, 3000), source_in=st.integers(0, 10**7))
def test_source_time_never_falls_and_stays_inside_the_clip(
    rate: Fraction, time_base: Fraction, duration: int, source_in: int
) -> None:
    shown = clip(source_in, duration, rate, time_base)
    video = imagined(time_base=time_base).source.video
    assert video is not None
    ticks = [source_tick(shown, video, rate, number) for number in range(duration)]
    assert ticks == sorted(ticks)
    assert shown.source_in <= ticks[0]
    assert ticks[-1] < shown.source_out


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8), data=st.data())
def test_every_frame_shows_one_clip_and_overlays_win(lengths: list[int], data: st.DataObject) -> None:
    rate, source = Fraction(30), imagined()
    base = [video_clip(source, sum(lengths[:n]), length, 0, rate) for n, length in enumerate(lengths)]
    total = sum(lengths)
    points = sorted(data.draw(st.lists(st.integers(0, total), max_size=6, unique=True)))
    spans = [(a, b) for a, b in zip(points[::2], points[1::2], strict=False)]
    overlays = [video_clip(source, a, b - a, 500, rate, id=f"o{a}") for a, b in spans]
    stretches = visible_stretches(edit([source], base, overlays=overlays))
    shown = [stretch.clip.id for stretch in stretches for _ in range(stretch.first, stretch.end)]
    expected = [
        next((o.id for o in overlays if o.start <= n < o.end), next(c.id for c in base if c.start <= n < c.end))
        for n in range(total)
    ]
    assert shown == expected
    assert stretches[0].first == 0


PLACE = Place(x=0, y=0, width=320, height=180)


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=8),
    dissolves=st.lists(st.integers(0, 12), min_size=8, max_size=8),
    data=st.data(),
)
def test_insets_and_dissolves_are_seen_for_as_long_as_they_last(
    lengths: list[int], dissolves: list[int], data: st.DataObject
) -> None:
    rate, source = Fraction(30), imagined()
    total = sum(lengths)
    base = [
        video_clip(
            source, sum(lengths[:n]), length, 0, rate, dissolve_in=min(dissolves[n], length, lengths[n - 1]) if n else 0
        )
        for n, length in enumerate(lengths)
    ]
    points = sorted(data.draw(st.lists(st.integers(0, total), max_size=6, unique=True)))
    spans = [(a, b) for a, b in zip(points[::2], points[1::2], strict=False)]
    overlays = [
        video_clip(source, a, b - a, 500, rate, id=f"o{a}", place=data.draw(st.sampled_from([None, PLACE])))
        for a, b in spans
    ]
    stretches = visible_stretches(edit([source], base, overlays=overlays, canvas=(1920, 1080)))
    assert all(before.end == after.first for before, after in pairwise(stretches))
    for stretch in stretches:
        for n in (stretch.first, stretch.end - 1):
            place = next(i for i, c in enumerate(base) if c.start <= n < c.end)
            over = next((o for o in overlays if o.start <= n < o.end), None)
            hidden = over is not None and over.place is None
            assert stretch.clip is (over if hidden else base[place])
            assert stretch.inset is (None if hidden else over)
            dissolving = not hidden and n < base[place].start + base[place].dissolve_in
            assert stretch.outgoing is (base[place - 1] if dissolving else None)
    assert len(stretches) <= 2 * len(base) + 2 * len(overlays)


@given(frame=st.integers(0, 60))
def test_a_smooth_move_starts_and_arrives_at_rest_and_never_turns_back(frame: int) -> None:
    keys = (
        CropKey(frame=10, x=100, y=0, width=600, height=1000),
        CropKey(frame=50, x=300, y=0, width=600, height=1000),
    )
    here, there = crop_at(keys, frame, Motion.SMOOTH), crop_at(keys, frame + 1, Motion.SMOOTH)
    assert 0 <= there.x - here.x <= 1.5 * 200 / 40
    mirrored = crop_at(keys, 60 - frame, Motion.SMOOTH)
    assert here.x + mirrored.x == pytest.approx(400)
    assert crop_at(keys, 11, Motion.SMOOTH).x - 100 < 0.5


def test_a_crop_moves_linearly_and_stands_still_outside_its_keys() -> None:
    keys = (
        CropKey(frame=10, x=100, y=0, width=600, height=1000),
        CropKey(frame=20, x=200, y=50, width=500, height=900),
    )
    assert crop_at(keys, 0, Motion.LINEAR) == crop_at(keys, 10, Motion.LINEAR)
    assert crop_at(keys, 99, Motion.LINEAR) == crop_at(keys, 20, Motion.LINEAR)
    middle = crop_at(keys, 13, Motion.LINEAR)
    assert (middle.x, middle.y, middle.width, middle.height) == pytest.approx((130, 15, 570, 970))


@given(
    rate=RATES,
    start=st.integers(0, 400_000),
    duration=st.integers(2, 1000),
    first=st.integers(0, 400),
    fade=st.integers(0, 1200),
)
def test_a_fade_in_reaches_back_only_as_far_as_there_is_timeline_and_source(
    rate: Fraction, start: int, duration: int, first: int, fade: int
) -> None:
    source = imagined()
    sound = audio_clip(source, start, duration, first, rate, fade_in=fade)
    place = heard(sound, rate)
    assert place.start == frame_to_sample(start, rate, 48_000)
    assert place.end == frame_to_sample(start + duration, rate, 48_000)
    assert 0 <= place.begin <= place.start
    assert sound.source_in - (place.start - place.begin) >= 0
    if fade <= min(place.start, sound.source_in):
        assert place.start - place.begin == fade


def test_a_crop_path_is_taken_apart_into_rests_and_moves() -> None:
    xs = {0: 0, 5: 0, 10: 40, 20: 60, 30: 60, 40: 60}
    path = tuple(CropKey(frame=frame, x=x, y=0, width=100, height=50) for frame, x in xs.items())
    spans = crop_spans(path)
    assert [(span.first, span.moves, [key.x for key in span.keys]) for span in spans] == [
        (0, False, [0]),
        (5, True, [0, 40, 60]),
        (20, False, [60]),
    ]
    assert [span_at(spans, frame).first for frame in (0, 4, 5, 19, 20, 99)] == [0, 0, 5, 5, 20, 20]
    assert [span.moves for span in crop_spans(path[1:3])] == [False, True, False]
    assert crop_spans(()) == (CropSpan(0, (), moves=False),)
