"""A closed loop of HTTP clients over a unix socket: each sends when its last answer is there."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Make = Callable[[int], tuple[str, Any]]
"""The path and the JSON body of the n-th request."""


@dataclass(slots=True)
class Load:
    """What came back: seconds per answer, answers by status, and bodies where they are kept."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: list[bytes] = field(default_factory=list)
    lost: int = 0
    """Requests whose answer never came, because the connection ended."""


def drive(
    socket: Path,
    make: Make,
    *,
    key: str,
    clients: int,
    seconds: float,
    first: int,
    keep: bool = False,
    least: int = 0,
) -> Load:
    """Send requests number ``first`` and up for ``seconds`` and return once all are answered.

    Each client sends ``least`` requests whatever time it is. Bodies of refusals are kept anyhow.
    """
    return asyncio.run(_drive(socket, make, key, clients, seconds, first, keep, least))


async def _drive(
    socket: Path,
    make: Make,
    key: str,
    clients: int,
    seconds: float,
    first: int,
    keep: bool,
    least: int,
) -> Load:
    load = Load()
    numbers = iter(range(first, first + 10**9))
    begun = time.perf_counter()
    until = begun + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_unix_connection(str(socket))
        sends = 0
        try:
            while (sent := time.perf_counter()) < until or sends < least:
                sends += 1
                writer.write(_request(*make(next(numbers)), key))
                status, body = await _answer(reader)
                load.latencies.append(time.perf_counter() - sent)
                load.statuses[status] += 1
                if keep or status >= 300:
                    load.bodies.append(body)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            load.lost += 1
        finally:
            writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    load.seconds = time.perf_counter() - begun
    return load


def _request(path: str, body: Any, key: str) -> bytes:
    data = json.dumps(body).encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    ).encode() + data


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return status, await reader.readexactly(int(value))
    raise ValueError("an answer without a length")
