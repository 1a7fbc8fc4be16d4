"""Scaling without the gather instruction, which costs many processors more than it saves.

FFmpeg's scaler fetches the pixels that it weighs with AVX2's gather wherever it does not know that to be slow. It does
not know it of AMD's family 26, where enlarging 608 by 1080 to 1080 by 1920 takes 2.5 ms with it and 1.4 ms without, nor
does it ask whether Intel's microcode has made it slow (INTEL-SA-00828). The pictures are the same, bit for bit.
"""

import ctypes

from av.filter import graph

#: FFmpeg's name for a processor that gathers slowly (libavutil/cpu.h); only x86 has one.
_SLOW_GATHER = b"+slowgather"


def avoid_gathers() -> None:
    """Tell FFmpeg that gathering is slow, for all that is opened in this process from now on.

    To be called before anything is opened: transforms of sound heed it too, and sound must not depend on whether some
    picture was opened first.
    """
    # PyAV has no name for this; a module of its own leads to the very library that it is linked to.
    library = ctypes.CDLL(graph.__file__)
    flags = ctypes.c_uint(library.av_get_cpu_flags())
    if library.av_parse_cpu_caps(ctypes.byref(flags), _SLOW_GATHER) == 0:
        library.av_force_cpu_flags(flags)
