"""One running system for the whole folder."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import layout
from tests.system.running import FIRMS, STOPPED_WITHIN_S, System, within
from tests.system.sse import EventReader


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything beside this file needs the whole system."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="package")
def system() -> Iterator[System]:
    """Started as `make run` does it; at the end, Ctrl-C leaves nothing behind."""
    parent = Path(tempfile.mkdtemp(prefix="blotter-t-"))
    parent.chmod(0o755)  # as root the servers run as nobody, and would move elsewhere
    made = System(parent / "state")
    try:
        print(f"first start: {made.start():.1f} s")
        yield made
        assert_ctrl_c_leaves_nothing(made)
    finally:
        made.end()
        place = layout.at(made.state)
        shutil.rmtree(place.server_dir, ignore_errors=True)
        if place.sockets.parent != place.server_dir:
            shutil.rmtree(place.sockets, ignore_errors=True)
        shutil.rmtree(parent, ignore_errors=True)


def assert_ctrl_c_leaves_nothing(system: System) -> None:
    """Stop it while a client of each firm follows its stream."""
    readers = [EventReader(system, slug, after=0) for slug in FIRMS]
    try:
        assert within(8, lambda: all(reader.connections for reader in readers))
        took = system.stop()
        left = system.left_behind()
    finally:
        for reader in readers:
            reader.close()
    print(f"stopped in {took:.1f} s")
    assert took < STOPPED_WITHIN_S
    assert left == []
    assert not system.is_ready()
