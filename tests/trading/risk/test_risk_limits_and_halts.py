"""Which limit binds, which halt covers, which order can only reduce, and the table of codes."""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk import (
    DEFAULT_LIMITS,
    RULE_OF,
    RULES,
    BreachCode,
    Limit,
    LimitScope,
    RuleId,
    covers,
    markdown_table,
    most_severe,
    only_reduces,
    resolve,
    unit_of,
    value_problem,
)
from trading.vocabulary import Side

DOCS = Path(__file__).resolve().parents[3] / "docs"
QTY = RuleId.MAX_ORDER_QTY


def firm(value, rule=QTY, *, enabled=True):
    return Limit(LimitScope.TENANT, "", rule, Decimal(value), enabled)


def account(value, code="PAPER-1", rule=QTY, *, enabled=True):
    return Limit(LimitScope.ACCOUNT, code, rule, Decimal(value), enabled)


class TestWhichLimitBinds:
    def test_a_firm_that_said_nothing_has_the_defaults(self):
        assert resolve([], account="PAPER-1") == dict(DEFAULT_LIMITS)

    def test_the_firms_own_word_replaces_the_default_both_ways(self):
        assert resolve([firm(7)], account="PAPER-1")[QTY] == 7
        assert resolve([firm(900_000)], account="PAPER-1")[QTY] == 900_000

    def test_a_rule_the_firm_switched_off_is_off(self):
        assert QTY not in resolve([firm(7, enabled=False)], account="PAPER-1")

    def test_an_account_row_binds_even_where_the_firms_is_off(self):
        assert resolve([firm(7, enabled=False), account(5)], account="PAPER-1")[QTY] == 5

    def test_other_accounts_rows_do_not_matter(self):
        assert resolve([firm(7), account(5, "PAPER-2")], account="PAPER-1")[QTY] == 7

    def test_a_switched_off_account_row_leaves_the_firms(self):
        assert resolve([firm(7), account(5, enabled=False)], account="PAPER-1")[QTY] == 7

    def test_an_account_row_does_not_lift_the_default(self):
        assert resolve([account(900_000)], account="PAPER-1")[QTY] == DEFAULT_LIMITS[QTY]

    @given(first=st.integers(1, 10**9), second=st.integers(1, 10**9))
    def test_the_tighter_of_two_applies_in_either_order(self, first, second):
        rows = [firm(first), account(second)]
        for given_rows in (rows, rows[::-1]):
            assert resolve(given_rows, account="PAPER-1")[QTY] == min(first, second)

    def test_of_two_looks_back_for_equal_orders_the_longer_is_the_tighter(self):
        rule = RuleId.DUPLICATE_ORDER
        for first, second in ((2, 7), (7, 2)):
            rows = [firm(first, rule=rule), account(second, rule=rule)]
            assert resolve(rows, account="PAPER-1")[rule] == 7


@pytest.mark.parametrize(
    ("rule", "value", "is_fine"),
    [
        (RuleId.MAX_ORDER_QTY, "0.5", True),
        (RuleId.MAX_ORDER_QTY, "0", False),
        (RuleId.MAX_ORDER_NOTIONAL, "-1", False),
        (RuleId.MAX_ORDER_NOTIONAL, "NaN", False),
        (RuleId.MAX_ORDER_NOTIONAL, "Infinity", False),
        (RuleId.PRICE_COLLAR, "0.999", True),
        (RuleId.PRICE_COLLAR, "1", False),
        (RuleId.MAX_OPEN_ORDERS, "10", True),
        (RuleId.MAX_OPEN_ORDERS, "10.5", False),
        (RuleId.MAX_ORDERS_PER_SECOND, "10.5", False),
        (RuleId.DUPLICATE_ORDER, "0.25", True),
        (RuleId.DUPLICATE_ORDER, "60", True),
        (RuleId.DUPLICATE_ORDER, "60.1", False),
    ],
)
def test_a_limit_has_to_make_sense_for_its_rule(rule, value, is_fine):
    assert (value_problem(rule, Decimal(value)) is None) == is_fine


@dataclass(frozen=True)
class Stop:
    scope: str
    target: str = ""
    state: str = "HALTED"


NAMES = {"account": "PAPER-1", "symbol": "SPX", "strategy": "trend", "venue": "paper"}


class TestWhatAHaltCovers:
    @pytest.mark.parametrize(
        "halt",
        [
            Stop("tenant"),
            Stop("account", "PAPER-1"),
            Stop("instrument", "SPX"),
            Stop("strategy", "trend"),
            Stop("venue", "paper"),
        ],
    )
    def test_its_own_scope_and_target(self, halt):
        assert covers(halt, **NAMES)

    @pytest.mark.parametrize(
        "halt",
        [
            Stop("account", "PAPER-2"),
            Stop("account", "SPX"),
            Stop("instrument", "IXIC"),
            Stop("strategy", "mean"),
            Stop("venue", "other"),
        ],
    )
    def test_not_another_target(self, halt):
        assert not covers(halt, **NAMES)

    def test_an_order_without_a_strategy_is_under_no_strategy_halt(self):
        names = {**NAMES, "strategy": None, "venue": None}
        assert not covers(Stop("strategy", "trend"), **names)
        assert not covers(Stop("venue", "paper"), **names)

    def test_halted_outweighs_reducing_wherever_it_stands(self):
        reducing, halted = Stop("tenant", state="REDUCING"), Stop("account", "PAPER-1")
        assert most_severe([reducing, halted]) is halted
        assert most_severe([halted, reducing]) is halted
        assert most_severe([reducing]) is reducing
        assert most_severe([]) is None


class TestWhatOnlyReduces:
    @pytest.mark.parametrize(
        ("side", "qty", "position", "expected"),
        [
            (Side.SELL, 10, 10, True),
            (Side.SELL, 11, 10, False),
            (Side.BUY, 10, -10, True),
            (Side.BUY, 11, -10, False),
            (Side.BUY, 1, 10, False),
            (Side.SELL, 1, -10, False),
            (Side.SELL, 1, 0, False),
            (Side.SELL_SHORT, 1, 10, False),
        ],
    )
    def test_towards_zero_and_not_past_it(self, side, qty, position, expected):
        assert (
            only_reduces(
                side=side,
                qty=Decimal(qty),
                position_qty=Decimal(position),
                open_buy_qty=Decimal(0),
                open_sell_qty=Decimal(0),
            )
            is expected
        )

    @given(
        orders=st.lists(st.tuples(st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 50))),
        position=st.integers(-100, 100),
    )
    def test_orders_let_through_one_by_one_never_pass_zero_together(self, orders, position):
        bought = sold = Decimal(0)
        for side, qty in orders:
            if not only_reduces(
                side=side,
                qty=Decimal(qty),
                position_qty=Decimal(position),
                open_buy_qty=bought,
                open_sell_qty=sold,
            ):
                continue
            if side is Side.BUY:
                bought += qty
            else:
                sold += qty
        assert bought <= max(0, -position)
        assert sold <= max(0, position)


class TestCodes:
    def test_every_code_reads_category_then_condition_and_names_its_rule(self):
        for code in BreachCode:
            assert re.fullmatch(r"[A-Z]+(_[A-Z]+)+", code)
            assert RULE_OF[code] in RULES

    def test_every_rule_has_a_function_and_a_unit(self):
        assert set(RULES) == set(RuleId)
        assert all(unit_of(rule) for rule in RuleId)

    def test_the_printed_table_is_the_one_in_the_code(self):
        page = (DOCS / "risk-codes.md").read_text(encoding="utf-8")
        assert markdown_table() in page, (
            "write trading.risk.markdown_table() into docs/risk-codes.md"
        )
