"""The processes of one machine, as data. A new one is a row here."""

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One child of `up`: a name (its log is ``logs/<name>.log``) and its command line."""

    name: str
    command: tuple[str, ...]
    nice: int = 0
    """Added to its niceness: work that can wait yields to what answers a person."""
    sockets: tuple[Path, ...] = ()
    """Unix sockets it binds; what a killed one left there is removed before a start."""
    background: bool = False
    """Whether it starts last, when people can already work: it wakes and repairs, nobody waits."""
    needs_firms: bool = False
    """Whether it starts when the firms are there: it looks for new ones only now and then."""
    inherits_listeners: bool = False
    """Whether the sockets of OMS_PORT, which `up` holds, are handed to it (``--fd``)."""


def processes(sockets: Path) -> tuple[Process, ...]:
    """Return the system's processes in the order in which they start.

    :param sockets: the private directory of the sockets between front, web and stream.
    """
    python = sys.executable
    web, stream = sockets / "web.sock", sockets / "stream.sock"
    granian = (
        *(python, "-m", "granian", "--workers", "1", "--no-access-log", "--log-level", "warning"),
        # An open event stream never ends by itself: without a limit a stop would wait for it.
        *("--workers-kill-timeout", "2"),
    )
    celery = (python, "-m", "celery", "-A", "config.celery")
    manage = (python, "manage.py")
    return (
        Process(
            "front",
            (python, "-m", "config.front", "--web", str(web), "--stream", str(stream)),
            inherits_listeners=True,
        ),
        Process(
            "web",
            (
                *granian,
                *("--interface", "wsgi", "--blocking-threads", "8", "--uds", str(web)),
                "config.wsgi:application",
            ),
            sockets=(web,),
        ),
        Process("gateway", (*manage, "gateway"), needs_firms=True),
        Process(
            "stream",
            (*granian, "--interface", "asgi", "--uds", str(stream), "config.stream.app:app"),
            sockets=(stream,),
        ),
        Process("dispatcher", (*manage, "dispatcher")),
        Process(
            "worker",
            (
                *(*celery, "worker", "--loglevel", "WARNING", "--concurrency", "2"),
                *("--without-gossip", "--without-mingle"),
            ),
            nice=5,
            background=True,
        ),
        Process(
            "beat",
            (
                *(*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""),
                *("--schedule", str(sockets / "beat-schedule")),
            ),
            nice=5,
            background=True,
        ),
    )
