"""Every code that a client or an operator may meet is explained, with the status that the API answers it with."""

import re
from http import HTTPStatus

import pytest

from api.problems import STATUS_OF
from schemas.errors import OF_MATERIAL, ErrorCode
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

GUIDE = REPOSITORY / "docs" / "errors.md"
ROW = re.compile(r"^\| `(?P<code>[a-z_]+)` \| (?P<statuses>[^|]+) \|", re.MULTILINE)

#: The section that says that its codes are the creator's matter.
MATERIAL = "## The creator's material"


def explained(text: str) -> dict[str, str]:
    """The statuses beside each code that has a row in ``text``."""
    return {row["code"]: row["statuses"] for row in ROW.finditer(text)}


def test_every_code_is_explained() -> None:
    assert set(explained(GUIDE.read_text(encoding="utf-8"))) == set(ErrorCode)


def test_each_is_said_to_be_answered_with_the_status_that_it_is_answered_with() -> None:
    told = explained(GUIDE.read_text(encoding="utf-8"))
    answered = {code: str(status.value) for code, status in STATUS_OF.items()} | {
        ErrorCode.INTERNAL: str(HTTPStatus.INTERNAL_SERVER_ERROR.value)
    }
    assert {code: told[code].split(", ")[0] for code in ErrorCode} == {
        code: answered.get(code, "-") for code in ErrorCode
    }


def test_what_is_the_creators_matter_is_told_apart() -> None:
    _, _, rest = GUIDE.read_text(encoding="utf-8").partition(MATERIAL)
    section, _, _ = rest.partition("\n## ")
    assert set(explained(section)) == OF_MATERIAL
