"""Whether this machine has a GPU that our work can use."""

import shutil
import subprocess

#: Seconds that the driver may take to answer; a sick one can hang.
ANSWER_SECONDS = 10.0


def has_gpu() -> bool:
    """Whether the NVIDIA driver lists a GPU: its own tool answers in containers and under WSL too."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU 0" in listed.stdout
