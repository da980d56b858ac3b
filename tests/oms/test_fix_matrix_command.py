"""``manage.py fix_matrix``: one line per row, a closing count, and an exit status that tells."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

FILE = Path(__file__).parents[1] / "trading/orders/data/fix44-order-states.json"


def run(path: Path) -> list[str]:
    out = StringIO()
    call_command("fix_matrix", str(path), stdout=out)
    return out.getvalue().splitlines()


def test_the_published_rows_pass() -> None:
    *rows, closing = run(FILE)
    assert closing == f"{len(rows)} passed, 0 failed"
    assert all(row.startswith("ok ") for row in rows)


def test_a_row_that_differs_fails_the_command(tmp_path: Path) -> None:
    content = json.loads(FILE.read_text("utf-8"))
    content["scenarios"][0]["steps"][-1]["CumQty"] = 9999
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(content))
    out = StringIO()
    with pytest.raises(CommandError, match="1 rows differ") as failed:
        call_command("fix_matrix", str(wrong), stdout=out)
    assert failed.value.returncode == 1
    assert "FAIL A.1.a" in out.getvalue()
    assert "CumQty=10000 (published 9999)" in out.getvalue()


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "not JSON"), ("[]", "scenarios"), ('{"scenarios": [{"id": "A"}]}', "A has no steps")],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str, words: str) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(text)
    with pytest.raises(CommandError, match=words) as failed:
        run(bad)
    assert failed.value.returncode == 2


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "none.json")
