"""``manage.py bench sse``: one stream process, many clients, every event to each of them.

An event's way is measured from its commit's clock to its arrival at a client, on one machine. A
client that misses an event, or gets one twice, makes the run fail.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.lanes import LaneFailed
from bench.own_servers import own_servers
from bench.processes import ROOT, cpu_seconds, running, step
from config.supervisor.processes import processes

PER_SECOND = 5
PATIENCE_S = 60.0


def measure(*, clients: int, seconds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Connect the clients, tell events for so long, and return how late they came.

    :raises LaneFailed: if a client did not get exactly the events told.
    """
    with own_servers() as servers:
        step("bench.tenant_steps", "roll_out", environment=servers.environment)
        made = json.loads(step("bench.order_steps", "setup", "1", environment=servers.environment))
        stream = next(one for one in processes(servers.state_dir) if one.name == "stream")
        socket = stream.sockets[0]
        log = servers.state_dir / "stream.log"
        load = os.getloadavg()[0]
        with running(stream.command, servers.environment, log=log, socket=socket) as process:
            before = cpu_seconds(process.pid)
            delays = asyncio.run(
                _listen(socket, made["key"], clients, seconds, servers.environment, say)
            )
            after = cpu_seconds(process.pid)
    cuts = quantiles(delays, n=100)
    used = None if before is None or after is None else (after - before) / len(delays) * 1e6
    return {
        "subject": "sse",
        "figures": {
            "clients": clients,
            "deliveries": len(delays),
            "p50, ms": cuts[49] * 1000,
            "p99, ms": cuts[98] * 1000,
            "CPU of the stream process per delivery, us": used,
        },
        "load": [load],
    }


def table(result: dict[str, Any]) -> str:
    """Return the figures for people, one to a line."""
    lines = [
        f"{name:<44}{'-' if value is None else f'{value:.1f}':>12}"
        for name, value in result["figures"].items()
    ]
    return "\n".join([*lines, f"load average at the start: {result['load'][0]:.1f}"])


async def _listen(
    socket: Path, key: str, clients: int, seconds: int, environment: dict[str, str],
    say: Callable[[str], None],
) -> list[float]:  # fmt: skip
    """Return the delay of every delivery, in seconds."""
    told = seconds * PER_SECOND
    ready = asyncio.Semaphore(0)
    listening = [asyncio.create_task(_client(socket, key, told, ready)) for _ in range(clients)]
    for _ in range(clients):
        await asyncio.wait_for(ready.acquire(), PATIENCE_S)
    say(f"{clients} clients listen; {told} events in {seconds} s")
    teller = await asyncio.create_subprocess_exec(
        *_tell(seconds), env=environment, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        found = await asyncio.wait_for(asyncio.gather(*listening), seconds + PATIENCE_S)
    except (TimeoutError, asyncio.IncompleteReadError) as failure:
        raise LaneFailed(f"not every client got its {told} events: {failure!r}") from failure
    finally:
        await teller.wait()
    return [delay for delays in found for delay in delays]


def _tell(seconds: int) -> list[str]:
    return [sys.executable, "-m", "bench.stream_steps", "tell", str(seconds), str(PER_SECOND)]


async def _client(socket: Path, key: str, told: int, ready: asyncio.Semaphore) -> list[float]:
    """Read until ``told`` events have come.

    :raises LaneFailed: if one comes twice, or the door is closed.
    """
    reader, writer = await asyncio.open_unix_connection(str(socket), limit=2**20)
    writer.write(
        f"GET /stream/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        "Accept: text/event-stream\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise LaneFailed(f"the stream answers {head[:60]!r}")
    ready.release()
    delays: list[float] = []
    seen: set[str] = set()
    while len(delays) < told:
        line = (await reader.readuntil(b"\n")).strip()
        if not line.startswith(b"data:") or b"occurred_at" not in line:
            continue
        event = json.loads(line[5:])
        if event["id"] in seen:
            raise LaneFailed(f"event {event['id']} came twice")
        seen.add(event["id"])
        happened = datetime.fromisoformat(event["occurred_at"])
        delays.append((datetime.now(UTC) - happened).total_seconds())
    writer.close()
    return delays
