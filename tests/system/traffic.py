"""Three programs of two firms that trade without a pause, and what must be true afterwards."""

import itertools
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from config.demo_day import books
from config.demo_day.client import Answer, Client
from config.demo_day.day import FINAL, Firm
from config.demo_day.receipt import Receipt
from tests.system.running import FIRMS, System, is_trouble, persistently, within

DESKS = (("acme", "PAPER-1"), ("acme", "PAPER-2"), ("globex", "PAPER-1"))
PAUSE_S = 0.15
SETTLED_WITHIN_S = 30


@dataclass
class Desk:
    """One account's program. ``orders`` are those the system acknowledged, by cl_ord_id."""

    slug: str
    account: str
    name: str
    client: Client
    orders: dict[str, str] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def send(self, **terms: Any) -> str:
        """Place one order under an id of its own until it is acknowledged; return our id."""
        cl_ord_id = f"{self.name}-{next(self.numbers)}"
        body = {
            "account": self.account,
            "cl_ord_id": cl_ord_id,
            "symbol": "SPX",
            "allow_duplicate": True,
            **terms,
        }
        answer = persistently(lambda: self.client.post("/orders", body), retries=is_trouble)
        assert answer.status in {200, 201}, f"{cl_ord_id}: {answer.status} {answer.body}"
        self.orders[cl_ord_id] = answer.body["id"]
        return str(answer.body["id"])

    def buy_or_sell(self, side: str) -> str:
        """A small order at the market."""
        return self.send(side=side, ord_type="MARKET", order_qty="2")

    def rest_and_cancel(self) -> None:
        """A limit order nobody meets, taken back at once."""
        order_id = self.send(
            side="BUY", ord_type="LIMIT", order_qty="1", price="50", time_in_force="GTC"
        )
        answer = persistently(
            lambda: self.client.post(f"/orders/{order_id}/cancel", {}), retries=is_trouble
        )
        assert answer.status in {200, 202, 409}, f"cancel: {answer.status} {answer.body}"
        self.cancelled.add(order_id)

    def until_filled(self, order_id: str) -> dict[str, Any]:
        """The order once it is FILLED."""

        def not_yet(answer: Answer) -> bool:
            return answer.status >= 500 or answer.body["ord_status"] != "FILLED"

        answer = persistently(lambda: self.client.get(f"/orders/{order_id}"), retries=not_yet)
        order: dict[str, Any] = answer.body
        return order

    def trade(self, stopping: threading.Event) -> None:
        """Trade until told to stop."""
        for number in itertools.count():
            if number % 5 == 4:
                self.rest_and_cancel()
            else:
                self.buy_or_sell("BUY" if number % 2 else "SELL_SHORT")
            if stopping.wait(PAUSE_S):
                return


class Traffic:
    """The desks at work while the block runs; ``probes`` are for the test's own orders."""

    def __init__(self, system: System, case: str) -> None:
        self._system = system
        self.case = case
        self.desks = [self._desk(slug, account, "f") for slug, account in DESKS]
        self.probes = {slug: self._desk(slug, "PAPER-1", "p", timeout_s=2.0) for slug in FIRMS}
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(len(DESKS))
        self._work: list[Future[None]] = []

    def _desk(self, slug: str, account: str, part: str, **options: float) -> Desk:
        name = f"{self.case}-{part}-{slug}-{account[-1]}"
        return Desk(slug, account, name, self._system.client(slug, **options))

    def __enter__(self) -> "Traffic":
        self._work = [self._pool.submit(desk.trade, self._stopping) for desk in self.desks]
        return self

    def __exit__(self, *_failure: object) -> None:
        """Let the desks finish the order in hand: its acknowledgement is what is checked."""
        self._stopping.set()
        self._pool.shutdown(wait=True)

    def seconds_until_filled(self, since: float) -> float:
        """Have each firm trade once more; return the seconds from ``since`` to the last FILLED."""
        for probe in self.probes.values():
            probe.until_filled(probe.buy_or_sell("BUY"))
        return time.monotonic() - since

    # -- afterwards

    def check(self) -> None:
        """Nothing acknowledged is lost, nothing is doubled, the books of both firms hold."""
        for desk_at_work in self._work:
            desk_at_work.result()
        for slug in FIRMS:
            orders = self._settled(slug)
            self._acknowledged_once(slug, orders)
            self._ended_as_sent(slug, orders)
            self._venue_agrees(slug)
            receipt = Receipt()
            client = self._system.client(slug)
            books.check(Firm(slug, client, "PAPER-1", self.case), receipt)
            assert receipt.failures == []

    def _everyone(self, slug: str) -> list[Desk]:
        return [desk for desk in (*self.desks, *self.probes.values()) if desk.slug == slug]

    def _settled(self, slug: str) -> list[dict[str, Any]]:
        """This case's orders once nothing about them is pending or unknown."""
        client = self._system.client(slug)
        found: list[dict[str, Any]] = []

        def all_final() -> bool:
            found[:] = [
                order
                for order in client.everything("/orders")
                if order["cl_ord_id"].startswith(f"{self.case}-")
            ]
            return all(o["ord_status"] in FINAL and not o["pending"] for o in found)

        settled = within(SETTLED_WITHIN_S, all_final)
        assert settled, [o for o in found if o["ord_status"] not in FINAL or o["pending"]]
        return found

    def _acknowledged_once(self, slug: str, orders: list[dict[str, Any]]) -> None:
        there = Counter((order["account"], order["cl_ord_id"], order["id"]) for order in orders)
        wanted = Counter(
            (desk.account, cl_ord_id, order_id)
            for desk in self._everyone(slug)
            for cl_ord_id, order_id in desk.orders.items()
        )
        assert there == wanted
        assert sum(wanted.values()) >= 5, "too few orders to prove anything"

    def _ended_as_sent(self, slug: str, orders: list[dict[str, Any]]) -> None:
        cancelled = set().union(*(desk.cancelled for desk in self._everyone(slug)))
        filled: dict[str, Decimal] = defaultdict(Decimal)
        for row in self._system.client(slug).everything("/executions"):
            filled[row["order_id"]] += Decimal(row["last_qty"])
        for order in orders:
            expected = "CANCELED" if order["id"] in cancelled else "FILLED"
            assert order["ord_status"] == expected, order
            qty = Decimal(0 if expected == "CANCELED" else order["order_qty"])
            assert filled[order["id"]] == Decimal(order["cum_qty"]) == qty, order

    def _venue_agrees(self, slug: str) -> None:
        """The venue keeps books of its own: nothing reached it twice or without our knowing."""
        client = self._system.client(slug)
        ours = [o["order_id"] for o in client.everything("/orders") if o["order_id"] is not None]
        theirs = [row[0] for row in self._system.rows(slug, "SELECT order_id FROM paper_order")]
        assert sorted(ours) == sorted(theirs)
        held = self._system.rows(
            slug,
            "SELECT a.code, e.symbol, sum(e.qty_delta) FROM paper_execution e"
            " JOIN broker_account a ON a.id = e.account_id GROUP BY 1, 2",
        )
        positions = {
            (row["account"], row["symbol"]): Decimal(row["qty"])
            for row in client.everything("/positions")
        }
        theirs_held = {(account, symbol): qty for account, symbol, qty in held}
        assert {key: qty for key, qty in theirs_held.items() if qty} == {
            key: qty for key, qty in positions.items() if qty
        }
