import pytest

from demo import Footage, Line, Recipe, make_footage

SHORT = Recipe(
    script=(
        Line("Look at the", 0.6, abandoned=True),
        Line("Look at the position of the camera.", 1.6),
        Line("It is 45 degrees.", 0.4),
    ),
    cutaway_s=1.0,
)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return SHORT


@pytest.fixture(scope="session")
def short_footage(tmp_path_factory: pytest.TempPathFactory) -> Footage:
    """A few seconds of everything."""
    return make_footage(tmp_path_factory.mktemp("footage"), SHORT)
