"""kill -9 of the gateway while it keeps fifty stops: none is lost, none goes out twice."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.system.running import System, is_trouble, persistently, within

pytestmark = pytest.mark.timeout(500)
ACCOUNT = "PAPER-4"
"""Of Acme, at the venue without stops."""
STOPS = 50
STEP_BPS = Decimal(8)
"""Apart: a day of the replay, which takes a minute, moves about a per cent."""
FIRES_WITHIN_S = 120
BACK_WITHIN_S = 60


@pytest.fixture
def stops(system: System) -> Iterator[list[str]]:
    """Ids of stops on both sides of the market, held here for a venue without stops."""
    client = system.client("acme")
    quote = persistently(
        lambda: client.get("/instruments/SPX/quote"), retries=lambda answer: answer.status != 200
    )
    last = Decimal(quote.body["last"])
    ids = []
    for number in range(STOPS):
        side, away = ("BUY", 1) if number % 2 else ("SELL", -1)
        stop = last * (1 + away * (number // 2 + 1) * STEP_BPS / 10_000)
        body = {
            "account": ACCOUNT,
            "symbol": "SPX",
            "side": side,
            "ord_type": "STOP",
            "order_qty": "1",
            "stop_px": str(stop.quantize(Decimal("0.01"))),
            "time_in_force": "GTC",
            "cl_ord_id": f"kept-{number}",
            "allow_duplicate": True,
        }
        answer = persistently(lambda one=body: client.post("/orders", one), retries=is_trouble)
        assert answer.status in {200, 201}, answer.body
        ids.append(answer.body["id"])
    yield ids
    swept = client.post("/orders/cancel-all", {"account": ACCOUNT})
    assert swept.status == 202, swept.body


def told(system: System) -> list[tuple[str, str, str | None, int, int, Decimal]]:
    """Of each order: id, status, who holds it, how often it fired and reached the venue, filled."""
    return system.rows(
        "acme",
        f"""
        SELECT o.id, o.ord_status, o.held_by,
               (SELECT count(*) FROM oms_order_event e
                 WHERE e.order_id = o.id AND e.exec_type = 'TRIGGERED'),
               (SELECT count(*) FROM paper_order p
                 WHERE p.account_id = o.account_id AND p.venue_cl_ord_id LIKE o.id || '%'),
               (SELECT coalesce(sum(x.last_qty), 0) FROM oms_execution x WHERE x.order_id = o.id)
          FROM oms_order o JOIN broker_account a ON a.id = o.account_id
         WHERE a.code = '{ACCOUNT}' ORDER BY o.id
        """,
    )


def fired(system: System) -> int:
    """How many have fired so far."""
    return sum(times for _, _, _, times, _, _ in told(system))


def test_a_killed_gateway_loses_no_stop_and_fires_none_twice(system, stops):
    for deaths in range(1, 3):
        before = fired(system)
        killed = system.kill("gateway")
        assert within(BACK_WITHIN_S, lambda one=killed: system.is_back(one))
        assert within(FIRES_WITHIN_S, lambda n=before: fired(system) > n or n == STOPS), (
            f"nothing fires after death {deaths}: {told(system)}"
        )
    assert within(BACK_WITHIN_S, lambda: all(is_settled(row) for row in told(system))), told(system)
    orders = told(system)
    assert [order_id for order_id, *_ in orders] == sorted(stops)
    went = [row for row in orders if row[3]]
    assert all(row[3:] == (1, 1, Decimal(1)) for row in went)
    assert all(row[3:] == (0, 0, Decimal(0)) for row in orders if not row[3])
    print(f"{len(went)} of {STOPS} fired over two deaths, each went out once")


def is_settled(row: tuple[str, str, str | None, int, int, Decimal]) -> bool:
    """Filled after it fired, or kept as it was."""
    _, status, held_by, times, _, _ = row
    return (status, held_by) == (("FILLED", None) if times else ("NEW", "OMS"))
