"""A bar on a terminal, a line now and then elsewhere: how far a rollout over firms is."""

import time
from collections.abc import Callable
from typing import Any

from tenants.rollout import Progress

WIDTH = 30
EVERY_S = 0.1  # on a terminal
LINE_EVERY_S = 5.0  # elsewhere, where lines stay


class Bar:
    """Shows ``[#####-----] 87 of 200 firms, 1 locked, 2 failed, 12 s left`` of a ``Progress``."""

    def __init__(self, out: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = getattr(out, "_out", out)  # Django's wrapper would end each write with a line
        self._on_terminal = bool(getattr(out, "isatty", lambda: False)())
        self._clock = clock
        self._begun = self._shown = clock()
        self._drawn = False

    def show(self, progress: Progress) -> None:
        """Draw the state unless it was drawn a moment ago; the last one is always drawn."""
        now = self._clock()
        is_last = progress.done + len(progress.failed) == progress.total
        pause = EVERY_S if self._on_terminal else LINE_EVERY_S
        if now - self._shown < pause and not (is_last and self._on_terminal):
            return
        self._shown = now
        line = line_of(progress, now - self._begun)
        self._out.write(f"\r\x1b[2K{line}" if self._on_terminal else f"{line}\n")
        self._out.flush()
        self._drawn = self._on_terminal

    def close(self) -> None:
        """End the line of the bar, if there is one."""
        if self._drawn:
            self._out.write("\n")


def line_of(progress: Progress, seconds: float) -> str:
    """Return the bar with its words; ``seconds`` is how long it has taken so far."""
    over = progress.done + len(progress.failed)
    filled = WIDTH * over // max(progress.total, 1)
    words = [f"{progress.done} of {progress.total} firms"]
    if progress.locked:
        words.append(f"{len(progress.locked)} locked")
    if progress.failed:
        words.append(f"{len(progress.failed)} failed")
    if 0 < over < progress.total:
        words.append(f"{seconds / over * (progress.total - over):.0f} s left")
    return f"[{'#' * filled}{'-' * (WIDTH - filled)}] {', '.join(words)}"
