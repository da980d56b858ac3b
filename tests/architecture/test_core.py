"""The core computes: exact numbers, values in and values out, nothing of the world outside."""

import ast
import sys

import pytest
from source_tree import dotted, sources, tree_of, walk, where

# Modules of the standard library that reach the outside, the clock, threads or chance.
WORLDLY = {
    "asyncio",
    "concurrent",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
CLOCKS = {"now", "utcnow", "today"}
CLOCK_OWNERS = {"datetime", "date", "datetime.datetime", "datetime.date", "timezone"}


def imported(node):
    """The top-level names an import statement brings in."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def test_the_core_is_there():
    assert len(sources("trading")) > 10


def test_the_core_imports_itself_and_the_calm_part_of_the_standard_library():
    allowed = (set(sys.stdlib_module_names) - WORLDLY) | {"trading"}
    strangers = [
        f"{where(path, node)} imports {name}"
        for path, node in walk("trading")
        for name in imported(node)
        if name.partition(".")[0] not in allowed
    ]
    assert strangers == []


def test_the_core_knows_no_float():
    floats = [
        f"{where(path, node)} {ast.unparse(node)}"
        for path, node in walk("trading")
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        or (isinstance(node, ast.Import) and any(alias.name == "math" for alias in node.names))
    ]
    assert floats == []


def test_the_core_opens_prints_and_asks_nothing():
    calls = [
        f"{where(path, node)} {dotted(node.func)}"
        for path, node in walk("trading")
        if isinstance(node, ast.Call)
        and dotted(node.func) in {"open", "print", "input", "exec", "eval"}
    ]
    assert calls == []


def clock_reads(path):
    """Where a file asks what time it is."""
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Call):
            continue
        owner, _, verb = dotted(node.func).rpartition(".")
        is_clock = (verb in CLOCKS and owner in CLOCK_OWNERS) or dotted(node.func) in {
            "time.time",
            "time.time_ns",
        }
        if is_clock:
            yield where(path, node)


@pytest.mark.parametrize("stem", ["services", "selectors", "models"])
def test_no_clock_below_the_edges(stem):
    files = [path for path in sources() if path.stem == stem or stem in path.parent.parts]
    assert files
    assert [hit for path in files for hit in clock_reads(path)] == []


def test_no_clock_in_the_core():
    assert [hit for path in sources("trading") for hit in clock_reads(path)] == []


def test_the_check_for_clocks_sees_one(tmp_path, monkeypatch):
    monkeypatch.setattr("source_tree.ROOT", tmp_path)
    sample = tmp_path / "sample.py"
    sample.write_text("from datetime import UTC, datetime\n\nx = datetime.now(UTC)\n")
    assert list(clock_reads(sample)) == ["sample.py:3"]
