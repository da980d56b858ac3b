"""``python -m tests.run``: every test but the browser's, in three lanes side by side.

One lane waits for processes it starts and kills, one for gateways and venues, the third computes;
on two cores they take little longer together than the longest alone. Each has servers of its own.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAITING = ("system", "embedded", "stream", "portal_live", "events")
TRADING = ("brokers", "corner_cases", "demo", "faults", "journeys", "oms", "order_lists")
APART = ("e2e",)
FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/\S+::.+?)(?: - .*)?$", re.MULTILINE)
COUNT = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed)\b")
HERE = Path(__file__).parent


def lanes() -> dict[str, list[str]]:
    """Folders by lane; a new folder joins the computing lane by itself."""
    folders = sorted(
        path.name
        for path in HERE.iterdir()
        if path.is_dir() and path.name not in APART and any(path.rglob("test_*.py"))
    )
    return {
        "waiting": [f"tests/{name}" for name in folders if name in WAITING],
        "trading": [f"tests/{name}" for name in folders if name in TRADING],
        "computing": [f"tests/{name}" for name in folders if name not in (*WAITING, *TRADING)],
    }


def again(failed: list[str]) -> int:
    """Run what failed on two busy cores once more, alone; returns the exit status."""
    print(f"== {len(failed)} failed and are run once more, alone", flush=True)
    return subprocess.run([sys.executable, "-m", "pytest", "-q", *failed], check=False).returncode


def main(options: list[str]) -> int:
    """Run the lanes, show what each printed, and close with the sums; returns the exit status."""
    begun = time.monotonic()
    running = {}
    for name, folders in lanes().items():
        output = tempfile.TemporaryFile()  # noqa: SIM115 - read when the lane has ended
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        process = subprocess.Popen([*command, *folders, *options], stdout=output, stderr=-2)
        running[name] = (process, output)
    sums = dict.fromkeys(("passed", "failed", "skipped"), 0)
    status = 0
    failed: list[str] = []
    for name, (process, output) in running.items():
        status = process.wait() or status
        output.seek(0)
        text = output.read().decode(errors="replace")
        print(f"== {name} lane\n{text}", flush=True)
        failed += FAILED.findall(text)
        for number, word in COUNT.findall(text.rstrip().rpartition("\n")[2]):
            kept = {"passed": "passed", "xfailed": "passed", "skipped": "skipped"}
            sums[kept.get(word, "failed")] += int(number)
    if failed and len(failed) == sums["failed"] and not again(failed):
        print(f"{len(failed)} failed beside other tests and passed alone: {', '.join(failed)}")
        sums = {**sums, "passed": sums["passed"] + len(failed), "failed": 0}
        status = 0
    print(f"the lanes took {time.monotonic() - begun:.0f} s")
    print(f"{sums['passed']} passed, {sums['failed']} failed, {sums['skipped']} skipped")
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
