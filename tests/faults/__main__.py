"""``python -m tests.faults [--json FILE]``: plays every fault at every adapter, prints the matrix.

A row passes where all its tests at that adapter pass. A fault without a test there fails: what was
not tried is not known. The exit status is 0 even so, unless a test failed.
"""

import argparse
import json
import re
from pathlib import Path

import pytest

from brokers.adapters.ib import lib
from tests.faults.table import FAULTS, NOT_APPLICABLE

HERE = Path(__file__).parent
FOLDERS = {
    "ib": ["tests/faults/test_ib.py", "tests/brokers/ib", "tests/corner_cases/test_numbers.py"],
    "ccxt:binance": ["tests/faults/test_binance.py", "tests/brokers/ccxt"],
}
NUMBER = re.compile(r"_f(\d\d)_")
UNTRIED = "no test of this fault at this adapter yet"


class Matrix:
    """Collects what became of every test that names a fault."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str], list[tuple[str, bool]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test counts once: by its call, or by what kept it from being called."""
        named = NUMBER.search(report.nodeid)
        if named is None or (report.when != "call" and report.passed):
            return
        adapter = next(
            (name for name, paths in FOLDERS.items() if report.nodeid.startswith(tuple(paths))), ""
        )
        key = (f"F{named.group(1)}", adapter)
        self.outcomes.setdefault(key, []).append((report.nodeid, report.passed))

    def rows(self) -> list[dict[str, str]]:
        """One row for each fault and adapter."""
        return [
            {"fault": fault, "adapter": shown(adapter), **self._row(fault, adapter)}
            for fault in FAULTS
            for adapter in FOLDERS
        ]

    def _row(self, fault: str, adapter: str) -> dict[str, str]:
        tests = self.outcomes.get((fault, adapter))
        if tests is None:
            reason = NOT_APPLICABLE.get((fault, adapter))
            if reason is not None:
                return {"result": "not_applicable", "detail": reason}
            return {"result": "fail", "detail": UNTRIED}
        failed = [name for name, passed in tests if not passed]
        if failed:
            return {"result": "fail", "detail": ", ".join(failed)}
        return {"result": "pass", "detail": f"{len(tests)} tests"}


def shown(adapter: str) -> str:
    """The adapter's name in the matrix; Interactive Brokers goes by its library."""
    return lib.installed() if adapter == "ib" else adapter


def main() -> int:
    """Run, print and write; returns pytest's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    matrix = Matrix()
    paths = [path for folder in FOLDERS.values() for path in folder]
    status = pytest.main(["-q", "-k", "_f", *paths], plugins=[matrix])
    rows = matrix.rows()
    for row in rows:
        print(f"{row['fault']} {row['adapter']:14} {row['result']:15} {FAULTS[row['fault']]}")
    for result in ("pass", "fail", "not_applicable"):
        print(f"{sum(row['result'] == result for row in rows):4} {result}")
    if options.json is not None:
        options.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    return int(status)


if __name__ == "__main__":
    raise SystemExit(main())
