"""``cinema setup image-text``: have a model that tells which pictures look like what is said."""

from rich.console import Console

from analysis import install_clip
from cinema.settings import load_settings


def setup_image_text() -> int:
    """Say what is there; may be run again.

    Raises:
        CinemaError: The model cannot be fetched, or another one is installed.
    """
    models = load_settings().models
    model = install_clip(models)
    Console().print(f"{model.name} is in {models}. Footage is matched by it from the next job on.", highlight=False)
    return 0
