"""One private Redis-compatible server on a unix socket. What is money never lies here."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path

from config import foreign_processes as processes
from config.embedded import binaries
from config.embedded.account import Account
from config.embedded.errors import EmbeddedError, disk_full
from config.embedded.layout import Layout
from config.embedded.postgres import Profile

START_TIMEOUT_S = 30.0


def is_running(layout: Layout) -> bool:
    """Whether a server answers on the socket; one that still loads its data does."""
    return _asked(layout, b"PING").startswith((b"+PONG", b"-LOADING"))


def start(layout: Layout, account: Account, profile: Profile) -> subprocess.Popen[bytes]:
    """Start the server and return when it answers; the caller holds the start lock.

    Data that this server cannot read (a broken file, a newer server's format) are moved aside:
    losing what is in Redis loses nothing.

    :raises EmbeddedError: for a full disk, or a server that does not come up.
    """
    program = binaries.valkey_program(layout, account)
    if not layout.valkey_data.exists():
        layout.valkey_data.mkdir(mode=0o700)
        account.own(layout.valkey_data)
    said = ""
    for attempt in (1, 2):
        server, said = _attempted(layout, account, program, profile)
        if server is not None:
            return server
        if re.search(r"No space left|Disk quota exceeded", said):
            raise disk_full(layout.valkey_data)
        if attempt == 1:
            aside = layout.server_dir / f"redis.unreadable-{time.time_ns()}"
            layout.valkey_data.rename(aside)
            layout.valkey_data.mkdir(mode=0o700)
            account.own(layout.valkey_data)
    reason = (said.strip().splitlines() or ["it gave no reason"])[-1]
    raise EmbeddedError(f"Valkey did not start: {reason}. Its log: {_log(layout)}")


def stop(layout: Layout, *, patience_s: float = 10.0) -> bool:
    """Let the server write what it has and end; tells whether there was one."""
    if not is_running(layout):
        return False
    _asked(layout, b"SHUTDOWN")
    return processes.waited(lambda: not processes.listens(layout.valkey_socket), patience_s)


def _attempted(
    layout: Layout, account: Account, program: Path, profile: Profile
) -> tuple[subprocess.Popen[bytes] | None, str]:
    """Start once; returns the process when it answers, else None, and what it logged."""
    command = [
        str(program),
        *("--port", "0"),
        *("--unixsocket", str(layout.valkey_socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(layout.valkey_data)),
        *("--save", ""),
        *("--appendonly", "yes" if profile == "durable" else "no"),
        *("--loglevel", "warning"),
    ]
    with _log(layout).open("ab") as log:
        begin = log.seek(0, os.SEEK_END)
        server = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            **account.process_options(),
        )
    answers = processes.waited(
        lambda: server.poll() is not None or is_running(layout), START_TIMEOUT_S
    )
    if answers and server.poll() is None:
        return server, ""
    server.kill()
    server.wait()
    with _log(layout).open("rb") as log:
        log.seek(begin)
        return None, log.read().decode(errors="replace")


def _asked(layout: Layout, command: bytes) -> bytes:
    """Send one inline command; returns the first bytes of the answer, none when nobody listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2.0)
        try:
            connection.connect(str(layout.valkey_socket))
            connection.sendall(command + b"\r\n")
            return connection.recv(64)
        except OSError:
            return b""


def _log(layout: Layout) -> Path:
    return layout.logs / "valkey.log"
