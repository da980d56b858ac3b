"""One private Postgres on a unix socket: set up, start, find out whether it lives, stop."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from config import foreign_processes as processes
from config.embedded import binaries
from config.embedded.account import Account
from config.embedded.errors import EmbeddedError, disk_full
from config.embedded.layout import SUPERUSER, Layout

if TYPE_CHECKING:
    import psycopg

Profile = Literal["durable", "test"]

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "max_locks_per_transaction": "256",  # one migration of many tenant schemas locks all of them
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}
"""The server's settings in either profile."""

TEST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "autovacuum": "off",
}
"""Never with data that matters: with these a killed server loses its last commits."""

START_TIMEOUT_S = 30.0
RECOVERY_TIMEOUT_S = 300.0
LEAST_FREE_BYTES = 64 * 1024 * 1024
"""Fresh data take 40 MB and one WAL segment 16 MB."""

_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_FORMER_LIVES = re.compile(r"lock file .* already exists|shared memory block .* still in use")


def is_running(layout: Layout) -> bool:
    """Whether a Postgres listens on the socket; it may still be recovering."""
    return processes.listens(layout.postgres_socket)


def server_pid(layout: Layout) -> int | None:
    """The process id that the data directory names, which may be of a process long gone."""
    return _pid_in(layout.postgres_data / "postmaster.pid")


def start(layout: Layout, account: Account, profile: Profile) -> subprocess.Popen[bytes]:
    """Set up the data if there is none, start the server, return when it answers queries.

    The caller holds the start lock and has found that no server listens.

    :raises EmbeddedError: for data of another major version, a full disk, or a server that does
        not come up.
    """
    programs = binaries.postgres_programs(layout, account)
    _need_room(layout)
    if layout.postgres_data.exists():
        _need_same_major(layout, programs)
    else:
        _initialise(layout, account, programs, profile)
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        _remove_foreign_lock_files(layout)
        server, log_start = _launched(layout, account, programs, profile)
        if _came_up(layout, server):
            return server
        said = _log_since(layout, log_start)
        if _FULL.search(said):
            raise disk_full(layout.postgres_data)
        # After a kill its backends need a moment to notice; the kernel's shared memory tells.
        if not _FORMER_LIVES.search(said) or time.monotonic() > deadline:
            fatal = re.findall(r"(?:FATAL|PANIC|ERROR): +(.*)", said) or ["it gave no reason"]
            raise EmbeddedError(
                f"Postgres did not start: {fatal[-1].strip()}. Its log: {_log(layout)}"
            )
        time.sleep(0.1)


def ensure_database(layout: Layout, name: str) -> None:
    """Create the database unless it exists; waits while the server still recovers.

    :raises EmbeddedError: if the server does not accept a connection in time.
    """
    import psycopg
    from psycopg import sql

    with _connection(layout) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except psycopg.errors.DiskFull as failure:
                raise disk_full(layout.postgres_data) from failure


def stop(layout: Layout, *, patience_s: float = 20.0) -> bool:
    """Stop the server; tells whether there was one.

    After ``patience_s`` of an orderly stop it is told to stop at once, which loses nothing that
    was committed: the next start replays the log.
    """
    pid = server_pid(layout)
    if pid is None or not _is_ours(layout, pid):
        return False
    ended = lambda: server_pid(layout) != pid or processes.is_gone(pid)  # noqa: E731
    for sign, wait_s in ((signal.SIGINT, patience_s), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 2.0)):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            break
        if processes.waited(ended, wait_s):
            break
    return True


def _connection(layout: Layout) -> "psycopg.Connection[tuple[Any, ...]]":
    """Connect to the maintenance database, waiting while the server still recovers."""
    import psycopg

    deadline = time.monotonic() + RECOVERY_TIMEOUT_S
    while True:
        try:
            return psycopg.connect(
                host=str(layout.sockets),
                user=SUPERUSER,
                dbname="postgres",
                autocommit=True,
                connect_timeout=10,
            )
        except psycopg.OperationalError as failure:
            # "... starting up", "... in recovery mode", "... not yet accepting connections"
            waits = "the database system is" in str(failure) or "too many clients" in str(failure)
            if not waits or time.monotonic() > deadline:
                reason = " ".join(str(failure).split())
                raise EmbeddedError(f"The embedded Postgres does not answer: {reason}") from failure
            time.sleep(0.1)


def _need_room(layout: Layout) -> None:
    room = os.statvfs(layout.server_dir)
    if room.f_bavail * room.f_frsize < LEAST_FREE_BYTES:
        raise disk_full(layout.postgres_data)


def _need_same_major(layout: Layout, programs: binaries.PostgresPrograms) -> None:
    """Refuse data of another major: starting anew beside them would look like losing them."""
    try:
        made_by = (layout.postgres_data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        raise EmbeddedError(
            f"{layout.postgres_data} is not a Postgres data directory (it has no PG_VERSION): move "
            "it away and start again."
        ) from None
    if made_by != str(programs.major):
        raise EmbeddedError(
            f"The data in {layout.postgres_data} are of Postgres {made_by}, but {programs.server} "
            f"is {programs.major}: set OMS_POSTGRES_BIN to the programs of Postgres {made_by} (to "
            "go on with it, or to pg_dump), or move the data away to begin anew."
        )


def _initialise(
    layout: Layout, account: Account, programs: binaries.PostgresPrograms, profile: Profile
) -> None:
    """Run initdb into a draft that gets its name when whole, so that half data are never used."""
    for stale in layout.server_dir.glob("pg.new*"):
        shutil.rmtree(stale, ignore_errors=True)
    draft = layout.server_dir / f"pg.new{os.getpid()}"
    draft.mkdir(mode=0o700)
    account.own(draft)
    said = ""
    # Not every system knows C.UTF-8; "C" is the locale that all of them have.
    for locale in ("C.UTF-8", "C"):
        done = account.run(
            [
                str(programs.initdb),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                "--auth=trust",
                "--encoding=UTF8",
                f"--locale={locale}",
                *_sync_options(programs, profile),
            ]
        )
        if done.returncode == 0:
            draft.rename(layout.postgres_data)
            return
        said = done.stderr
        if "locale" not in said:
            break
    shutil.rmtree(draft, ignore_errors=True)
    if _FULL.search(said):
        raise disk_full(layout.postgres_data)
    reason = (re.findall(r"(?:error|FATAL): +(.*)", said) or said.splitlines() or ["?"])[-1]
    raise EmbeddedError(f"initdb could not make {layout.postgres_data}: {reason}")


def _sync_options(programs: binaries.PostgresPrograms, profile: Profile) -> list[str]:
    if profile == "test":
        return ["--no-sync"]
    return ["--sync-method=syncfs"] if programs.major >= 17 and sys.platform == "linux" else []


def _launched(
    layout: Layout, account: Account, programs: binaries.PostgresPrograms, profile: Profile
) -> tuple[subprocess.Popen[bytes], int]:
    """Start the process in a session of its own; returns it and where its log begins."""
    settings = SETTINGS | (TEST_SETTINGS if profile == "test" else {})
    directory = str(layout.sockets).replace('"', '""')
    if sys.platform == "linux":
        # Recovery syncs the data first: one call instead of one for each of thousands of files.
        settings |= {"recovery_init_sync_method": "syncfs"}
    settings |= {"unix_socket_directories": f'"{directory}"'}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with _log(layout).open("ab") as log:
        server = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
            [str(programs.server), "-D", str(layout.postgres_data), *options],
            stdout=log,
            stderr=log,
            start_new_session=True,
            **account.process_options(),
        )
        return server, log.tell()


def _came_up(layout: Layout, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server listens (True) or has ended (False)."""

    def up() -> bool:
        return is_running(layout) and server_pid(layout) == server.pid

    processes.waited(lambda: server.poll() is not None or up(), RECOVERY_TIMEOUT_S)
    return server.poll() is None


def _is_ours(layout: Layout, pid: int) -> bool:
    """Whether a process id really is the server of this data: ids are used again."""
    return not processes.is_gone(pid) and str(layout.postgres_data) in processes.command_of(pid)


def _remove_foreign_lock_files(layout: Layout) -> None:
    """Remove lock files of a killed server whose process id is a zombie or another program.

    Postgres itself clears them when the id is free. Its own check of shared memory still refuses
    to start while backends of the killed server live.
    """
    socket = layout.postgres_socket
    for path in (layout.postgres_data / "postmaster.pid", socket.with_name(f"{socket.name}.lock")):
        pid = _pid_in(path)
        if pid is not None and not _is_ours(layout, pid):
            path.unlink(missing_ok=True)


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):
        return None


def _log(layout: Layout) -> Path:
    return layout.logs / "postgres.log"


def _log_since(layout: Layout, start: int) -> str:
    with _log(layout).open("rb") as log:
        log.seek(start)
        return log.read().decode(errors="replace")
