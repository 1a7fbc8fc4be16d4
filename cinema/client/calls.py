"""Single requests: what is sent for each operation, and what its answer is."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

from cinema.client import uploading
from cinema.client.answers import raised
from cinema.client.asking import asked, done, query
from cinema.client.attempts import KEY, attempted
from cinema.client.steps import Flow, Send
from schemas.edl import EDL, Caption
from schemas.jobs import JobRequest, JobStatus
from schemas.media import AssetKind
from schemas.resources.assets import AssetChange, AssetList, AssetOrder, AssetResource
from schemas.resources.edits import EditReview, NewRevision
from schemas.resources.estimates import EstimateResource
from schemas.resources.files import OutputFilesResource
from schemas.resources.jobs import JobResource, OutputResource, OutputsOrder
from schemas.resources.page import Page
from schemas.resources.projects import NewProject, ProjectChange, ProjectResource
from schemas.resources.readings import EditExplanation
from schemas.resources.uploads import NewUpload, UploadTicket


def create_project(name: str) -> Flow[ProjectResource]:
    """Make a project."""
    return asked(Send(method="POST", url="/projects", model=NewProject(name=name)), ProjectResource)


def list_projects(*, limit: int = 50, cursor: str | None = None) -> Flow[Page[ProjectResource]]:
    """A page of projects, newest first; its ``next_cursor`` is the ``cursor`` of the next."""
    return asked(Send(method="GET", url="/projects", query=query(limit=limit, cursor=cursor)), Page[ProjectResource])


def get_project(project_id: UUID) -> Flow[ProjectResource]:
    """Read a project."""
    return asked(Send(method="GET", url=f"/projects/{project_id}"), ProjectResource)


def rename_project(project_id: UUID, name: str) -> Flow[ProjectResource]:
    """Give a project another name."""
    return asked(Send(method="PATCH", url=f"/projects/{project_id}", model=ProjectChange(name=name)), ProjectResource)


def delete_project(project_id: UUID) -> Flow[ProjectResource]:
    """Delete a project with all that is in it, for good. It takes a while; in the end it is not found."""
    return asked(Send(method="DELETE", url=f"/projects/{project_id}"), ProjectResource)


def estimate(project_id: UUID, request: JobRequest | None = None) -> Flow[EstimateResource]:
    """What a job with this order would take; nothing is ordered."""
    order = request or JobRequest()
    send = Send(method="POST", url=f"/projects/{project_id}/estimate", model=order)
    return asked(send, EstimateResource, repeatable=True)


def list_assets(project_id: UUID) -> Flow[AssetList]:
    """A project's footage, in its order."""
    return asked(Send(method="GET", url=f"/projects/{project_id}/assets"), AssetList)


def order_assets(project_id: UUID, asset_ids: Sequence[UUID]) -> Flow[AssetList]:
    """Put a project's footage in order."""
    order = AssetOrder(assets=tuple(asset_ids))
    return asked(Send(method="PUT", url=f"/projects/{project_id}/assets/order", model=order), AssetList)


def get_asset(asset_id: UUID) -> Flow[AssetResource]:
    """Read an asset."""
    return asked(Send(method="GET", url=f"/assets/{asset_id}"), AssetResource)


def change_asset(
    asset_id: UUID,
    *,
    name: str | None = None,
    kind: AssetKind | None = None,
    tags: Sequence[str] | None = None,
    description: str | None = None,
) -> Flow[AssetResource]:
    """Give an asset another name or kind, other tags, another description; what is not given stays."""
    change = AssetChange(name=name, kind=kind, tags=None if tags is None else tuple(tags), description=description)
    return asked(Send(method="PATCH", url=f"/assets/{asset_id}", model=change), AssetResource)


def delete_asset(asset_id: UUID) -> Flow[None]:
    """Delete an asset."""
    return done(Send(method="DELETE", url=f"/assets/{asset_id}"))


def permit_upload(
    project_id: UUID, path: Path, *, kind: AssetKind | None = None, name: str | None = None
) -> Flow[UploadTicket]:
    """Announce a file. What is sent by the ticket can be taken up again by it, also by another program."""
    new = NewUpload(name=name or path.name, size_bytes=path.stat().st_size, kind=kind)
    return (yield from asked(Send(method="POST", url=f"/projects/{project_id}/uploads", model=new), UploadTicket))


def upload(
    project_id: UUID,
    path: Path,
    *,
    kind: AssetKind | None = None,
    name: str | None = None,
    on_progress: uploading.OnProgress | None = None,
) -> Flow[AssetResource]:
    """Upload a file and see that it is accepted, through any number of broken connections.

    Raises:
        CinemaError: it was refused; the code says what is wrong with it.
        TransientError: the connection kept breaking.
    """
    ticket = yield from permit_upload(project_id, path, kind=kind, name=name)
    return (yield from uploading.send(ticket, path, on_progress))


def create_job(
    project_id: UUID, request: JobRequest | None = None, *, idempotency_key: str | None = None
) -> Flow[JobResource]:
    """Order a job; by its key, which is made up where none is given, it is ordered once however often it is sent."""
    headers = {KEY: idempotency_key or str(uuid4())}
    order = request or JobRequest()
    return asked(Send(method="POST", url=f"/projects/{project_id}/jobs", headers=headers, model=order), JobResource)


def list_jobs(
    *, project_id: UUID | None = None, status: JobStatus | None = None, limit: int = 50, cursor: str | None = None
) -> Flow[Page[JobResource]]:
    """A page of jobs, newest first; its ``next_cursor`` is the ``cursor`` of the next."""
    wanted = query(project=project_id, status=status, limit=limit, cursor=cursor)
    return asked(Send(method="GET", url="/jobs", query=wanted), Page[JobResource])


def get_job(job_id: UUID) -> Flow[JobResource]:
    """Read a job."""
    return asked(Send(method="GET", url=f"/jobs/{job_id}"), JobResource)


def cancel_job(job_id: UUID, outputs: Sequence[UUID] = ()) -> Flow[JobResource]:
    """Call a job off, or only these of its outputs."""
    return _ordered(job_id, "cancel", OutputsOrder(outputs=tuple(outputs)))


def retry_job(job_id: UUID, outputs: Sequence[UUID] = (), *, idempotency_key: str | None = None) -> Flow[JobResource]:
    """Make failed or called-off outputs again, or only these of them."""
    headers = {KEY: idempotency_key or str(uuid4())}
    order = OutputsOrder(outputs=tuple(outputs))
    return asked(Send(method="POST", url=f"/jobs/{job_id}/retry", headers=headers, model=order), JobResource)


def approve_job(job_id: UUID, outputs: Sequence[UUID] = ()) -> Flow[JobResource]:
    """Approve these plans, or all; those not named are called off."""
    return _ordered(job_id, "approve", OutputsOrder(outputs=tuple(outputs)))


def pause_job(job_id: UUID) -> Flow[JobResource]:
    """Begin nothing new of a job."""
    return _ordered(job_id, "pause", None)


def resume_job(job_id: UUID) -> Flow[JobResource]:
    """Go on with a job after a pause."""
    return _ordered(job_id, "resume", None)


def delete_job(job_id: UUID) -> Flow[JobResource]:
    """Delete a job that has ended with all it made, for good; it goes on by itself until it is not found any more."""
    return asked(Send(method="DELETE", url=f"/jobs/{job_id}"), JobResource)


def get_output(output_id: UUID) -> Flow[OutputResource]:
    """Read an output."""
    return asked(Send(method="GET", url=f"/outputs/{output_id}"), OutputResource)


def delete_output(output_id: UUID) -> Flow[None]:
    """Delete an output's files, for good, once its job has ended; the output stays in its job as expired."""
    return done(Send(method="DELETE", url=f"/outputs/{output_id}"))


def output_files(output_id: UUID) -> Flow[OutputFilesResource]:
    """Where a completed output's files can be downloaded, for some hours."""
    return asked(Send(method="GET", url=f"/outputs/{output_id}/files"), OutputFilesResource)


def output_edl(output_id: UUID) -> Flow[EDL]:
    """A planned output's edit."""
    return asked(Send(method="GET", url=f"/outputs/{output_id}/edl"), EDL)


def check_edit(output_id: UUID, edl: EDL) -> Flow[EditReview]:
    """What would become of a changed edit as a revision of the output; nothing is rendered, and nothing is kept."""
    return asked(Send(method="PUT", url=f"/outputs/{output_id}/edl", model=edl), EditReview)


def revise_output(
    output_id: UUID,
    *,
    edl: EDL | None = None,
    captions: Sequence[Caption] | None = None,
    accept_findings: bool = False,
    idempotency_key: str | None = None,
) -> Flow[JobResource]:
    """Order a video by a changed edit, or by the output's own with other captions: a job of its own, ordered once.

    With ``accept_findings`` it is rendered although a viewer may notice what :func:`check_edit` finds.
    """
    revision = NewRevision(edl=edl, captions=None if captions is None else tuple(captions))
    send = Send(
        method="POST",
        url=f"/outputs/{output_id}/revisions",
        query={"accept_findings": "true"} if accept_findings else {},
        headers={KEY: idempotency_key or str(uuid4())},
        model=revision,
    )
    return asked(send, JobResource)


def output_explanation(output_id: UUID) -> Flow[EditExplanation]:
    """Why a planned output is as it is, line by line."""
    return asked(Send(method="GET", url=f"/outputs/{output_id}/explanation"), EditExplanation)


def export_output(output_id: UUID, wanted: str) -> Flow[bytes]:
    """A planned output's edit or captions as a file, in a format of ``GET /outputs/{id}/exports/{format}``."""
    response = yield from attempted(Send(method="GET", url=f"/outputs/{output_id}/exports/{wanted}"))
    return raised(response).content


def output_storyboard(output_id: UUID) -> Flow[str]:
    """A completed output's storyboard: WebVTT whose cues name parts of one image."""
    response = yield from attempted(Send(method="GET", url=f"/outputs/{output_id}/storyboard"))
    return raised(response).text


def _ordered(job_id: UUID, order: str, outputs: OutputsOrder | None) -> Flow[JobResource]:
    """An order that means the same however often it is given."""
    return asked(Send(method="POST", url=f"/jobs/{job_id}/{order}", model=outputs), JobResource, repeatable=True)
