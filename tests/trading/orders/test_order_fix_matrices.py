"""Order state change matrices, played row by row through the core: the published and our own."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from trading.orders.matrix import Compared, play
from trading.orders.matrix_file import MalformedMatrix, Scenario, read_scenarios
from trading.orders.state import OrderState

DATA = Path(__file__).parent / "data"
FILES = ("fix44-order-states.json", "order-lives.json")


def content(name: str) -> dict[str, Any]:
    return json.loads((DATA / name).read_text("utf-8"))


def scenarios() -> list[Scenario]:
    return [scenario for name in FILES for scenario in read_scenarios(content(name))]


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda item: item.id)
def test_matrix(scenario: Scenario) -> None:
    rows = list(play([scenario]))
    assert rows
    for row in rows:
        assert row.passed, (row.step.t, row.note, [f for f in row.figures if not f.agrees])


def published(**row: object) -> dict[str, Any]:
    """One life of an order for 10 with one answer changed."""
    steps: list[dict[str, Any]] = [
        {"t": "1", "dir": "in", "msg": "NewOrderSingle", "ClOrdID": "X", "OrderQty": 10},
        {
            "t": "2",
            "dir": "out",
            "msg": "ExecutionReport",
            "ClOrdID": "X",
            "ExecType": "Trade",
            "OrdStatus": "PartiallyFilled",
            "OrderQty": 10,
            "CumQty": 4,
            "LeavesQty": 6,
            "LastQty": 4,
        },
    ]
    steps[1].update(row)
    return {"scenarios": [{"id": "T", "steps": steps}]}


def only(data: dict[str, Any]) -> Compared:
    (row,) = play(read_scenarios(data))
    return row


def test_a_row_as_published_passes() -> None:
    assert only(published()).passed


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("OrdStatus", "Filled"),
        ("OrderQty", 11),
        ("CumQty", 5),
        ("LeavesQty", 7),
    ],
)
def test_each_field_compared_can_fail(field: str, wrong: object) -> None:
    row = only(published(**{field: wrong}))
    assert not row.passed
    assert field in {figure.name for figure in row.figures if not figure.agrees}


def test_a_duplicate_id_is_refused_and_nothing_else() -> None:
    data = published()
    steps = data["scenarios"][0]["steps"]
    answer = steps[1] | {"ExecType": "OrderStatus", "LastQty": 0}
    steps += [steps[0], answer]
    *_, row = play(read_scenarios(data))
    assert [figure.name for figure in row.figures if not figure.agrees] == ["ExecType"]
    answer["ExecType"] = "Rejected"
    assert all(row.passed for row in play(read_scenarios(data)))


def test_words_may_be_fix_codes() -> None:
    assert only(published(ExecType="F", OrdStatus="1")).passed


def test_what_the_core_cannot_take_fails_with_the_reason() -> None:
    row = only(published(ExecType="TradeCancel", ExecRefID="nothing we know"))
    assert not row.passed
    assert "HELD" in row.note


def replaced_twice(order_qty: int, leaves_qty: int) -> dict[str, Any]:
    """Two replaces pending; the second is told with these figures."""
    data = published()
    steps = data["scenarios"][0]["steps"]
    request = {"t": "3", "dir": "in", "msg": "OrderCancelReplaceRequest", "ClOrdID": "Y"}
    pending = steps[1] | {"ExecType": "PendingReplace", "OrdStatus": "PendingReplace"}
    steps += [
        request | {"OrigClOrdID": "X", "OrderQty": 8},
        request | {"ClOrdID": "Z", "OrigClOrdID": "Y", "OrderQty": 7},
        pending | {"ClOrdID": "Y", "OrigClOrdID": "X"},
        pending
        | {"ClOrdID": "Z", "OrigClOrdID": "X", "OrderQty": order_qty, "LeavesQty": leaves_qty},
    ]
    return data


@pytest.mark.parametrize(
    ("order_qty", "leaves_qty", "passes"),
    [(10, 6, True), (8, 4, True), (7, 3, False), (8, 6, False)],
)
def test_a_second_pending_replace_may_be_told_by_the_first_ones_figures(
    order_qty: int, leaves_qty: int, passes: bool
) -> None:
    *_, row = play(read_scenarios(replaced_twice(order_qty, leaves_qty)))
    assert row.passed is passes


def test_an_alternative_answer_leaves_no_trace() -> None:
    data = published()
    steps = data["scenarios"][0]["steps"]
    other = deepcopy(steps[1]) | {"flag": "alternative_branch", "LastQty": 1, "CumQty": 1}
    steps.insert(1, other | {"LeavesQty": 9})
    first, second = play(read_scenarios(data))
    assert first.passed
    assert second.passed


def test_a_bust_without_reference_is_matched_only_if_one_execution_explains_it() -> None:
    data = published()
    steps = data["scenarios"][0]["steps"]
    bust = steps[1] | {"ExecType": "TradeCancel", "OrdStatus": "New", "CumQty": 0, "LeavesQty": 10}
    steps.append(bust)
    assert [row.passed for row in play(read_scenarios(data))] == [True, True]
    twice = steps[1] | {"CumQty": 8, "LeavesQty": 2}
    bust = twice | {"ExecType": "TradeCancel", "CumQty": 4, "LeavesQty": 6}
    steps[2:] = [twice, bust]
    with pytest.raises(MalformedMatrix, match="2 executions would explain CumQty 4"):
        list(play(read_scenarios(data)))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], 'list "scenarios"'),
        ({"scenarios": {}}, 'list "scenarios"'),
        ({"scenarios": []}, "no scenario"),
        ({"scenarios": [{"steps": []}]}, "scenario 1 is not an object with an id"),
        ({"scenarios": [{"id": "A"}]}, "scenario A has no steps"),
        ({"scenarios": [{"id": "A", "steps": ["x"]}]}, "scenario A step 1"),
        (published(dir="sideways"), "dir 'sideways'"),
        (published(msg="Telegram"), "msg 'Telegram'"),
        (published(msg="NewOrderSingle"), "cannot be out"),
        (published(ExecType=None), "needs ExecType and OrdStatus"),
        (published(OrdStatus="Lost"), "OrdStatus 'Lost'"),
        (published(CumQty="many"), "CumQty 'many'"),
        (published(CumQty=float("nan")), "CumQty nan"),
        (published(OrderQty=True), "OrderQty True"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(data: object, words: str) -> None:
    with pytest.raises(MalformedMatrix) as refused:
        list(play(read_scenarios(data)))
    assert words in str(refused.value)


def test_the_core_is_not_told_what_it_must_work_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that computes another status is caught: the tables are no echo of themselves."""
    monkeypatch.setattr(OrderState, "leaves_qty", property(lambda self: self.order_qty))
    assert not only(published()).passed


# The scenarios of FIX 4.4, volume 4, by group: how many of each letter we know of.
KNOWN = {
    "A.1": 2, "B.1": 6, "C.1": 3, "C.2": 1, "C.3": 3, "D.1": 3, "D.2": 3, "E.1": 4, "F.1": 3,
    "G.1": 3, "H.1": 4, "I.1": 2, "J.1": 4, "K.1": 2, "L.1": 2,
}  # fmt: skip


def test_every_scenario_we_know_of_is_played() -> None:
    published_ones = {item["id"] for item in content(FILES[0])["scenarios"]}
    in_our_words = {item["covers"] for item in content(FILES[1])["scenarios"] if "covers" in item}
    known = {f"{group}.{'abcdef'[n]}" for group, count in KNOWN.items() for n in range(count)}
    assert published_ones | in_our_words == known
    assert not published_ones & in_our_words
