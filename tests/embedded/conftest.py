"""State directories that are thrown away together with whatever servers still run in them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import embedded
from config.embedded import layout, postgres, valkey


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """Data made once without waiting for the disk, for tests that are not about making them."""
    made = Path(tempfile.mkdtemp(prefix="blotter-t-"))
    made.chmod(0o755)
    embedded.start(made, profile="test").release()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def used(state: Path, template: Path) -> Path:
    """A state dir with durable data in it, and no server running."""
    subprocess.run(["cp", "-a", str(template), str(state)], check=True)
    layout.at(state).profile_file.write_text("durable")
    return state


@pytest.fixture
def state() -> Iterator[Path]:
    """A state dir that every account can enter (pytest's own tmp_path is closed to others)."""
    parent = Path(tempfile.mkdtemp(prefix="blotter-t-"))
    parent.chmod(0o755)
    yield parent / "state"
    remove_with_servers(parent / "state")
    shutil.rmtree(parent)


def remove_with_servers(state_dir: Path) -> None:
    place = layout.at(state_dir)
    valkey.stop(place)
    postgres.stop(place)
    if place.sockets.parent != place.server_dir:
        shutil.rmtree(place.sockets, ignore_errors=True)
    if place.server_dir != place.state_dir:
        shutil.rmtree(place.server_dir)
    shutil.rmtree(state_dir, ignore_errors=True)


@pytest.fixture
def bare_environment() -> dict[str, str]:
    """The environment of somebody who has no servers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMS_")}
    for name in ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"):
        kept.pop(name, None)
    return kept
