"""A small Supabase Storage: real HTTP on loopback, after the documented behaviour, with troubles to order.

Modelled on github.com/supabase/storage: routes ``src/http/routes/{bucket,object,tus}``, refusals
``src/http/error-handler.ts`` (status 400 for nearly everything, the meant status in the body), answers
``src/storage/renderer/{info,renderer}.ts``, keys ``src/storage/limits.ts``.
"""

import asyncio
import hashlib
import json
import re
import socket
import threading
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import jwt
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

KEY = "service-key"
SECRET = "s" * 32
VALID_NAME = re.compile(r"[A-Za-z0-9_/!\-.*'() &$@=;:+,?]+")
PIECE = 64 << 10
Handler = Callable[[Request], Awaitable[Response]]

TUS = {"Tus-Resumable": "1.0.0"}


class Refused(Exception):
    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message


@dataclass
class Trouble:
    """What happens to the next requests that it fits: an answer instead of theirs, or a cut in the midst of theirs."""

    method: str
    path: str
    times: int = 1
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    #: Bytes of the request's body that are taken before the connection is cut; the answer's, for a GET.
    cut_after: int | None = None
    #: The request is carried out and its answer lost.
    answer_lost: bool = False


@dataclass
class Version:
    name: str
    file: Path
    id: str
    size: int
    etag: str
    content_type: str
    user_metadata: dict[str, Any] | None
    modified_at: datetime
    created_at: datetime


@dataclass
class Upload:
    bucket: str
    name: str
    length: int
    file: Path
    content_type: str
    user_metadata: dict[str, Any] | None
    finished: bool = False


class StorageServer:
    """Everything lies below ``root``; ``requests`` counts by method and the route's first words."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.url = ""
        self.buckets: dict[str, dict[str, Any]] = {}
        self.objects: dict[tuple[str, str], Version] = {}
        self.uploads: dict[str, Upload] = {}
        self.troubles: list[Trouble] = []
        self.requests: list[str] = []
        self.sent_bytes = 0
        self.received_bytes = 0
        self.largest = 50 * 10**9
        self.app = Starlette(
            routes=[
                Route("/storage/v1/bucket", self._on(self._buckets), methods=["GET", "POST"]),
                Route("/storage/v1/bucket/{bucket}", self._on(self._bucket), methods=["GET", "PUT"]),
                Route("/storage/v1/object/list-v2/{bucket}", self._on(self._list), methods=["POST"]),
                Route("/storage/v1/object/info/authenticated/{bucket}/{name:path}", self._on(self._info)),
                Route("/storage/v1/object/authenticated/{bucket}/{name:path}", self._on(self._get)),
                Route(
                    "/storage/v1/object/upload/sign/{bucket}/{name:path}", self._on(self._sign_upload), methods=["POST"]
                ),
                Route("/storage/v1/object/upload/sign/{bucket}/{name:path}", self._signed(self._put), methods=["PUT"]),
                Route("/storage/v1/object/sign/{bucket}/{name:path}", self._on(self._sign), methods=["POST"]),
                Route("/storage/v1/object/sign/{bucket}/{name:path}", self._signed(self._get), methods=["GET"]),
                Route("/storage/v1/object/{bucket}", self._on(self._remove), methods=["DELETE"]),
                Route("/storage/v1/object/{bucket}/{name:path}", self._on(self._put), methods=["POST"]),
                Route(
                    "/storage/v1/upload/resumable/sign",
                    self._troubled(self._create_upload, _check_signature),
                    methods=["POST"],
                ),
                Route(
                    "/storage/v1/upload/resumable/sign/{id}",
                    self._troubled(self._upload, self._check_upload_signature),
                    methods=["PATCH", "HEAD"],
                ),
                Route("/storage/v1/upload/resumable", self._on(self._create_upload), methods=["POST"]),
                Route("/storage/v1/upload/resumable/{id}", self._on(self._upload), methods=["PATCH", "HEAD"]),
            ]
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """In a thread of its own, so that clients may block."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(self.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, http="h11")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()
            listener.close()

    def make_buckets(self, *names: str) -> None:
        for name in names:
            self._make_bucket({"id": name, "name": name, "public": False, "file_size_limit": None})

    def count(self, start: str) -> int:
        return sum(request.startswith(start) for request in self.requests)

    def corrupt(self, bucket: str, name: str) -> None:
        """Flips a bit of what lies there, behind the server's back."""
        file = self.objects[bucket, name].file
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    def _on(self, handler: Handler) -> Handler:
        return self._troubled(handler, self._check_key)

    def _signed(self, handler: Handler) -> Handler:
        return self._troubled(handler, _check_token)

    def _troubled(
        self, handler: Callable[[Request], Any], check: Callable[[Request], None]
    ) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            path = request.url.path.removeprefix("/storage/v1")
            self.requests.append(f"{request.method} {path}")
            trouble = self._trouble(request.method, path)
            request.state.cut_after = trouble.cut_after if trouble else None
            try:
                if trouble is not None and trouble.status is not None:
                    await request.body()
                    return _refusal(Refused(trouble.status, "Trouble", "ordered"), trouble.headers)
                check(request)
                response = await handler(request)
            except Refused as refused:
                await _drain(request)
                return _refusal(refused, {})
            if trouble is not None and trouble.answer_lost:
                await _cut(request)
            return response

        return answer

    def _trouble(self, method: str, path: str) -> Trouble | None:
        for trouble in self.troubles:
            if trouble.times > 0 and trouble.method == method and path.startswith(trouble.path):
                trouble.times -= 1
                return trouble
        return None

    def _check_key(self, request: Request) -> None:
        if request.headers.get("apikey") != KEY or request.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(403, "Unauthorized", "Invalid Compact JWS")

    def _check_upload_signature(self, request: Request) -> None:
        upload = self.uploads.get(request.path_params["id"])
        if upload is not None:
            _check_place(request, f"{upload.bucket}/{upload.name}")

    async def _buckets(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(list(self.buckets.values()))
        wanted = await request.json()
        if wanted["id"] in self.buckets:
            raise Refused(409, "Duplicate", "The resource already exists")
        self._make_bucket(wanted)
        return JSONResponse({"name": wanted["name"]})

    async def _bucket(self, request: Request) -> Response:
        found = self._known_bucket(request)
        if request.method == "PUT":
            self._make_bucket({**found, **await request.json()})
            return JSONResponse({"message": "Successfully updated"})
        return JSONResponse(found)

    def _make_bucket(self, wanted: dict[str, Any]) -> None:
        if (wanted.get("file_size_limit") or 0) > self.largest:
            raise Refused(413, "Payload too large", "The object exceeded the maximum allowed size")
        now = datetime.now(UTC).isoformat()
        self.buckets[wanted["id"]] = {
            "owner": "",
            "created_at": now,
            "updated_at": now,
            "allowed_mime_types": None,
            **wanted,
        }

    def _known_bucket(self, request: Request) -> dict[str, Any]:
        found = self.buckets.get(request.path_params["bucket"])
        if found is None:
            raise Refused(404, "Bucket not found", "Bucket not found")
        return found

    def _known_object(self, request: Request) -> Version:
        self._known_bucket(request)
        found = self.objects.get((request.path_params["bucket"], request.path_params["name"]))
        if found is None:
            raise Refused(404, "not_found", "Object not found")
        return found

    async def _info(self, request: Request) -> Response:
        found = self._known_object(request)
        body = {
            "id": found.id,
            "name": found.name,
            "version": found.id,
            "size": found.size,
            "content_type": found.content_type,
            "etag": found.etag,
            "metadata": found.user_metadata,
            "created_at": found.created_at.isoformat(),
        }
        modified = format_datetime(found.modified_at.replace(microsecond=0), usegmt=True)
        return JSONResponse(body, headers={"ETag": found.etag, "Last-Modified": modified})

    async def _get(self, request: Request) -> Response:
        found = self._known_object(request)
        headers = {"ETag": found.etag, "Accept-Ranges": "bytes"}
        start, end = 0, found.size
        status = 200
        if asked := request.headers.get("range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start, end, status = int(first), min(int(last) + 1, found.size), 206
            if start >= found.size:
                raise Refused(416, "InvalidRange", "The requested range is not satisfiable")
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
        if "download" in request.query_params:
            name = quote(request.query_params["download"], safe="")
            headers["Content-Disposition"] = f"attachment; filename={name}; filename*=UTF-8''{name};"
        headers["Content-Length"] = str(end - start)
        body = self._pieces(request, found.file, start, end)
        return StreamingResponse(body, status, headers, found.content_type)

    async def _pieces(self, request: Request, path: Path, start: int, end: int) -> AsyncIterator[bytes]:
        cut_after = request.state.cut_after
        with path.open("rb") as file:
            file.seek(start)
            position = start
            while position < end:
                data = file.read(min(PIECE, end - position))
                if cut_after is not None and position - start + len(data) > cut_after:
                    yield data[: cut_after - (position - start)]
                    await _cut(request)
                    return
                position += len(data)
                self.sent_bytes += len(data)
                yield data

    async def _put(self, request: Request) -> Response:
        bucket, name = self._known_bucket(request)["id"], _valid(request.path_params["name"])
        metadata = request.headers.get("x-metadata")
        file = self.root / uuid4().hex
        upsert = request.headers.get("x-upsert") == "true" or getattr(request.state, "upsert", False)
        if (bucket, name) in self.objects and not upsert:
            raise Refused(409, "Duplicate", "The resource already exists")
        self._check_size(bucket, int(request.headers.get("content-length", "0")))
        if not await self._receive(request, file):
            return Response()
        content_type = request.headers.get("content-type", "application/octet-stream")
        self._publish(bucket, name, file, content_type, json.loads(b64decode(metadata)) if metadata else None)
        return JSONResponse({"Key": f"{bucket}/{name}", "Id": str(uuid4())})

    async def _receive(self, request: Request, file: Path) -> bool:
        """Appends the body; ``False`` where its connection broke, as it may on purpose."""
        cut_after, received = request.state.cut_after, 0
        with file.open("ab") as out:
            try:
                async for data in request.stream():
                    if cut_after is not None and received + len(data) > cut_after:
                        out.write(data[: cut_after - received])
                        await _cut(request)
                        return False
                    received += len(data)
                    self.received_bytes += len(data)
                    out.write(data)
            except ClientDisconnect:
                return False
        return True

    def _check_size(self, bucket: str, size: int) -> None:
        if size > (self.buckets[bucket]["file_size_limit"] or self.largest):
            raise Refused(413, "Payload too large", "The object exceeded the maximum allowed size")

    def _publish(self, bucket: str, name: str, file: Path, content_type: str, metadata: dict[str, Any] | None) -> None:
        with file.open("rb") as content:
            etag = hashlib.file_digest(content, "md5").hexdigest()
        now = datetime.now(UTC)
        before = self.objects.get((bucket, name))
        created_at = before.created_at if before else now
        version = Version(
            name, file, str(uuid4()), file.stat().st_size, f'"{etag}"', content_type, metadata, now, created_at
        )
        self.objects[bucket, name] = version

    async def _remove(self, request: Request) -> Response:
        bucket = self._known_bucket(request)["id"]
        names = (await request.json())["prefixes"]
        return JSONResponse([{"name": name} for name in names if self.objects.pop((bucket, name), None)])

    async def _list(self, request: Request) -> Response:
        bucket, asked = self._known_bucket(request)["id"], await request.json()
        names = sorted(name for at, name in self.objects if at == bucket and name.startswith(asked.get("prefix", "")))
        after = urlsafe_b64decode(asked.get("cursor", "")).decode()
        page = [name for name in names if name > after][: asked.get("limit", 1000)]
        more = bool(page) and page[-1] != names[-1]
        return JSONResponse(
            {
                "hasNext": more,
                "nextCursor": urlsafe_b64encode(page[-1].encode()).decode() if more else None,
                "folders": [],
                "objects": [self._listed(self.objects[bucket, name]) for name in page],
            }
        )

    def _listed(self, found: Version) -> dict[str, Any]:
        return {
            "id": found.id,
            "name": found.name,
            "key": found.name,
            "updated_at": found.modified_at.isoformat(),
            "created_at": found.created_at.isoformat(),
            "metadata": {"size": found.size, "eTag": found.etag, "mimetype": found.content_type},
        }

    async def _sign(self, request: Request) -> Response:
        self._known_object(request)
        seconds = int((await request.json())["expiresIn"])
        place = f"{request.path_params['bucket']}/{request.path_params['name']}"
        return JSONResponse({"signedURL": f"/object/sign/{place}?token={_token(place, seconds)}"})

    async def _sign_upload(self, request: Request) -> Response:
        place = f"{self._known_bucket(request)['id']}/{_valid(request.path_params['name'])}"
        token = _token(place, 7200, upsert=request.headers.get("x-upsert") == "true")
        return JSONResponse({"url": f"/object/upload/sign/{place}?token={token}", "token": token})

    async def _create_upload(self, request: Request) -> Response:
        fields = dict(pair.split(" ") for pair in request.headers["upload-metadata"].split(","))
        given = {name: b64decode(value).decode() for name, value in fields.items()}
        if given["bucketName"] not in self.buckets:
            return Response("Bucket not found", 404, TUS)
        length = int(request.headers["upload-length"])
        if length > (self.buckets[given["bucketName"]]["file_size_limit"] or self.largest):
            return Response("Maximum size exceeded\n", 413, TUS)
        id_ = urlsafe_b64encode(f"{given['bucketName']}/{given['objectName']}/{uuid4()}".encode()).decode().rstrip("=")
        file = self.root / uuid4().hex
        file.touch()
        metadata = json.loads(given["metadata"]) if "metadata" in given else None
        self.uploads[id_] = Upload(
            given["bucketName"], _valid(given["objectName"]), length, file, given["contentType"], metadata
        )
        signed = "/sign" if request.url.path.endswith("/sign") else ""
        # As behind a proxy that has not said what its own name is.
        address = f"http://storage:5000/upload/resumable{signed}/{id_}"
        return Response(status_code=201, headers={**TUS, "Location": address})

    async def _upload(self, request: Request) -> Response:
        upload = self.uploads.get(request.path_params["id"])
        if upload is None:
            return Response("The file for this url was not found\n", 404, TUS)
        size = upload.file.stat().st_size
        if request.method == "HEAD":
            return Response(headers={**TUS, "Upload-Offset": str(size), "Upload-Length": str(upload.length)})
        if request.headers["content-type"] != "application/offset+octet-stream":
            return Response("Invalid Content-Type", 415, TUS)
        if int(request.headers["upload-offset"]) != size:
            await request.body()
            return Response("Upload-Offset conflict\n", 409, TUS)
        whole = await self._receive(request, upload.file)
        size = upload.file.stat().st_size
        upsert = request.headers.get("x-upsert") == "true" or getattr(request.state, "upsert", False)
        if whole and size == upload.length and (upload.bucket, upload.name) in self.objects and not upsert:
            return Response("The resource already exists", 409, TUS)
        if whole and size == upload.length and not upload.finished:
            upload.finished = True
            self._publish(upload.bucket, upload.name, upload.file, upload.content_type, upload.user_metadata)
        return Response(status_code=204, headers={**TUS, "Upload-Offset": str(size)})


def _valid(name: str) -> str:
    if not VALID_NAME.fullmatch(name):
        raise Refused(400, "InvalidKey", f"Invalid key: {name}")
    return name


def _token(place: str, seconds: int, *, upsert: bool = False) -> str:
    claims = {"url": place, "exp": datetime.now(UTC) + timedelta(seconds=seconds), "upsert": upsert}
    return jwt.encode(claims, SECRET, "HS256")


def _check_token(request: Request) -> None:
    place = f"{request.path_params['bucket']}/{request.path_params['name']}"
    _check_claims(request, request.query_params.get("token"), place)


def _check_signature(request: Request) -> None:
    fields = dict(pair.split(" ") for pair in request.headers["upload-metadata"].split(","))
    given = {name: b64decode(value).decode() for name, value in fields.items()}
    _check_place(request, f"{given['bucketName']}/{given['objectName']}")


def _check_place(request: Request, place: str) -> None:
    if "x-signature" not in request.headers:
        raise Refused(400, "InvalidSignature", "Missing x-signature header")
    _check_claims(request, request.headers["x-signature"], place)


def _check_claims(request: Request, token: str | None, place: str) -> None:
    try:
        claims = jwt.decode(token or "", SECRET, ["HS256"])
    except jwt.InvalidTokenError as error:
        raise Refused(400, "InvalidJWT", str(error)) from error
    if claims["url"] != place:
        raise Refused(400, "InvalidSignature", "Invalid signature")
    request.state.upsert = claims["upsert"]


def _refusal(refused: Refused, headers: dict[str, str]) -> Response:
    body = {"statusCode": str(refused.status), "error": refused.error, "message": refused.message}
    status = 500 if refused.status == 500 else 400
    return JSONResponse(body, status, headers)


async def _drain(request: Request) -> None:
    """Takes the rest of a body that nobody wants, so that the client hears the answer."""
    try:
        async for _ in request.stream():
            pass
    except (ClientDisconnect, RuntimeError):
        pass


async def _cut(request: Request) -> None:
    """Ends the connection without a word (the cycle of uvicorn's that a request's ``receive`` belongs to)."""
    request.receive.__self__.transport.abort()  # type: ignore[attr-defined]
    # Until the server has noticed, and takes what is still sent for nothing.
    await asyncio.sleep(0.02)
