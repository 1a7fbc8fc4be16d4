"""What a process that decodes media finds in its environment: what its libraries read, no more of its worker's.

A worker's environment holds our settings and whatever else its operator put there: keys of a cloud, passwords of
databases. Names are allowed and not forbidden, since nobody can list those of all secrets.
"""

from collections.abc import Collection, Mapping

#: Where programs and libraries lie and what they write to, the language and time zone, and what is loaded before a
#: program to give it another clock or allocator.
INHERITED = frozenset({"HOME", "LANG", "LD_LIBRARY_PATH", "LD_PRELOAD", "PATH", "TMPDIR", "TZ"})
#: Of the C library, Python and what measures its coverage, the libraries that calculate (OpenMP, BLAS, CTranslate2,
#: ONNX Runtime), graphics drivers (CUDA, NVIDIA), and libfaketime.
INHERITED_PREFIXES = (
    "COVERAGE_",
    "CT2_",
    "CUDA_",
    "FAKETIME_",
    "GLIBC_",
    "GOMP_",
    "KMP_",
    "LC_",
    "MALLOC_",
    "MKL_",
    "NVIDIA_",
    "OMP_",
    "OPENBLAS_",
    "ORT_",
    "PYTHON",
)

#: What libraries are told in every child. ONNX Runtime would write down in the user's home what it was used for, to
#: send it to its maker. OpenBLAS, which comes with NumPy and again with OpenCV, would start threads to multiply large
#: matrices with: nobody here does, and it takes a sixth of a second of processor time.
CHILD_LIBRARIES = {"ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1"}


def child_environment(worker: Mapping[str, str], task: Mapping[str, str], also: Collection[str] = ()) -> dict[str, str]:
    """A child's environment, of its worker's.

    Args:
        worker: All that the worker finds in its own.
        task: What the libraries are told that do this task.
        also: Names of more variables of the worker's that a child may see.
    """
    inherited = {
        name: value
        for name, value in worker.items()
        if name in INHERITED or name in also or name.startswith(INHERITED_PREFIXES)
    }
    return {**inherited, **CHILD_LIBRARIES, **task}
