"""What a talk is about, passage by passage, as vectors to be compared with what pictures show."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from analysis.image_text import TextEncoder, wanted_model
from schemas.facts import EmbeddedPassage, SpeechEmbeddings, Transcript, Word
from schemas.model import Model
from schemas.progress import ProgressCallback

#: A sentence of fewer words names nothing to be seen by itself; it goes with the one after it.
FEWEST_WORDS = 4
#: Of a longer one each part is a passage: some 40 of CLIP's 77 tokens, and about as long as a picture is shown.
MOST_WORDS = 30
#: After such a pause something else is spoken of.
PAUSE_US = 2_000_000
_FULL_STOPS = (".", "!", "?", "…")
_CLOSERS = "\"'”’»)]}"  # noqa: RUF001 (closing quotes are curly on purpose)


class SpeechEmbeddingsParameters(Model):
    """The model to use, as for pictures, and the key of the transcript whose words it is given."""

    encoder: str | None = None
    transcript: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


def embed_speech(
    parameters: SpeechEmbeddingsParameters, models: Path, transcript: Transcript | None, progress: ProgressCallback
) -> SpeechEmbeddings:
    """The passages of a transcript in the space of the model that was settled on.

    Raises:
        CinemaError: ``model_unavailable`` where it is not, or no longer, what was installed.
    """
    model = wanted_model(parameters.encoder, models)
    if model is None:
        return SpeechEmbeddings(space=None, note="No image-text model could be had.")
    language = transcript.language if transcript else None
    if model.languages and language not in model.languages:
        note = f"The image-text model {model.name} does not know the language {language or 'that is spoken'}."
        return SpeechEmbeddings(space=None, note=note)
    passages = list(passages_of(transcript.words if transcript else ()))
    encoder = TextEncoder(model, models)
    embedded = []
    for number, words in enumerate(passages, start=1):
        vector = encoder.encode(" ".join(word.text for word in words))
        embedded.append(EmbeddedPassage(start_us=words[0].start_us, end_us=words[-1].end_us, vector=vector))
        progress(number / len(passages))
    return SpeechEmbeddings(space=model.space, passages=tuple(embedded))


def passages_of(words: Sequence[Word]) -> Iterator[tuple[Word, ...]]:
    """The words in runs: sentences of ``FEWEST_WORDS`` to ``MOST_WORDS``, or what lies between two long pauses."""
    run: list[Word] = []
    for word, after in pairwise([*words, None]):
        assert word is not None
        run.append(word)
        if after is None or after.start_us - word.end_us >= PAUSE_US or _is_whole(run):
            yield tuple(run)
            run = []


def _is_whole(run: Sequence[Word]) -> bool:
    ended = run[-1].text.rstrip(_CLOSERS).endswith(_FULL_STOPS)
    return len(run) >= MOST_WORDS or (ended and len(run) >= FEWEST_WORDS)
