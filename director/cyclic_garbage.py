"""Planning without looking for cyclic garbage."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def not_collected() -> Iterator[None]:
    """Makes no search for objects that hold each other: planning makes none, and millions of others.

    Reference counts free what is not needed any more, as ever. The search took a quarter of the time for ten hours of
    fast speech. Whoever ends last of several at a time leaves things as the first found them.
    """
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()
