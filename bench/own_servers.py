"""A durable Postgres and a Valkey that live as long as a measurement."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config import embedded

SECRET_KEY = "bench only: the servers it belongs to are thrown away after the measurement"  # noqa: S105


@dataclass(frozen=True, slots=True)
class OwnServers:
    """``environment`` is what a child needs to work on these servers and on nothing else."""

    hold: embedded.Servers
    state_dir: Path
    environment: dict[str, str]


@contextmanager
def own_servers() -> Iterator[OwnServers]:
    """Start the servers in a directory of their own; both are gone afterwards.

    :raises EmbeddedError: if they do not come up.
    """
    state_dir = Path(tempfile.mkdtemp(prefix="blotter-bench-"))
    state_dir.chmod(0o755)  # as root the servers run as nobody, and would move elsewhere
    try:
        with embedded.start(state_dir, profile="durable") as hold:
            environment = {
                **os.environ,
                "DATABASE_URL": hold.database_url,
                "REDIS_URL": hold.redis_url,
                "OMS_STATE_DIR": str(state_dir),
                "SECRET_KEY": SECRET_KEY,
                "DJANGO_SETTINGS_MODULE": "bench.settings",
            }
            yield OwnServers(hold, state_dir, environment)
    finally:
        shutil.rmtree(state_dir, ignore_errors=True)
