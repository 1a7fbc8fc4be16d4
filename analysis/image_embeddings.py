"""What a picture shows, as vectors of some of its frames, to be compared with what is said elsewhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.image_text import ImageEncoder, ImageTextModel, wanted_model
from analysis.observing import Observed, joined, rows_in, table
from analysis.parts import Parts
from analysis.shots import is_other_scene
from analysis.thumbnails import Thumbnail, difference
from analysis.unseen import Unseen
from analysis.viewing import View
from schemas.facts import EmbeddedFrame, ImageEmbeddings, Shots, Span
from schemas.model import Model

#: Time between two frames of one scene: less than a piece of B-roll is shown for, so that each piece has one.
STEP_US = 4_000_000
#: A picture that differs by less from the last one that was encoded, in mean code values of luma and chroma together,
#: shows the same: a slide that stands, a field that is typed into. A moving picture differs by more within a step.
SAME = 2.0
#: How long after a scene begins it is looked at: by then a dissolve is over, and a hand has steadied.
SETTLED_US = 400_000


class ImageEmbeddingsParameters(Model):
    """The model to use, by its identity; ``None`` for the one that is installed, ``none`` for none."""

    encoder: str | None = None


class ImageEmbeddingAnalysis:
    """Encodes a frame every ``STEP_US`` and soon after each scene begins, unless it shows what the last one showed."""

    def __init__(self, model: ImageTextModel, encoder: ImageEncoder, parts: Parts | None = None) -> None:
        self.parts = parts or Parts()
        self._model = model
        self._encoder = encoder

    def begin(self) -> "_Sampling":
        return _Sampling(self._encoder)

    def finish(self, observed: Sequence[Observed], _shots: Shots) -> ImageEmbeddings:
        rows = joined(observed, "frames")
        vectors = rows[:, 1:].astype(np.int8)
        frames = (
            EmbeddedFrame(at_us=int(at_us), vector=vector.tobytes())
            for at_us, vector in zip(rows[:, 0], vectors, strict=True)
        )
        return ImageEmbeddings(space=self._model.space, frames=tuple(frames))


class _Sampling:
    """What is due depends on the seconds before alone, so that a stretch is sampled alike wherever looking begins."""

    def __init__(self, encoder: ImageEncoder) -> None:
        self._encoder = encoder
        self._rows: list[tuple[int, ...]] = []
        self._before: View | None = None
        self._encoded: Thumbnail | None = None
        self._due_us = SETTLED_US

    def process_frame(self, view: View) -> None:
        before, self._before = self._before, view
        if before is not None and is_other_scene(before.thumbnail, view.thumbnail):
            self._due_us = view.at_us + SETTLED_US
        if view.at_us < self._due_us:
            return
        self._due_us = view.at_us + STEP_US - view.at_us % STEP_US
        if self._encoded is None or difference(self._encoded, view.thumbnail) >= SAME:
            self._encoded = view.thumbnail
            vector = np.frombuffer(self._encoder.encode(view.large), np.int8)
            self._rows.append((view.at_us, *vector.tolist()))

    def observed(self, stretch: Span) -> Observed:
        frames = table(self._rows, 1 + self._encoder.dimensions)
        return Observed(stretch=stretch, tables={"frames": rows_in(frames, stretch)})


def begin_image_embeddings(
    parameters: ImageEmbeddingsParameters, models: Path, parts: Parts
) -> ImageEmbeddingAnalysis | Unseen:
    """Looks with the model that was settled on.

    Raises:
        CinemaError: ``model_unavailable`` where it is not, or no longer, what was installed.
    """
    model = wanted_model(parameters.encoder, models)
    if model is None:
        note = "No image-text model could be had, so the picture is matched to what is said by its words alone."
        return Unseen(ImageEmbeddings(space=None, note=note))
    return ImageEmbeddingAnalysis(model, ImageEncoder(model, models), parts)
