"""A pytest plugin (``-p tests.servers``): Postgres and a Redis for this run, before settings load.

Servers named by DATABASE_URL and REDIS_URL are used as they are. Otherwise a throw-away pair
starts in a directory of its own and ends with the run.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path


def _start() -> None:
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    from config import embedded

    state_dir = Path(tempfile.mkdtemp(prefix="blotter-test-"))
    state_dir.chmod(0o755)  # as root the servers run as nobody, and would move elsewhere
    servers = embedded.start(state_dir, profile="test", database="blotter")
    os.environ["DATABASE_URL"] = servers.database_url
    os.environ["REDIS_URL"] = servers.redis_url
    os.environ["OMS_STATE_DIR"] = str(state_dir)

    def stop() -> None:
        servers.release()
        shutil.rmtree(state_dir, ignore_errors=True)

    atexit.register(stop)


_start()
