"""What a file is for, where nobody said."""

from pathlib import Path

from analysis import Guess, guess_kind
from cinema.directing.measuring import measure
from cinema.settings import Settings
from schemas.errors import CinemaError
from schemas.facts import Sound
from schemas.media import AssetKind, MediaProbe


class KindGuesser:
    """Guesses kinds. ``alone`` says that there is one file only, and nothing to tell it apart from by its sound."""

    def __init__(self, settings: Settings, *, alone: bool) -> None:
        self._settings = settings
        self._alone = alone

    async def guess(self, path: Path, name: str) -> Guess:
        """The kind of the file at ``path``, which its creator calls ``name``.

        What cannot be measured counts as A-roll: the job will refuse it, say why, and go on with the others.
        """
        try:
            probe = await measure(self._settings, "probe", path, MediaProbe)
            guess = guess_kind(probe, None, name)
            if self._alone or guess.kind is not AssetKind.A_ROLL or guess != guess_kind(probe, None, ""):
                return guess
            return guess_kind(probe, await measure(self._settings, "sound", path, Sound, probe=probe), name)
        except CinemaError as error:
            return Guess(AssetKind.A_ROLL, error.message)
