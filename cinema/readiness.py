"""How a child process tells the process that started it that it does its work now."""

import os

#: Number of the descriptor to write to, in the child's environment; absent where nobody waits.
READY_DESCRIPTOR = "CINEMA_READY_DESCRIPTOR"


def say_ready() -> None:
    """Tell the parent, once, if it asked."""
    descriptor = os.environ.pop(READY_DESCRIPTOR, None)
    if descriptor is not None:
        with os.fdopen(int(descriptor), "wb") as pipe:
            pipe.write(b"\n")
