"""Downloads of stored files by signed address, whole or in ranges."""

import mimetypes
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from api.context import ApiContext
from api.problems import problem, problem_responses
from api.ranges import ByteRange, UnsatisfiableRange, parse_range
from schemas.errors import CinemaError, ErrorCode
from stores import Bucket, LocalObjects, ObjectStat

#: Types a browser may show in place; everything else is only ever saved, so that no upload runs as a page of ours.
SHOWN = frozenset({"video/mp4", "image/jpeg", "text/vtt", "application/json"})
SAVED = "application/octet-stream"

ADDRESS: Final = "/objects/{bucket}/{key:path}"

_BYTES: Final = {"content": {SAVED: {"schema": {"type": "string", "format": "binary"}}}}
_DESCRIBED: Final[dict[str, Any]] = {
    "response_class": Response,
    "responses": {
        HTTPStatus.OK.value: {"description": "The file.", **_BYTES},
        HTTPStatus.PARTIAL_CONTENT.value: {"description": "The bytes asked for by `Range`.", **_BYTES},
        HTTPStatus.NOT_MODIFIED.value: {"description": "It is still the one that `If-None-Match` names."},
        **problem_responses(HTTPStatus.FORBIDDEN, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
    },
}


def router(context: ApiContext) -> APIRouter:
    """``GET`` and ``HEAD`` of ``/objects/{bucket}/{key}``; the address itself is the permission."""
    routes = APIRouter(tags=["files"])

    @routes.head(ADDRESS, name="describe_object", summary="Ask about a stored file", **_DESCRIBED)
    @routes.get(ADDRESS, name="download_object", summary="Download a stored file", **_DESCRIBED)
    async def download(bucket: str, key: str, request: Request) -> Response:
        """The whole file, or the range asked for. The address is one that an answer gave, signed: it is unchanged."""
        found, filename = await _permitted(context.embedded, bucket, key, request.query_params)
        headers = _headers(found, filename)
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        try:
            asked = parse_range(_range_header(request, headers["ETag"]), found.size_bytes)
        except UnsatisfiableRange:
            size = {"Content-Range": f"bytes */{found.size_bytes}"}
            return problem(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "The file has no such bytes.", headers=size)
        return _answer(context.embedded, found, asked, headers, with_body=request.method == "GET")

    return routes


async def _permitted(
    objects: LocalObjects, bucket: str, key: str, query: Mapping[str, str]
) -> tuple[ObjectStat, str | None]:
    """The object and the name to save it as. What is forged, expired or missing all looks the same."""
    if bucket not in set(Bucket):
        raise CinemaError(ErrorCode.NOT_FOUND, "This link is not valid or has expired.")
    filename = objects.verify_download(Bucket(bucket), key, query)
    found = await objects.stat(Bucket(bucket), key)
    if found is None:
        raise CinemaError(ErrorCode.OBJECT_MISSING, "This stored file does not exist.")
    return found, filename


def _headers(found: ObjectStat, filename: str | None) -> dict[str, str]:
    guessed, _ = mimetypes.guess_type(found.key)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-transform",
        "Content-Type": guessed if guessed in SHOWN else SAVED,
        "ETag": f'"{found.sha256}"',
        "X-Content-Type-Options": "nosniff",
    }
    if filename is not None:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    elif headers["Content-Type"] == SAVED:
        headers["Content-Disposition"] = "attachment"
    return headers


def _range_header(request: Request, etag: str) -> str | None:
    """The range, unless it is to hold only for a version that this is not (RFC 9110, section 13.1.5)."""
    condition = request.headers.get("if-range")
    return request.headers.get("range") if condition in {None, etag} else None


def _answer(
    objects: LocalObjects,
    found: ObjectStat,
    asked: ByteRange | None,
    headers: dict[str, str],
    *,
    with_body: bool,
) -> Response:
    status, part = HTTPStatus.OK, ByteRange(0, found.size_bytes, found.size_bytes)
    if asked is not None:
        status, part = HTTPStatus.PARTIAL_CONTENT, asked
        headers["Content-Range"] = part.content_range
    headers["Content-Length"] = str(part.length)
    if not with_body:
        return Response(status_code=status, headers=headers)
    # Not checked against its checksum: once that is known, the bytes are gone. A client may check them by the ETag.
    return StreamingResponse(objects.get_range(found.bucket, found.key, part.start, part.length), status, headers)
