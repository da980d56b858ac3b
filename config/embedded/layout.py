"""Where everything of the embedded servers lies, for one state directory. Starts nothing.

The *state dir* holds what a person looks for: logs, locks, keys, ``run.json``. The *server dir*
holds what the servers own: data, sockets, copied binaries. They are one directory unless the
account that runs the servers cannot reach the state dir; then ``servers_at`` in the state dir
names the other place.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config import socket_paths

SUPERUSER = "postgres"


@dataclass(frozen=True, slots=True)
class Layout:
    """Every path of one pair of servers; nothing here touches the disk."""

    state_dir: Path
    server_dir: Path

    @property
    def postgres_data(self) -> Path:
        """The Postgres data directory, owned by the account that runs the servers."""
        return self.server_dir / "pg"

    @property
    def valkey_data(self) -> Path:
        """Where Valkey keeps its append-only file."""
        return self.server_dir / "redis"

    @property
    def sockets(self) -> Path:
        """The directory of both sockets; in the temp dir when the path would be too long."""
        return socket_paths.fitting(self.server_dir / "s")

    @property
    def valkey_socket(self) -> Path:
        """The socket of the Redis-compatible server."""
        return self.sockets / "valkey.sock"

    @property
    def postgres_socket(self) -> Path:
        """The socket of Postgres; libpq is told its directory."""
        return self.sockets / ".s.PGSQL.5432"

    @property
    def binaries(self) -> Path:
        """Copies of the servers' programs, made only where the originals cannot be executed."""
        return self.server_dir / "bin"

    @property
    def logs(self) -> Path:
        """The directory of every log file."""
        return self.state_dir / "logs"

    @property
    def start_lock(self) -> Path:
        """Held exclusively while servers are set up, started, revived or stopped."""
        return self.state_dir / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Held shared by everyone who uses the servers; who gets it alone may stop them."""
        return self.server_dir / "users.lock"

    @property
    def profile_file(self) -> Path:
        """Which profile the data was made with, so that it is never run with the other."""
        return self.server_dir / "profile"

    @property
    def kept_file(self) -> Path:
        """Names the Postgres process that ``embedded start`` asked to keep running."""
        return self.server_dir / "kept"


def pointer(state_dir: Path) -> Path:
    """The file that names the server dir where it is not the state dir itself."""
    return state_dir / "servers_at"


def at(state_dir: Path) -> Layout:
    """Return the layout of a state dir as it stands now; reads at most the pointer file."""
    state_dir = state_dir.resolve()
    try:
        server_dir = Path(pointer(state_dir).read_text().strip())
    except FileNotFoundError:
        server_dir = state_dir
    return Layout(state_dir=state_dir, server_dir=server_dir)


def database_url(layout: Layout, name: str) -> str:
    """Return libpq's URL of one database on the embedded Postgres."""
    return f"postgresql://{SUPERUSER}@/{quote(name)}?host={quote(str(layout.sockets))}"


def redis_url(layout: Layout, database: int = 0) -> str:
    """Return the URL of the embedded Redis-compatible server."""
    return f"unix://{quote(str(layout.valkey_socket))}?db={database}"
