"""Temporal's remote codec protocol: the Web UI and the ``temporal`` command have payloads decrypted here.

``POST /decode`` and ``POST /encode`` take and give the JSON form of ``temporal.api.common.v1.Payloads``. Whoever may
call this may read every payload, so it answers only the Web UI's own pages, and where a token is set only who has it.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from google.protobuf import json_format
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from cinema.encryption import DecryptionError

#: Bytes of the largest request: Temporal's largest message, in base64.
LARGEST_REQUEST = 8 << 20

#: What the Web UI sends along.
HEADERS = ("authorization", "caller-type", "content-type", "x-namespace")

Coding = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


def create_codec_app(codec: PayloadCodec, origins: Sequence[str], token: str | None = None) -> FastAPI:
    """The codec as a web application for pages of ``origins``, and for callers that send no origin (no browsers)."""
    app = FastAPI(title="Cinema AI payload codec", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["POST"], allow_headers=HEADERS)

    @app.post("/decode")
    async def decode(request: Request) -> Response:
        return await coded(request, codec.decode)

    @app.post("/encode")
    async def encode(request: Request) -> Response:
        return await coded(request, codec.encode)

    async def coded(request: Request, coding: Coding) -> Response:
        if not _is_ours(request, origins):
            return _refusal(HTTPStatus.FORBIDDEN, "This page may not read payloads.")
        if token is not None and not _has_token(request, token):
            return _refusal(HTTPStatus.UNAUTHORIZED, "The token is missing or wrong.")
        body = await _body(request)
        if body is None:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is larger than any message of Temporal's.")
        try:
            payloads = json_format.Parse(body, Payloads())
            answer = Payloads(payloads=await coding(payloads.payloads))
        except (json_format.ParseError, UnicodeDecodeError):
            return _refusal(HTTPStatus.BAD_REQUEST, "These are no payloads.")
        except DecryptionError as error:
            return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        return Response(json_format.MessageToJson(answer), media_type="application/json")

    return app


def _is_ours(request: Request, origins: Sequence[str]) -> bool:
    """CORS keeps answers from other pages; this also keeps out pages whose host name was made to point here."""
    origin = request.headers.get("origin")
    return origin is None or origin in origins


def _has_token(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "")
    return secrets.compare_digest(given.encode(), f"Bearer {token}".encode())


async def _body(request: Request) -> bytes | None:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_REQUEST:
            return None
    return body


def _refusal(status: HTTPStatus, sentence: str) -> Response:
    return Response(sentence, status, media_type="text/plain")
