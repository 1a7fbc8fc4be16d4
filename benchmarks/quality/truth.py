"""What is known about the demo's talk because it was made that way."""

from schemas.model import Model


class TrueWord(Model):
    """A word really said, in seconds of the talk; ``abandoned`` ones belong to a sentence that is begun again."""

    text: str
    start_s: float
    end_s: float
    sentence: int
    abandoned: bool
