"""Gives a single ``manage.py`` command its servers: attached to when they run, else started."""

import atexit
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from config import env
from config.embedded import placing, servers
from config.embedded.errors import REPORTED

LOCAL_PROFILE = "config.settings.local"

WITHOUT_DATABASE = frozenset(
    {
        "bench",  # has servers of its own
        "capabilities",
        "check",
        "collectstatic",
        "compilemessages",
        "demo",  # talks to a running system over HTTP
        "diffsettings",
        "embedded",
        "findstatic",
        "fix_matrix",
        "help",
        "makemessages",
        "openapi",
        "sendtestemail",
        "startapp",
        "startproject",
        "up",
        "venue_simulator",
        "verify_order_life",
        "version",
    }
)
"""Commands that work without a database, or see to the servers themselves."""


def ensure_for_command(argv: Sequence[str]) -> None:
    """Make sure that the command line ``argv`` finds its servers; called before settings load.

    Ends the process with one line when they cannot run. Does nothing when the environment names
    both servers, in another profile than the local one, or for a command that needs no database.
    """
    if os.environ.get("DJANGO_SETTINGS_MODULE", LOCAL_PROFILE) != LOCAL_PROFILE:
        return
    wanted = missing()
    command = argv[1] if len(argv) > 1 else "help"
    if not wanted:
        return
    state_dir = state_dir_of_environment()
    try:
        if command in {"up", "embedded"}:
            placing.settle(state_dir)  # settings are about to ask where the sockets will be
        elif _needs_database(command, argv):
            _attach(state_dir, wanted)
    except REPORTED as failure:
        raise SystemExit(f"Blotter: {failure}") from failure


def missing() -> frozenset[str]:
    """The servers that the environment does not name and that have to be embedded."""
    named = {servers.POSTGRES: env.text("DATABASE_URL"), servers.VALKEY: env.text("REDIS_URL")}
    return frozenset(name for name, url in named.items() if not url)


def state_dir_of_environment() -> Path:
    """The state dir as the settings will read it; they cannot be loaded yet."""
    return env.path("OMS_STATE_DIR", Path(__file__).resolve().parents[2] / ".oms")


def export(hold: servers.Servers, wanted: frozenset[str]) -> None:
    """Put the servers' addresses into the environment, for the settings and for children."""
    if servers.POSTGRES in wanted:
        os.environ["DATABASE_URL"] = hold.database_url
    if servers.VALKEY in wanted:
        os.environ["REDIS_URL"] = hold.redis_url


def _needs_database(command: str, argv: Sequence[str]) -> bool:
    asks_for_help = command.startswith("-") or not {"-h", "--help"}.isdisjoint(argv)
    return command not in WITHOUT_DATABASE and not asks_for_help


def _attach(state_dir: Path, wanted: frozenset[str]) -> None:
    begun = time.monotonic()
    hold = servers.start(state_dir, profile="durable", wanted=wanted)
    export(hold, wanted)
    if hold.started:
        took = time.monotonic() - begun
        names = " and ".join(sorted(hold.started))
        print(f"Blotter: started {names} for this command ({took:.1f} s)", file=sys.stderr)
    atexit.register(_release, hold, os.getpid())
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        # Without a handler a SIGTERM ends Python before atexit, and the servers would stay.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _release(hold: servers.Servers, owner_pid: int) -> None:
    if os.getpid() == owner_pid:  # a forked child inherits the exit handler, not the hold
        hold.release()
