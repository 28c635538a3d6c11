"""The protocol over HTTP."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from keras_csg.serving.errors import (
    TIMED_OUT,
    TOO_LARGE,
    UNAVAILABLE,
    WRONG_KIND,
    RequestError,
    shown,
)
from keras_csg.serving.json_codec import read_request, write_response
from keras_csg.serving.metrics import CONTENT_TYPE
from keras_csg.serving.pictures import is_picture
from keras_csg.serving.service import Service

HEADER_LENGTH = "Inference-Header-Content-Length"
BODY_SECONDS = 60
"""A client that takes longer to send what it asks is not waited for."""
HELD = 16
"""How many of the largest requests may wait at a time; of small ones more. As
many again may be coming."""
DISCARDED = 2**24
"""Bytes too many that are read nevertheless: many a client looks for an answer
only when it has sent all."""
CLOSE = {"Connection": "close"}
HEADERS = {
    UNAVAILABLE: {"Retry-After": "1"},
    TIMED_OUT: CLOSE,
    TOO_LARGE: CLOSE,  # What is left of it would be read as a request.
}
TOP = 3


class HttpApp:
    """Answers requests over HTTP; `asgi` is the application.

    Args:
        service: `Service`.
        max_body: int. Most bytes of a request.
        threads: `ThreadPoolExecutor` that reads and answers.
    """

    def __init__(
        self, service: Service, max_body: int, threads: ThreadPoolExecutor
    ):
        self._service = service
        self._max_body = max_body
        self._held = 0
        # Bytes of the bodies that are coming, by their limits in time.
        self._coming: dict[asyncio.Timeout, int] = {}
        # All limits, and the time from which what comes is too late.
        self._limits: set[asyncio.Timeout] = set()
        self._too_late: float | None = None
        self._threads = threads
        model = "/v2/models/{name}"
        routes = [
            Route("/v2", self._server),
            Route("/v2/health/live", self._live),
            Route("/v2/health/ready", self._ready),
            Route("/metrics", self._metrics),
        ]
        for path in (model, model + "/versions/{version}"):
            routes += [
                Route(path, self._model),
                Route(path + "/ready", self._model_ready),
                Route(path + "/infer", self._infer, methods=["POST"]),
            ]
        handlers: dict[Any, Callable] = {
            RequestError: _refused,
            HTTPException: _no_such_page,
        }
        self._app = Starlette(routes=routes, exception_handlers=handlers)

    async def asgi(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers, and says of the last ones that the connection ends."""

        async def send_last(message: Message) -> None:
            ends = self._too_late is not None
            if ends and message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"connection", b"close"),
                ]
            await send(message)

        await self._app(scope, receive, send_last)

    def end_by(self, seconds: float) -> None:
        """Waits no longer for requests that do not come; call it in the loop.

        Args:
            seconds: float. From now on.
        """
        self._too_late = asyncio.get_running_loop().time() + seconds
        for limit in self._limits:
            self._hurry(limit)

    def _hurry(self, limit):
        when, late = limit.when(), self._too_late
        if late is not None and not limit.expired() and late < (when or late):
            limit.reschedule(late)

    async def _server(self, request: Request) -> Response:
        return JSONResponse(self._service.describe_server())

    async def _live(self, request: Request) -> Response:
        return JSONResponse({"live": True})

    async def _ready(self, request: Request) -> Response:
        ready = self._service.ready
        return JSONResponse({"ready": ready}, 200 if ready else UNAVAILABLE)

    async def _metrics(self, request: Request) -> Response:
        text = await self._in_thread(self._service.metrics.text)
        return Response(text, media_type=CONTENT_TYPE)

    async def _model(self, request: Request) -> Response:
        self._check_model(request)
        return JSONResponse(self._service.describe_model())

    async def _model_ready(self, request: Request) -> Response:
        self._check_model(request)
        ready = self._service.ready
        status = 200 if ready else UNAVAILABLE
        return JSONResponse(
            {"name": self._service.name, "ready": ready}, status
        )

    async def _infer(self, request: Request) -> Response:
        with self._service.counted("http"):
            self._check_model(request)
            body = await self._body(request)
            # Only now: clients that stall shut out nobody.
            with self._service.in_flight():
                return await self._answer_in_turn(request, body)

    async def _answer_in_turn(self, request, body):
        self._held += len(body)
        try:
            # Of one thread, so nothing comes between looking and adding.
            if self._held > HELD * self._max_body:
                raise RequestError(
                    "Too much waits: ask again later.", UNAVAILABLE
                )
            return await self._answer_body(request, body)
        finally:
            self._held -= len(body)

    async def _answer_body(self, request, body):
        if is_picture(body):
            top = _top(request)
            answer = functools.partial(self._answer_picture, body, top)
        else:
            _check_kind(request)
            length = request.headers.get(HEADER_LENGTH)
            answer = functools.partial(self._answer, body, length)
        return await self._in_thread(answer)

    def _answer(self, body, header_length):
        service = self._service
        response = service.infer(read_request(body, header_length))
        written, length = write_response(
            response, service.name, service.version
        )
        if length is None:
            return Response(written, media_type="application/json")
        return Response(
            written,
            media_type="application/octet-stream",
            headers={HEADER_LENGTH: str(length)},
        )

    def _answer_picture(self, body, top):
        return JSONResponse(self._service.infer_picture(body, top))

    def _check_model(self, request):
        parts = request.path_params
        self._service.check_model(parts["name"], parts.get("version", ""))

    async def _body(self, request: Request) -> bytearray:
        """Returns the body, of which no more is kept than may be sent."""
        told = request.headers.get("content-length", "")
        too_large = told.isdecimal() and int(told[:20]) > self._max_body
        far = too_large and int(told[:20]) > self._max_body + DISCARDED
        # This client waits for leave to send it, or is not read to its end.
        if far or (too_large and "expect" in request.headers):
            raise self._too_large()
        try:
            async with asyncio.timeout(BODY_SECONDS) as limit:
                self._limits.add(limit)
                self._hurry(limit)
                try:
                    return await self._read(request, too_large, limit)
                finally:
                    self._coming.pop(limit, None)
                    self._limits.discard(limit)
        except TimeoutError:
            if self._too_late is not None:
                raise RequestError("The server ends.", UNAVAILABLE) from None
            raise RequestError(
                f"The request did not come within {BODY_SECONDS} s, or others "
                "needed its place.",
                TIMED_OUT,
            ) from None
        except ClientDisconnect:
            raise RequestError("The client went away.") from None

    async def _read(self, request, too_large, limit):
        body, size = bytearray(), 0
        async for part in request.stream():
            size += len(part)
            too_large = too_large or size > self._max_body
            if not too_large:
                body += part
                self._coming[limit] = size
                self._make_room()
                continue
            body.clear()
            if size > self._max_body + DISCARDED:
                break
        if too_large:
            raise self._too_large()
        return body

    def _make_room(self):
        """Ends the wait for the oldest bodies where all are too much."""
        total = sum(self._coming.values())
        for limit in list(self._coming):
            if total <= HELD * self._max_body:
                break
            total -= self._coming.pop(limit)
            if not limit.expired():
                limit.reschedule(0)

    def _too_large(self):
        return RequestError(
            f"A request may have {self._max_body:,} bytes at most.", TOO_LARGE
        )

    async def _in_thread(self, function):
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function)


def _check_kind(request):
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise RequestError(
            "Requests are taken as they are, without `Content-Encoding`. "
            f"Received: {shown(encoding)}",
            WRONG_KIND,
        )
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind.startswith(("image/", "multipart/")):
        raise RequestError(
            "An image must be the bytes of a JPEG or a PNG file, and all of "
            "the request: curl --data-binary @photo.jpg. "
            f"Received: {shown(kind)}",
            WRONG_KIND,
        )


def _top(request):
    text = request.query_params.get("top", str(TOP))
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]):
        raise RequestError(
            "`top` must be a number of classes, at least 1. "
            f"Received: {shown(text)}"
        )
    return int(text[:9])


async def _refused(request: Request, error: Exception) -> Response:
    status = getattr(error, "status", 500)
    headers = HEADERS.get(status)
    return JSONResponse({"error": str(error)}, status, headers)


async def _no_such_page(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    headers = getattr(error, "headers", None)
    text = f"There is no {request.method} {shown(request.url.path)}."
    return JSONResponse({"error": text}, status, headers)
