"""Edits by hand as a creator sends them: judged without rendering, and ordered as jobs of their own."""

import asyncio
import hashlib
import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from activities.artifacts import object_key
from activities.output_keys import OutputKeys, edit_key
from activities.uploads import upload_bytes
from director import PlanOptions, plan
from render import to_srt
from schemas.analysing import ArtifactRef, version_of
from schemas.edl import EDL, Variant
from schemas.facts import AssetFacts, Picture
from schemas.jobs import Job
from stores import Analyses, Assets, Bucket, Jobs, Outputs
from tests.api.gateway import Gateway
from tests.director.test_director_review import recut, talk_of_two_lines

pytestmark = pytest.mark.postgres

REEL = Variant.VERTICAL_REEL
SRT = {"Content-Type": "application/x-subrip"}


@pytest.fixture(scope="module")
def footage() -> AssetFacts:
    return talk_of_two_lines()


@pytest.fixture(scope="module")
def edl(footage: AssetFacts) -> EDL:
    return plan([footage], REEL, PlanOptions())


@pytest.fixture
async def job(gateway: Gateway, creator: httpx.AsyncClient, footage: AssetFacts, edl: EDL) -> Job:
    """A job whose footage is analysed, with one output that is planned and one that is queued."""
    project_id = (await creator.post("/projects", json={"name": "Kitchen talk"})).json()["id"]
    order = {"variants": [REEL, "hook_cut"], "language": "en", "pace": "fast"}
    ordered = (await creator.post(f"/projects/{project_id}/jobs", json=order)).json()
    made = await Jobs(gateway.pool).get(UUID(ordered["id"]))
    await Assets(gateway.pool).add(
        owner_id=made.owner_id,
        project_id=made.project_id,
        name=footage.name,
        kind=footage.kind,
        object_key=f"{made.owner_id}/{footage.sha256}",
        size_bytes=1000,
        sha256=footage.sha256,
        position=0,
    )
    await analysed(gateway, footage)
    keys = OutputKeys(made.owner_id, made.project_id, made.id, made.outputs[0].id)
    await upload_bytes(gateway.objects, Bucket.OUTPUTS, keys.edl, edl.model_dump_json().encode())
    await Outputs(gateway.pool).plan(made.outputs[0].id, keys.edl)
    return await Jobs(gateway.pool).get(made.id)


async def analysed(gateway: Gateway, facts: AssetFacts) -> None:
    """Keep what is known of the footage as analyses, as jobs do."""
    kept = facts.model_copy(update={"picture": Picture(step_us=500_000, samples=())})
    for analyzer in ("probe", "transcript", "shots", "faces", "sound", "picture"):
        key = hashlib.sha256(f"{analyzer} {facts.sha256}".encode()).hexdigest()
        ref = ArtifactRef(analyzer=analyzer, key=key, object_key=object_key(key))
        content = getattr(kept, analyzer).model_dump_json().encode()
        await upload_bytes(gateway.objects, Bucket.ANALYSIS, ref.object_key, content)
        version = version_of(analyzer)
        await Analyses(gateway.pool).record(ref, asset_sha256=facts.sha256, analyzer_version=version)


def revisions(job: Job) -> str:
    return f"/outputs/{job.outputs[0].id}/revisions"


async def stored(gateway: Gateway, job: Job, revision: dict[str, Any]) -> EDL:
    """The edit that a revision is rendered by."""
    key = edit_key(job.owner_id, job.project_id, revision["request"]["plans"][0]["edl_sha256"])
    content = b"".join([chunk async for chunk in gateway.objects.get(Bucket.OUTPUTS, key)])
    return EDL.model_validate_json(content)


async def test_an_edit_is_judged_without_being_rendered(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, edl: EDL
) -> None:
    path = f"/outputs/{job.outputs[0].id}/edl"
    read = await creator.get(path)
    same = await creator.put(path, content=read.content, headers={"Content-Type": "application/json"})
    assert same.status_code == 200, same.text
    assert (same.json()["renderable"], same.json()["renderable_if_accepted"]) == (True, True)
    bitten = await creator.put(path, json=json.loads(recut(edl, (1.1, 3.1)).model_dump_json()))
    assert (bitten.json()["renderable"], bitten.json()["renderable_if_accepted"]) == (False, True)
    failed = [row for row in bitten.json()["findings"] if not row["passed"]]
    assert [(row["name"], row["measured"]) for row in failed] == [("cuts inside a word", "1, the deepest 100 ms")]
    assert (await creator.get(path)).content == read.content
    assert await gateway.pool.fetchval("select count(*) from public.jobs") == 1


async def test_a_revision_is_a_job_of_its_own(gateway: Gateway, creator: httpx.AsyncClient, job: Job, edl: EDL) -> None:
    mine = recut(edl, (1.0, 3.1), (7.0, 9.1))
    answer = await creator.post(revisions(job), json={"edl": json.loads(mine.model_dump_json())})
    assert answer.status_code == 201, answer.text
    revision = answer.json()
    assert (revision["status"], revision["project_id"]) == ("queued", str(job.project_id))
    assert [output["variant"] for output in revision["outputs"]] == [REEL]
    request = revision["request"]
    assert request["plans"][0]["revised_from"] == str(job.outputs[0].id)
    assert (request["language"], request["pace"]) == ("en", "fast"), "so that its analyses are those that are there"
    assert await stored(gateway, job, revision) == mine
    assert (await creator.get(f"/jobs/{revision['id']}")).json() == revision


async def test_a_timeline_comes_back_from_another_program(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, edl: EDL
) -> None:
    exported = (await creator.get(f"/outputs/{job.outputs[0].id}/exports/otio")).content
    otio = {"Content-Type": "application/vnd.pixar.opentimelineio+json"}
    answer = await creator.post(revisions(job), content=exported, headers=otio)
    assert answer.status_code == 201, answer.text
    assert (await stored(gateway, job, answer.json())).video == edl.video
    foreign = await creator.post(revisions(job), content=b"{}", headers=otio)
    assert foreign.status_code == 422


async def test_captions_alone_are_replaced(gateway: Gateway, creator: httpx.AsyncClient, job: Job, edl: EDL) -> None:
    caption = {"start": 3, "end": 40, "lines": ["Mine, now."]}
    by_frames = await creator.post(revisions(job), json={"captions": [caption]})
    assert by_frames.status_code == 201, by_frames.text
    revised = await stored(gateway, job, by_frames.json())
    assert [one.model_dump(mode="json") for one in revised.captions] == [{**caption, "words": [], "bottom": None}]
    assert revised.video == edl.video
    as_file = await creator.post(revisions(job), content=to_srt(revised).encode(), headers=SRT)
    assert as_file.json()["request"]["plans"] == by_frames.json()["request"]["plans"], "the same edit, frame for frame"


async def test_what_a_viewer_notices_must_be_accepted(creator: httpx.AsyncClient, job: Job, edl: EDL) -> None:
    bitten = {"edl": json.loads(recut(edl, (1.1, 3.1)).model_dump_json())}
    refused = await creator.post(revisions(job), json=bitten)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert "cuts inside a word: 1, the deepest 100 ms" in refused.json()["errors"][0]["problem"]
    accepted = await creator.post(revisions(job), json=bitten, params={"accept_findings": True})
    assert accepted.status_code == 201
    assert accepted.json()["request"]["plans"][0]["accept_findings"] is True
    late = bitten["edl"]
    for clip in late["audio"][0]["clips"]:
        clip["source_in"] += 9600
    never = await creator.post(revisions(job), json={"edl": late}, params={"accept_findings": True})
    assert (never.status_code, never.json()["errors"][0]["field"]) == (422, "edl")
    assert never.json()["errors"][0]["problem"].startswith("A/V offset in the edit: ")


async def test_a_revision_sent_again_is_the_same_job(gateway: Gateway, creator: httpx.AsyncClient, job: Job) -> None:
    key = {"Idempotency-Key": "edit-1"}
    captions = {"captions": [{"start": 3, "end": 40, "lines": ["Mine, now."]}]}
    sent = [creator.post(revisions(job), json=captions, headers=key) for _ in range(4)]
    assert len({answer.json()["id"] for answer in await asyncio.gather(*sent)}) == 1
    await gateway.pool.execute("update public.analyses set usable = false")
    assert (await creator.post(revisions(job), json=captions, headers=key)).status_code == 201
    other = await creator.post(revisions(job), json={"captions": []}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")


async def test_where_nothing_is_known_of_the_footage_the_job_looks(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, edl: EDL
) -> None:
    await gateway.pool.execute("update public.analyses set usable = false")
    edit = json.loads(edl.model_dump_json())
    judged = await creator.put(f"/outputs/{job.outputs[0].id}/edl", json=edit)
    assert (judged.status_code, judged.json()["code"]) == (409, "invalid_transition")
    assert (await creator.post(revisions(job), json={"edl": edit})).status_code == 201


@pytest.mark.parametrize("analyzer", ["probe", "transcript"])
async def test_what_an_older_version_found_is_not_read_as_what_this_one_would_find(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, edl: EDL, analyzer: str
) -> None:
    await gateway.pool.execute("update public.analyses set analyzer_version = '0' where analyzer = $1", analyzer)
    edit = json.loads(edl.model_dump_json())
    judged = await creator.put(f"/outputs/{job.outputs[0].id}/edl", json=edit)
    assert (judged.status_code, judged.json()["code"]) == (409, "invalid_transition")


@pytest.mark.parametrize("content", [None, b'{"length": 7}'], ids=["gone", "of another version"])
async def test_an_analysis_that_cannot_be_read_is_as_good_as_none(
    gateway: Gateway, creator: httpx.AsyncClient, job: Job, edl: EDL, content: bytes | None
) -> None:
    kept = await gateway.pool.fetchval("select object_key from public.analyses where analyzer = 'transcript'")
    await gateway.objects.delete(Bucket.ANALYSIS, kept)
    if content is not None:
        await upload_bytes(gateway.objects, Bucket.ANALYSIS, kept, content)
    edit = json.loads(edl.model_dump_json())
    judged = await creator.put(f"/outputs/{job.outputs[0].id}/edl", json=edit)
    assert (judged.status_code, judged.json()["code"]) == (409, "invalid_transition")
    assert (await creator.post(revisions(job), json={"edl": edit})).status_code == 201


async def test_mistakes_are_named_by_their_fields(creator: httpx.AsyncClient, job: Job, edl: EDL) -> None:
    async def fields(method: str, path: str, **body: Any) -> list[str]:
        answer = await creator.request(method, path, **body)
        assert answer.status_code == 422, answer.text
        return [problem["field"] for problem in answer.json()["errors"]]

    path = f"/outputs/{job.outputs[0].id}/edl"
    edit = json.loads(edl.model_dump_json())
    source = edit["sources"][0]
    assert await fields("PUT", path, json={**edit, "duration": "long"}) == ["duration"]
    assert await fields("PUT", path, json={**edit, "rate": "1e999999999"}) == ["rate"]
    assert await fields("PUT", path, json={**edit, "sources": [{**source, "sha256": "f" * 64}]}) == ["sources.0.sha256"]
    assert await fields("PUT", path, json={**edit, "variant": "hook_cut"}) == ["variant"]
    assert await fields("POST", revisions(job), json={}) == [""]
    assert await fields("POST", revisions(job), json={"edl": edit, "captions": []}) == [""]
    assert await fields("POST", revisions(job), json={"captions": [{"start": 0, "end": 9}]}) == ["captions.0.lines"]
    assert await fields("POST", revisions(job), content=b"1\nnever\nText", headers=SRT) == ["captions.0"]
    assert await fields("POST", revisions(job), content=b"\xff\xfe1", headers=SRT) == [""]
    late = b"1\n09:00:00,000 --> 09:00:01,000\nText"
    assert await fields("POST", revisions(job), content=late, headers=SRT) == [""]


async def test_what_is_no_edit_is_turned_away(creator: httpx.AsyncClient, job: Job) -> None:
    strange = await creator.post(revisions(job), content=b"<edl/>", headers={"Content-Type": "application/xml"})
    assert strange.status_code == 415
    flood = await creator.post(revisions(job), content=b" " * ((16 << 20) + 1), headers=SRT)
    assert flood.status_code == 413
    unplanned = f"/outputs/{job.outputs[1].id}/revisions"
    too_early = await creator.post(unplanned, json={"captions": []})
    assert (too_early.status_code, too_early.json()["code"]) == (409, "invalid_transition")


async def test_nobody_else_edits(other: httpx.AsyncClient, job: Job, edl: EDL) -> None:
    edit = json.loads(edl.model_dump_json())
    assert (await other.put(f"/outputs/{job.outputs[0].id}/edl", json=edit)).status_code == 404
    assert (await other.post(revisions(job), json={"edl": edit})).status_code == 404
