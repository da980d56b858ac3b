"""Runs of the paper venue kept in files, one for each session, where a directory is named."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from brokers.adapters.paper.venue import Recorder


def kept_in(directory: Path, schema: str, connection_id: int, now: datetime) -> Recorder:
    """A recorder that appends to ``<schema>-<connection>-<instant>.jsonl`` in ``directory``."""
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%f")
    path = directory / f"{schema}-{connection_id}-{moment}.jsonl"

    def _append(lines: Sequence[str]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)

    return _append
