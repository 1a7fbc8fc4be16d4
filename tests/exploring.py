"""How many examples the property-based tests look at."""

import os

#: How many times as many as in a plain run, and then new ones in each run (``make explore``).
EXPLORED = int(os.environ.get("CINEMA_EXPLORE", "1"))
