"""Raw footage that the project makes itself: a talk to camera, b-roll, a screen recording and a microphone track."""

from demo.footage import FULL, Footage, Recipe, make_footage
from demo.script import SCRIPT, Line

__all__ = ["FULL", "SCRIPT", "Footage", "Line", "Recipe", "make_footage"]
