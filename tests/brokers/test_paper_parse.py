"""Stored messages of the paper venue read back; what is not understood is said, never guessed."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import brokers.adapters.paper
from brokers.adapters.base import UnreadableMessage
from brokers.adapters.paper.parse import parse
from trading.vocabulary import (
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    ReportSource,
    TimeInForce,
)

FIXTURES = Path(brokers.adapters.paper.__file__).parent / "fixtures"


def stored(name):
    return (FIXTURES / f"{name}.json").read_bytes().strip()


def test_a_trade_carries_figures_fee_and_sequence():
    (report,) = parse(stored("trade"))
    assert report.exec_type is ExecType.TRADE
    assert report.source is ReportSource.VENUE
    assert (report.exec_id, report.venue_seq) == ("PAPER-1.2", 2)
    assert report.transact_time == datetime(2026, 3, 2, 15, 0, 0, 1000, tzinfo=UTC)
    assert (report.last_qty, report.last_px) == (Decimal(4), Decimal(100))
    assert (report.fee, report.fee_currency, report.liquidity) == (Decimal("0.04"), "USD", "TAKER")
    assert (report.order_qty, report.cum_qty, report.leaves_qty) == (10, 4, 6)
    assert report.ord_status is OrdStatus.PARTIALLY_FILLED
    assert report.time_in_force is TimeInForce.DAY
    assert (report.cl_ord_id, report.order_id) == (None, "P1-1")


@pytest.mark.parametrize(
    ("name", "exec_type", "status", "request_id"),
    [
        ("new", ExecType.NEW, OrdStatus.NEW, None),
        ("canceled", ExecType.CANCELED, OrdStatus.CANCELED, "c-001-C1"),
        ("replaced", ExecType.REPLACED, OrdStatus.PARTIALLY_FILLED, "c-001-R1"),
        ("expired", ExecType.EXPIRED, OrdStatus.EXPIRED, None),
        ("rejected", ExecType.REJECTED, OrdStatus.REJECTED, None),
        ("request_refused", ExecType.REQUEST_REFUSED, OrdStatus.CANCELED, "c-001-C2"),
    ],
)
def test_every_kind_of_message(name, exec_type, status, request_id):
    (report,) = parse(stored(name))
    assert (report.exec_type, report.ord_status, report.cl_ord_id) == (
        exec_type,
        status,
        request_id,
    )


def test_refusals_carry_their_reason():
    assert parse(stored("rejected"))[0].ord_rej_reason is OrdRejReason.NO_LIQUIDITY
    assert parse(stored("request_refused"))[0].cxl_rej_reason is CxlRejReason.TOO_LATE


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("exec_type", "EXPLODED"),
        ("ord_status", None),
        ("exec_id", ""),
        ("exec_id", 7),
        ("last_px", 100.0),
        ("last_px", "NaN"),
        ("cum_qty", "ten"),
        ("transact_time", "2026-03-02T15:00:00"),
        ("transact_time", 5),
        ("venue_seq", "x"),
        ("venue_seq", None),
        ("cxl_rej_reason", "MOOD"),
    ],
)
def test_a_value_that_is_not_understood_makes_the_message_unreadable(member, value):
    message = json.loads(stored("trade"))
    message[member] = value
    with pytest.raises(UnreadableMessage):
        parse(json.dumps(message).encode())


@pytest.mark.parametrize("member", ["exec_id", "order_id", "venue_cl_ord_id", "transact_time"])
def test_a_missing_member_is_named(member):
    message = json.loads(stored("trade"))
    del message[member]
    with pytest.raises(UnreadableMessage, match=member):
        parse(json.dumps(message).encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_called_unreadable(raw):
    with pytest.raises(UnreadableMessage):
        parse(raw)


@given(st.integers(0, 400))
def test_a_truncated_message_is_unreadable(cut):
    whole = stored("trade")
    if cut < len(whole):
        with pytest.raises(UnreadableMessage):
            parse(whole[:cut])
