"""The front: what passes, what is added, and what it says when nobody is behind it."""

import asyncio
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from config.front.proxy import Proxy, Server

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Front:
    """A front on a free port with the given processes behind it."""

    def __init__(self, port: int, sockets: Path) -> None:
        self.port = port
        self.sockets = sockets

    async def exchange(self, raw: bytes) -> bytes:
        """Send bytes as they are and return everything that comes until the connection ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(raw)
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        return answer

    async def get(self, path: str, *headers: str, method: str = "GET") -> tuple[int, dict, bytes]:
        lines = [f"{method} {path} HTTP/1.1", "Host: acme.localhost:8000", "Connection: close"]
        raw = "\r\n".join([*lines, *headers, "", ""]).encode()
        return parsed(await self.exchange(raw))


def parsed(raw: bytes) -> tuple[int, dict, bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    return int(first.split()[1]), fields, body


@asynccontextmanager
async def listening(handler: Handler, *, path: Path) -> AsyncIterator[None]:
    server = web.Server(
        handler, handler_cancellation=True, auto_decompress=False, max_field_size=65536
    )
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    yield
    await runner.cleanup()


@asynccontextmanager
async def front(web_handler: Handler | None, stream_handler: Handler | None = None):
    with tempfile.TemporaryDirectory() as directory:
        sockets = Path(directory)
        proxy = Proxy(sockets / "web.sock", sockets / "stream.sock")
        runner = web.ServerRunner(
            Server(proxy.handle, handler_cancellation=True), shutdown_timeout=0.1
        )
        await runner.setup()
        bound = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, bound).start()
        async with (
            _maybe(web_handler, sockets / "web.sock"),
            _maybe(stream_handler, sockets / "stream.sock"),
        ):
            yield Front(bound.getsockname()[1], sockets)
        await runner.cleanup()
        await proxy.close()


@asynccontextmanager
async def _maybe(handler: Handler | None, path: Path) -> AsyncIterator[None]:
    if handler is None:
        yield
    else:
        async with listening(handler, path=path):
            yield


async def echo(request: web.BaseRequest) -> web.Response:
    """Answer with what arrived."""
    body = await request.read()
    seen = {
        "method": request.method,
        "target": request.raw_path,
        "headers": [[name, value] for name, value in request.headers.items()],
        "body": body.decode("latin-1"),
    }
    return web.json_response(seen, headers={"X-Answer": "yes", "Server": "inner/1.0"})


async def refuse(request: web.BaseRequest) -> web.Response:
    raise AssertionError("the wrong process was asked")


def header(seen: dict, name: str) -> list[str]:
    return [value for key, value in seen["headers"] if key.lower() == name.lower()]


def test_what_a_request_says_arrives_unchanged_and_the_hop_is_named():
    async def check() -> None:
        async with front(echo, refuse) as made:
            status, fields, body = await made.get(
                "/a%2Fb/../c?q=%41&q=&z",
                "X-Forwarded-For: 6.6.6.6",
                "X-Forwarded-User: root",
                "X_Forwarded_For: 6.6.6.6",
                "Authorization: one",
                "Authorization: two",
                "X-Request-Id: mine",
            )
            seen = json.loads(body)
            assert (status, fields["X-Answer"], fields["Server"]) == (200, "yes", "blotter")
            assert seen["target"] == "/a%2Fb/../c?q=%41&q=&z"
            assert header(seen, "Host") == ["acme.localhost:8000"]
            assert header(seen, "X-Forwarded-For") == ["127.0.0.1"]
            assert header(seen, "X-Forwarded-Proto") == ["http"]
            assert header(seen, "X-Forwarded-Host") == ["acme.localhost:8000"]
            assert header(seen, "X-Forwarded-User") == []
            assert header(seen, "X_Forwarded_For") == []
            assert header(seen, "Authorization") == ["one", "two"]
            assert header(seen, "X-Request-Id") == ["mine"]

    asyncio.run(check())


def test_a_token_of_ten_kilobytes_is_the_applications_to_judge():
    async def check() -> None:
        async with front(echo) as made:
            status, _, body = await made.get("/", f"Authorization: Bearer {'x' * 10_240}")
            assert status == 200
            assert len(header(json.loads(body), "Authorization")[0]) == 10_247

    asyncio.run(check())


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
def test_odd_methods_pass(method):
    async def check() -> None:
        async with front(echo) as made:
            status, _, body = await made.get("/x", method=method)
            assert (status, json.loads(body)["method"]) == (200, method)

    asyncio.run(check())


def test_head_keeps_the_length_and_has_no_body():
    async def sized(request: web.BaseRequest) -> web.Response:
        return web.Response(body=b"12345")

    async def check() -> None:
        async with front(sized) as made:
            status, fields, body = await made.get("/", method="HEAD")
            assert (status, fields["Content-Length"], body) == (200, "5", b"")

    asyncio.run(check())


def test_a_body_is_passed_on_before_it_is_complete():
    async def first_bytes(request: web.BaseRequest) -> web.Response:
        return web.Response(body=await request.content.readany())

    async def check() -> None:
        async with front(first_bytes) as made:
            reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nbegin")
            status, _, body = parsed(await asyncio.wait_for(reader.read(4096), 5))
            assert (status, body) == (200, b"begin")
            writer.close()

    asyncio.run(check())


def test_an_early_refusal_of_a_large_body_reaches_the_client():
    async def too_large(request: web.BaseRequest) -> web.Response:
        return web.json_response({"status": 413}, status=413)

    async def check() -> None:
        async with front(too_large) as made:
            body = b"x" * 2_000_000
            answer = await made.exchange(
                b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n"
                b"Content-Length: 2000000\r\n\r\n" + body
            )
            interim, _, final = answer.partition(b"\r\n\r\n")
            assert interim == b"HTTP/1.1 100 Continue"
            assert parsed(final)[0] == 413

    asyncio.run(check())


def test_a_compressed_body_is_not_unpacked_on_the_way():
    async def check() -> None:
        async with front(echo) as made:
            answer = await made.exchange(
                b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Encoding: gzip\r\n"
                b"Content-Length: 8\r\n\r\nnot gzip"
            )
            status, _, body = parsed(answer)
            assert (status, json.loads(body)["body"]) == (200, "not gzip")

    asyncio.run(check())


def test_events_arrive_one_by_one_and_the_stream_ends_with_its_reader():
    gone = asyncio.Event()
    step = asyncio.Event()

    async def events(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await response.write(b"data: 1\n\n")
            await step.wait()
            await response.write(b"data: 2\n\n")
            await asyncio.Event().wait()  # until the reader is gone
        finally:
            gone.set()
        return response

    async def check() -> None:
        async with front(refuse, events) as made:
            reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
            writer.write(b"GET /stream/events HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"data: 1\n\n" in await asyncio.wait_for(reader.readuntil(b"1\n\n"), 5)
            step.set()
            assert b"data: 2\n\n" in await asyncio.wait_for(reader.readuntil(b"2\n\n"), 5)
            writer.close()
            await asyncio.wait_for(gone.wait(), 5)

    asyncio.run(check())


@pytest.mark.parametrize("path", ["/api/v1/orders", "/stream/events"])
def test_nobody_behind_is_503_with_a_time_to_come_back(path):
    async def check() -> None:
        async with front(None) as made:
            status, fields, body = await made.get(path)
            problem = json.loads(body)
            assert (status, fields["Retry-After"]) == (503, "1")
            assert fields["Content-Type"] == "application/problem+json"
            assert problem["code"] == "service_unavailable"
            assert problem["errors"] == []
            assert problem["request_id"] == fields["X-Request-Id"]

    asyncio.run(check())


def test_an_answer_that_was_lost_is_not_called_a_failure():
    async def dies(request: web.BaseRequest) -> web.Response:
        request.transport.abort()
        return web.Response()

    async def check() -> None:
        async with front(dies) as made:
            answer = await made.exchange(
                b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                b"Content-Length: 2\r\n\r\n{}"
            )
            status, _, body = parsed(answer)
            assert (status, json.loads(body)["code"]) == (502, "bad_gateway")
            assert "not known" in json.loads(body)["detail"]

    asyncio.run(check())


def test_half_an_answer_does_not_pass_for_a_whole_one():
    async def breaks_off(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "200000"})
        await response.prepare(request)
        await response.write(b"x" * 100_000)
        request.transport.close()
        return response

    async def check() -> None:
        async with front(breaks_off) as made:
            answer = await made.exchange(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            _, fields, body = parsed(answer)
            assert fields["Content-Length"] == "200000"
            assert len(body) < 200_000

    asyncio.run(check())


@pytest.mark.parametrize(
    "raw",
    [
        b"NOT HTTP\r\n\r\n",
        b"FOO / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"y" * 70_000 + b"\r\n\r\n",
        b"CONNECT evil:80 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_what_is_no_request_is_a_problem_document_too(raw):
    async def check() -> None:
        async with front(refuse) as made:
            status, fields, body = parsed(await made.exchange(raw))
            assert (status, fields["Content-Type"]) == (400, "application/problem+json")
            assert json.loads(body)["status"] == 400

    asyncio.run(check())
