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
MOST_STREAMS = 20  # one key may have open
PATIENCE_S = 60.0


def measure(*, clients: int, seconds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Connect the clients, tell events for so long, and return how late they came.

    :raises LaneFailed: if a client did not get exactly the events told.
    """
    with own_servers() as servers:
        step("bench.tenant_steps", "roll_out", environment=servers.environment)
        step("bench.order_steps", "setup", "1", environment=servers.environment)
        step("bench.stream_steps", "relay", "0", environment=servers.environment)  # the setup's own
        wanted = -(-clients // MOST_STREAMS)
        text = step("bench.stream_steps", "keys", str(wanted), environment=servers.environment)
        keys = json.loads(text)["keys"]
        stream = next(one for one in processes(servers.state_dir) if one.name == "stream")
        socket = stream.sockets[0]
        log = servers.state_dir / "stream.log"
        load = os.getloadavg()[0]
        with running(stream.command, servers.environment, log=log, socket=socket) as process:
            before = cpu_seconds(process.pid)
            delays = asyncio.run(_listen(socket, keys, clients, seconds, servers.environment, say))
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
    socket: Path, keys: list[str], clients: int, seconds: int, environment: dict[str, str],
    say: Callable[[str], None],
) -> list[float]:  # fmt: skip
    """Return the delay of every delivery, in seconds."""
    told = seconds * PER_SECOND
    opened = [await _opened(socket, keys[number // MOST_STREAMS]) for number in range(clients)]
    say(f"{clients} clients listen; {told} events in {seconds} s")
    listening = asyncio.gather(*(_delays(reader, told) for reader, _ in opened))
    command = [sys.executable, "-m", "bench.stream_steps", "tell", str(seconds), str(PER_SECOND)]
    teller = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        found = await asyncio.wait_for(listening, seconds + PATIENCE_S)
    except (TimeoutError, asyncio.IncompleteReadError) as failure:
        raise LaneFailed(f"not every client got its {told} events: {failure!r}") from failure
    finally:
        await teller.wait()
        for _, writer in opened:
            writer.close()
    return [delay for delays in found for delay in delays]


async def _opened(socket: Path, key: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open one stream from its present end.

    :raises LaneFailed: if the door stays closed.
    """
    reader, writer = await asyncio.open_unix_connection(str(socket), limit=2**20)
    writer.write(
        f"GET /stream/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        "Accept: text/event-stream\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise LaneFailed(f"the stream answers {head[:60]!r}")
    return reader, writer


async def _delays(reader: asyncio.StreamReader, told: int) -> list[float]:
    """Read until ``told`` events have come.

    :raises LaneFailed: if one comes twice.
    """
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
    return delays
