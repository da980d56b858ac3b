"""Passes a request to the process behind and its answer back, streaming both ways."""

import asyncio
import logging
from http import HTTPStatus
from pathlib import Path

import aiohttp
from aiohttp import web, web_protocol
from yarl import URL

from config.front import headers
from config.front.problems import problem

LARGEST_HEADER_BYTES = 64 * 1024
"""The front lets large headers pass: how large a token may be is the application's word."""

LARGEST_HEADER_COUNT = 256
SMALL_BODY_BYTES = 64 * 1024
"""Answers up to this size are sent in one piece with their headers."""

ANSWER_TIMEOUT_S = 120.0
IDLE_CONNECTION_S = 15.0
"""Shorter than any upstream keeps an idle connection, so that the front lets go of it first."""

log = logging.getLogger("blotter.front")
_no_access_log = logging.getLogger("blotter.front.access")
_no_access_log.setLevel(logging.WARNING)  # web and stream log the requests they answer


class Proxy:
    """The routing and the connections to the processes behind."""

    def __init__(self, web_socket: Path, stream_socket: Path) -> None:
        self._web = _session(web_socket, answer_timeout_s=ANSWER_TIMEOUT_S)
        self._stream = _session(stream_socket, answer_timeout_s=None)

    async def close(self) -> None:
        """Drop the connections to the processes behind."""
        await asyncio.gather(self._web.close(), self._stream.close())

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        target = _target(request)
        if target is None:
            return problem(400, "invalid_request_target", "The request names no path here.")
        session = self._stream if request.path.startswith("/stream/") else self._web
        await _let_body_come(request)
        try:
            answer = await session.request(
                request.method,
                target,
                headers=headers.towards_upstream(
                    request.headers, client=request.remote or "", scheme=request.scheme
                ),
                data=request.content if request.body_exists else None,
                allow_redirects=False,
            )
        except aiohttp.ClientConnectorError:
            return problem(
                503,
                "service_unavailable",
                "This part of the system is starting or restarting; nothing was done. Try again.",
                retry_after_s=1,
            )
        except TimeoutError:
            return problem(
                504, "gateway_timeout", f"No answer in {ANSWER_TIMEOUT_S:.0f} s. {_UNSURE}"
            )
        except (aiohttp.ClientError, ConnectionError) as failure:
            log.warning("%s %s: %r", request.method, request.path, failure)
            return problem(502, "bad_gateway", f"The answer was lost. {_UNSURE}", retry_after_s=1)
        async with answer:
            return await _passed_back(request, answer)


_UNSURE = (
    "Whether the request was carried out is not known here: look it up, or repeat it with the same "
    "cl_ord_id or Idempotency-Key."
)


class Server(web.Server):
    """aiohttp's low-level server, whose own errors are problem documents too."""

    def __call__(self) -> web_protocol.RequestHandler:
        """Make the protocol of one connection."""
        return _Protocol(
            self,
            loop=asyncio.get_running_loop(),
            auto_decompress=False,  # a compressed body passes as it came
            max_line_size=LARGEST_HEADER_BYTES,
            max_field_size=LARGEST_HEADER_BYTES,
            max_headers=LARGEST_HEADER_COUNT,
            access_log=_no_access_log,
            lingering_time=2.0,
        )


class _Protocol(web_protocol.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("The answer has begun; it cannot become another one.")
        if status == HTTPStatus.BAD_REQUEST:
            log.info("Refused what is not HTTP: %s", (message or "").splitlines()[:1])
            answer = problem(
                400,
                "invalid_request",
                "This is not a well-formed HTTP request, or a header is too large.",
            )
        else:
            log.error("The front failed", exc_info=exc)
            answer = problem(500, "internal_error", f"The front failed. {_UNSURE}")
        answer.force_close()
        return answer


def _session(socket: Path, *, answer_timeout_s: float | None) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(str(socket), limit=0, keepalive_timeout=IDLE_CONNECTION_S),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=answer_timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        max_line_size=LARGEST_HEADER_BYTES,
        max_field_size=LARGEST_HEADER_BYTES,
    )


def _target(request: web.BaseRequest) -> URL | None:
    """The upstream's URL with path and query exactly as they came; None if there is no path."""
    raw = request.raw_path
    if not raw.startswith("/"):
        if not raw.lower().startswith(("http://", "https://")):
            return None  # CONNECT's authority, or OPTIONS *
        raw = request.rel_url.raw_path_qs
    return URL(f"http://upstream{raw}", encoded=True)


async def _let_body_come(request: web.BaseRequest) -> None:
    """Tell a client that waits for it (Expect: 100-continue) to send its body."""
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # not part of the answer


async def _passed_back(
    request: web.BaseRequest, answer: aiohttp.ClientResponse
) -> web.StreamResponse:
    passed = headers.towards_client(answer.headers)
    length = answer.content_length
    if request.method != "HEAD" and length is not None and length <= SMALL_BODY_BYTES:
        body = await answer.read()
        passed.popall("Content-Length", None)
        return web.Response(status=answer.status, reason=answer.reason, headers=passed, body=body)
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=passed)
    await response.prepare(request)
    try:
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    except aiohttp.ClientError:
        # Half an answer must not look like a whole one: the client sees the connection break.
        log.warning("%s %s: the answer broke off", request.method, request.path)
        if request.transport is not None:
            request.transport.close()
        return response
    await response.write_eof()
    return response
