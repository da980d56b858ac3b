"""Starts, shares, revives and stops the pair of servers of one state directory.

Everyone who uses the servers holds a shared lock for life. Who leaves tries to get it alone and
stops the servers only then; the kernel drops the lock on any death, so no list of users can rot.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from config import file_locks, socket_paths
from config.embedded import layout as layouts
from config.embedded import placing, postgres, valkey
from config.embedded.account import Account, servers_account
from config.embedded.errors import EmbeddedError, disk_full, is_disk_full
from config.embedded.layout import Layout
from config.embedded.postgres import Profile

POSTGRES = "Postgres"
VALKEY = "Valkey"
BOTH = frozenset({POSTGRES, VALKEY})
LARGEST_LOG_BYTES = 10 * 1024 * 1024


class Servers:
    """A hold on running servers; ``release`` lets go."""

    def __init__(
        self, layout: Layout, profile: Profile, database: str, wanted: frozenset[str], users: int
    ) -> None:
        self.layout = layout
        self.database_url = layouts.database_url(layout, database)
        self.redis_url = layouts.redis_url(layout)
        self.started: tuple[str, ...] = ()
        self._profile = profile
        self._database = database
        self._wanted = wanted
        self._users: int | None = users
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._letting_go = threading.Event()

    def check_and_revive(self) -> list[str]:
        """Start again whichever server is gone; returns their names. Cheap when both live.

        :raises EmbeddedError: if one does not come back (a full disk).
        """
        for child in list(self._children.values()):
            child.poll()  # collects a killed child, whose zombie would pass for a living process
        if self._letting_go.is_set() or all(
            _IS_RUNNING[name](self.layout) for name in self._wanted
        ):
            return []
        with _disk_failures(self.layout), file_locks.exclusive(self.layout.start_lock):
            if self._letting_go.is_set():
                return []
            return self._start_missing(servers_account())

    def release(self, *, patience_s: float = 20.0) -> bool:
        """Let go; the last user stops the servers. Tells whether they were stopped. Idempotent."""
        self._letting_go.set()
        if self._users is None:
            return False
        try:
            return stop_if_unused(self.layout, users=self._users, patience_s=patience_s)
        finally:
            os.close(self._users)
            self._users = None
            for child in self._children.values():
                child.poll()

    def __enter__(self) -> "Servers":
        return self

    def __exit__(self, *_failure: object) -> None:
        self.release()

    def _start_missing(self, account: Account) -> list[str]:
        """Start what is wanted and does not run; the caller holds the start lock."""
        begun = []
        if VALKEY in self._wanted and not valkey.is_running(self.layout):
            self._children[VALKEY] = valkey.start(self.layout, account, self._profile)
            begun.append(VALKEY)
        if POSTGRES in self._wanted and not postgres.is_running(self.layout):
            self._children[POSTGRES] = postgres.start(self.layout, account, self._profile)
            begun.append(POSTGRES)
        if POSTGRES in self._wanted:
            postgres.ensure_database(self.layout, self._database)
        return begun


_IS_RUNNING: dict[str, Callable[[Layout], bool]] = {
    POSTGRES: postgres.is_running,
    VALKEY: valkey.is_running,
}


def start(
    state_dir: Path,
    *,
    profile: Profile,
    database: str = "blotter",
    wanted: frozenset[str] = BOTH,
) -> Servers:
    """Attach to the servers of ``state_dir``, starting what does not run; returns a hold on them.

    Safe when several processes race and after any of them, or a server, was killed.

    :param profile: ``durable`` for data that matter, ``test`` for the fastest throw-away data.
    :param wanted: which of the two servers; the other is somewhere else.
    :raises EmbeddedError: one line that says what is wrong and what to do.
    """
    layout = placing.settle(state_dir)
    account = servers_account()
    with _disk_failures(layout), file_locks.exclusive(layout.start_lock):
        _make_directories(layout, account)
        _need_same_profile(layout, profile)
        users = file_locks.opened(layout.users_lock)
        try:
            fcntl.flock(users, fcntl.LOCK_SH)
            servers = Servers(layout, profile, database, wanted, users)
            servers.started = tuple(servers._start_missing(account))
        except BaseException:
            if file_locks.try_lock(users, fcntl.LOCK_EX):  # what a failed start began must not stay
                _stopped(layout, 20.0)
            os.close(users)
            raise
    return servers


def stop_if_unused(layout: Layout, *, users: int | None = None, patience_s: float = 20.0) -> bool:
    """Stop the servers unless somebody uses them or asked to keep them; tells whether it did.

    :param users: the caller's own descriptor of the users' lock, if it has one.
    """
    if not layout.users_lock.exists():
        return False
    with file_locks.exclusive(layout.start_lock):
        own = file_locks.opened(layout.users_lock) if users is None else users
        try:
            if is_kept(layout) or not file_locks.try_lock(own, fcntl.LOCK_EX):
                return False
            return _stopped(layout, patience_s)
        finally:
            if users is None:
                os.close(own)


def keep(layout: Layout) -> None:
    """Let the running servers outlive their users, until ``drop_keep`` or their own end."""
    layout.kept_file.write_text(str(postgres.server_pid(layout)))


def drop_keep(layout: Layout) -> None:
    """Undo ``keep``."""
    layout.kept_file.unlink(missing_ok=True)


def is_kept(layout: Layout) -> bool:
    """Whether ``keep`` was asked for these very servers, not for ones before a restart."""
    try:
        return layout.kept_file.read_text() == str(postgres.server_pid(layout))
    except FileNotFoundError:
        return False


def _stopped(layout: Layout, patience_s: float) -> bool:
    had_valkey = valkey.stop(layout, patience_s=min(patience_s, 10.0))
    had_postgres = postgres.stop(layout, patience_s=patience_s)
    return had_valkey or had_postgres


def _make_directories(layout: Layout, account: Account) -> None:
    try:
        socket_paths.made_private(layout.sockets, owner=account.uid, group=account.gid)
    except PermissionError as failure:
        raise EmbeddedError(str(failure)) from failure
    for log in layout.logs.glob("*.log"):
        if log.name in {"postgres.log", "valkey.log"} and log.stat().st_size > LARGEST_LOG_BYTES:
            shutil.move(log, log.with_suffix(".log.1"))


def _need_same_profile(layout: Layout, profile: Profile) -> None:
    """Refuse to run durable data without fsync, and test data as if they were durable."""
    try:
        made_with = layout.profile_file.read_text().strip()
    except FileNotFoundError:
        made_with = ""
    if not made_with:
        layout.profile_file.write_text(profile)
    elif made_with != profile:
        raise EmbeddedError(
            f"The data in {layout.server_dir} are of the profile '{made_with}', not '{profile}': "
            "choose another OMS_STATE_DIR."
        )


@contextlib.contextmanager
def _disk_failures(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        if is_disk_full(failure):
            raise disk_full(layout.server_dir) from failure
        raise
