"""An output's edit as other programs, people and players get it."""

import re
from collections.abc import AsyncIterator
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import httpx
import pytest

from schemas.edl import EDL
from schemas.jobs import Job
from schemas.media import AssetKind
from schemas.resources.edits import EXAMPLE_EDIT
from schemas.storyboard import Storyboard, StoryboardGrid
from stores import Assets, Bucket
from tests.api.delivered_output import delivered_job
from tests.api.gateway import Gateway

pytestmark = pytest.mark.postgres

GRID = StoryboardGrid(count=12, columns=10, width=160, height=90, step_ms=1000, duration_ms=11_500)


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.fixture
async def job(gateway: Gateway, creator: httpx.AsyncClient) -> Job:
    """One whose completed output has the example's edit."""
    made = await delivered_job(gateway, creator)
    edl_key = made.outputs[0].edl_key
    assert edl_key is not None
    await gateway.objects.put(Bucket.OUTPUTS, edl_key, once(EXAMPLE_EDIT.model_dump_json().encode()))
    return made


@pytest.fixture
def output(job: Job) -> str:
    return f"/outputs/{job.outputs[0].id}"


@pytest.mark.parametrize(
    ("wanted", "ending", "beginning"),
    [
        ("otio", "otio", '{\n  "OTIO_SCHEMA"'),
        ("fcpxml", "fcpxml", '<?xml version="1.0"'),
        ("premiere", "premiere.xml", "<?xml"),
        ("cmx3600", "edl", "TITLE:"),
        ("edl", "edl.json", "{"),
        ("srt", "srt", ""),
        ("vtt", "vtt", "WEBVTT"),
    ],
)
async def test_an_edit_is_written_for_each_program(
    creator: httpx.AsyncClient, output: str, wanted: str, ending: str, beginning: str
) -> None:
    answer = await creator.get(f"{output}/exports/{wanted}")
    assert answer.status_code == 200, answer.text
    assert answer.text.startswith(beginning)
    assert f"Kitchen_talk_hook_cut.{ending}" in unquote(answer.headers["Content-Disposition"])


async def test_our_own_format_is_the_edit(creator: httpx.AsyncClient, output: str) -> None:
    answer = await creator.get(f"{output}/exports/edl")
    assert EDL.model_validate_json(answer.content) == EXAMPLE_EDIT


async def test_footage_is_named_or_can_be_fetched(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, output: str
) -> None:
    gone = await creator.get(f"{output}/exports/fcpxml", params={"media": "signed"})
    assert (gone.status_code, gone.json()["code"]) == (409, "invalid_transition")
    await gateway.objects.put(Bucket.ASSETS, "a/talk", once(b"the talk"))
    source = EXAMPLE_EDIT.sources[0]
    await Assets(gateway.pool).add(
        owner_id=job.owner_id,
        project_id=job.project_id,
        name=source.name,
        kind=AssetKind.A_ROLL,
        object_key="a/talk",
        size_bytes=8,
        sha256=source.sha256,
        position=0,
    )
    signed = (await creator.get(f"{output}/exports/fcpxml", params={"media": "signed"})).text
    (address,) = {each.attrib["src"] for each in ET.fromstring(signed.split("\n", 2)[2]).iter("media-rep")}
    async with gateway.stranger() as editing_program:
        assert (await editing_program.get(address)).content == b"the talk"
    relative = (await creator.get(f"{output}/exports/fcpxml")).text
    assert f'src="{source.name}"' in relative


async def test_an_edit_is_told_compared_and_judged(creator: httpx.AsyncClient, output: str) -> None:
    told = (await creator.get(f"{output}/explanation")).json()["lines"]
    assert EXAMPLE_EDIT.title in told[0]
    same = await creator.get(f"{output}/changes", params={"since": output.rpartition("/")[2]})
    assert same.json() == {"changes": []}
    verdict = (await creator.get(f"{output}/grammar")).json()
    assert 0 <= verdict["score"] <= 100


async def test_what_is_not_planned_cannot_be_written(creator: httpx.AsyncClient, job: Job) -> None:
    queued = f"/outputs/{job.outputs[1].id}"
    for path in ("exports/otio", "explanation", "grammar", "storyboard"):
        assert (await creator.get(f"{queued}/{path}")).status_code == 409


async def test_a_player_gets_cues_whose_pictures_it_can_fetch(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, output: str
) -> None:
    assert (await creator.get(f"{output}/storyboard")).status_code == 409, "an earlier release made none"
    board = Storyboard(image_key="o/board.jpg", grid=GRID)
    await gateway.objects.put(Bucket.THUMBS, board.image_key, once(b"\xff\xd8\xff jpeg"))
    await gateway.pool.execute(
        "update job_outputs set files = jsonb_set(files, '{storyboard}', $2) where id = $1",
        job.outputs[0].id,
        board.model_dump(mode="json"),
    )
    answer = await creator.get(f"{output}/storyboard")
    assert answer.headers["Content-Type"].startswith("text/vtt")
    cues = re.findall(r"^(\S+) --> (\S+)\n(\S+)#xywh=(\S+)$", answer.text, re.MULTILINE)
    assert [(start, end, part) for start, end, _, part in cues[9:]] == [
        ("00:00:09.000", "00:00:10.000", "1440,0,160,90"),
        ("00:00:10.000", "00:00:11.000", "0,90,160,90"),
        ("00:00:11.000", "00:00:11.500", "160,90,160,90"),
    ]
    async with gateway.stranger() as player:
        assert (await player.get(cues[0][2])).content == b"\xff\xd8\xff jpeg"
    named = (await creator.get(f"{output}/files")).json()["storyboard"]
    assert named["name"] == "Kitchen_talk_hook_cut.storyboard.jpg"
