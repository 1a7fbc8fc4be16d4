"""How good whole edits are: every output of real talks, counted from the edits themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from statistics import mean, pstdev

from benchmarks.facts import measure
from benchmarks.frame import BenchmarkError, Figures
from benchmarks.quality.captions import caption_figures, mouth_figures
from benchmarks.quality.wholeness import Wholeness, wholeness
from director import PlanOptions, plan, review
from director.grammar import cutting_of, lint
from director.review import FACES_IN_FRAME
from schemas.edl import EDL, CropKey, Variant
from schemas.errors import OutputRefused
from schemas.facts import AssetFacts, Word
from schemas.media import AssetKind

#: Talks of some minutes under ``composite/`` of the labelled footage, each long enough for every output.
TALKS = ("episode_landscape_1280x720_30fps", "monologue_portrait_dubbed_540x960_25fps")
#: What may lie over them, under ``broll/``.
COVERS = ("coffee_pour_720p", "toy_blocks_720p", "flower_timelapse_540p")


@dataclass(frozen=True)
class DirectedTalk:
    """The facts of a talk and its b-roll, and every output that could be made of them."""

    assets: tuple[AssetFacts, ...]
    edits: tuple[EDL, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        transcript = self.assets[0].transcript
        return transcript.words if transcript else ()

    def of(self, *variants: Variant) -> Iterator[EDL]:
        return (edit for edit in self.edits if edit.variant in variants)


def directed_talks(media: Path) -> tuple[DirectedTalk, ...]:
    """Raises ``BenchmarkError`` where one of the talks cannot be had."""
    covers = tuple(_facts(media / "broll" / f"{name}.mp4", AssetKind.B_ROLL) for name in COVERS)
    return tuple(_directed((_facts(media / "composite" / f"{name}.mp4", AssetKind.A_ROLL), *covers)) for name in TALKS)


def edit_figures(talks: Sequence[DirectedTalk]) -> Figures:
    """Shares and counts over all outputs of all talks."""
    edits = tuple(chain.from_iterable(talk.edits for talk in talks))
    films = [edit for edit in edits if edit.variant is Variant.CINEMATIC_FULL]
    return {
        "edits.made": len(edits),
        "passages.sentence_complete_share": _shares(talks, Variant.SHORT_HIGHLIGHT)[Wholeness.SENTENCE],
        **{f"hooks.{kind.name.lower()}_share": share for kind, share in _shares(talks, Variant.HOOK_CUT).items()},
        **caption_figures(edits),
        "film.grammar_score": mean(lint(cutting_of(edit)).score for edit in films),
        "film.b_roll_share": mean(sum(cover.duration for cover in edit.overlays) / edit.duration for edit in films),
        **_shot_lengths(films),
        **_reel_figures(talks),
    }


def _facts(path: Path, kind: AssetKind) -> AssetFacts:
    if not path.is_file():
        raise BenchmarkError(f"{path.name} is not among the labelled footage.")
    return measure(path, kind).facts


def _directed(assets: tuple[AssetFacts, ...]) -> DirectedTalk:
    return DirectedTalk(assets, tuple(_plans(assets)))


def _plans(assets: Sequence[AssetFacts]) -> Iterator[EDL]:
    for variant in Variant:
        try:
            yield plan(assets, variant, PlanOptions())
        except OutputRefused as refusal:
            raise BenchmarkError(f"{assets[0].name}: {variant} was refused: {refusal.message}") from refusal


def _shares(talks: Sequence[DirectedTalk], variant: Variant) -> dict[Wholeness, float]:
    """Of the outputs of a variant, the share that is as whole as each."""
    found = [wholeness(edit, talk.words) for talk in talks for edit in talk.of(variant)]
    return {kind: found.count(kind) / len(found) for kind in Wholeness}


def _shot_lengths(films: Sequence[EDL]) -> Figures:
    lengths = [float(shot.frames / film.rate) for film in films for shot in cutting_of(film).shots]
    return {"film.mean_shot_s": mean(lengths), "film.shot_spread": pstdev(lengths) / mean(lengths)}


def _reel_figures(talks: Sequence[DirectedTalk]) -> Figures:
    reels = [(talk, edit) for talk in talks for edit in talk.of(Variant.VERTICAL_REEL)]
    shares = [float(row.measured) / 100 for t, e in reels for row in review(e, t.assets) if row.name == FACES_IN_FRAME]
    if not shares:
        raise BenchmarkError("No reel shows a face.")
    seconds = sum(float(edit.duration / edit.rate) for _, edit in reels)
    turns = sum(_reversals(clip.crop) for _, edit in reels for clip in edit.video)
    return {
        "reel.face_in_frame_share": min(shares),
        "reel.reversals_per_s": turns / seconds,
        **mouth_figures([(edit, talk.assets) for talk, edit in reels]),
    }


def _reversals(crop: Sequence[CropKey]) -> int:
    """How often a crop that moves one way moves the other way next."""
    steps = [after.x - before.x for before, after in pairwise(crop) if after.x != before.x]
    return sum((before > 0) != (after > 0) for before, after in pairwise(steps))
