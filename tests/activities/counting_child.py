"""The sandboxed child that measures media, in small parts, writing down each stretch of speech as it hears it."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from faster_whisper import WhisperModel

from activities.analyse_child import analyse
from activities.child import serve
from analysis import transcript

#: Where the log goes; a child inherits the variable.
LOG = "COUNTING_CHILD_LOG"


class CountingModel(WhisperModel):
    """Writes the length of every window, in samples, to the log before it hears it."""

    def transcribe(self, audio: Any, *args: Any, **kwargs: Any) -> tuple[Iterable[Any], Any]:
        with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
            log.write(f"{len(audio)}\n")
        return super().transcribe(audio, *args, **kwargs)


if __name__ == "__main__":
    vars(transcript).update(WhisperModel=CountingModel, WINDOWS_IN_PART=1, MAX_WINDOW_S=6)
    serve(analyse)
