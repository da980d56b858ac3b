"""Makes a failing schedule small: steps are taken out as long as it still fails the same way."""

import re

from tests.reliability.schedule import Schedule
from tests.reliability.world import run


def kind_of(failure: BaseException) -> str:
    """What failed, without the numbers and ids that change when steps go."""
    words = re.sub(r"[0-9A-F]{4,}|\d+", "#", str(failure))
    return f"{type(failure).__name__}: {' '.join(words.split()[:4])}"


def fails(schedule: Schedule) -> str | None:
    """How it fails, None if it holds."""
    try:
        run(schedule, replay=True)
    except Exception as failure:  # noqa: BLE001 - any failure is a result here
        return kind_of(failure)
    return None


def shrink(schedule: Schedule, failure: BaseException) -> Schedule:
    """Return the schedule with as few steps as taking out halves, quarters, ... leaves."""
    wanted = fails(schedule) or kind_of(failure)
    steps = list(schedule.steps)
    size = max(len(steps) // 2, 1)
    while True:
        begin, smaller = 0, False
        while begin < len(steps):
            rest = steps[:begin] + steps[begin + size :]
            tried = schedule.with_steps(rest)
            if fails(tried) == wanted:
                steps, smaller = rest, True
            else:
                begin += size
        if size == 1 and not smaller:
            return schedule.with_steps(steps)
        size = max(size // 2, 1)
