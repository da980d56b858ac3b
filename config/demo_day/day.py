"""The trading day itself: two firms, every kind of order this system has, every unhappy end."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from config.demo_day.client import Answer, Client
from config.demo_day.receipt import Receipt

PATIENCE_S = 20.0
POLL_S = 0.005
LATENCY_ORDERS = 40
FINAL = {"FILLED", "CANCELED", "REJECTED", "EXPIRED"}


@dataclass
class Firm:
    """One tenant as its program sees it."""

    name: str
    client: Client
    account: str
    run: str

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def place(self, symbol: str, side: str, qty: str, **terms: Any) -> Answer:
        """POST one order under a client id of our own."""
        body = {
            "account": self.account,
            "cl_ord_id": f"{self.run}-{next(self._numbers)}",
            "symbol": symbol,
            "side": side,
            "order_qty": qty,
            **terms,
        }
        return self.client.post("/orders", body)

    def order(self, order_id: str) -> dict[str, Any]:
        """The order as it is now."""
        answer = self.client.get(f"/orders/{order_id}")
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: GET order {order_id}: {answer.status} {answer.body}")
        found: dict[str, Any] = answer.body
        return found

    def until(self, order_id: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Poll the order until ``wanted`` holds. :raises TimeoutError: if it never does."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            order = self.order(order_id)
            if wanted(order):
                return order
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: order {order_id} stays {order['ord_status']}")
            time.sleep(POLL_S)

    def connection(self) -> str:
        """Name of the connection that carries the account."""
        return next(
            str(row["name"])
            for row in self.client.everything("/connections")
            if self.account in row["accounts"]
        )

    def quote(self, symbol: str) -> dict[str, Any]:
        """The present quote."""
        answer = self.client.get(f"/instruments/{symbol}/quote")
        if answer.status != 200:
            raise RuntimeError(f"no quote of {symbol}: {answer.status} {answer.body}")
        found: dict[str, Any] = answer.body
        return found


def is_final(order: dict[str, Any]) -> bool:
    """Nothing more happens to it."""
    return order["ord_status"] in FINAL and not order["pending"]


def has_status(*names: str) -> Callable[[dict[str, Any]], bool]:
    """A condition for ``Firm.until``."""
    return lambda order: order["ord_status"] in names


class TradingDay:
    """Runs the day and writes the receipt."""

    def __init__(self, acme: Firm, globex: Firm, receipt: Receipt) -> None:
        self.acme, self.globex, self.receipt = acme, globex, receipt

    def run(self) -> None:
        """Everything in order; an expectation that does not hold is noted, not raised."""
        quote = self.acme.quote("SPX")
        self.receipt.note(
            f"SPX {quote['bid']} / {quote['ask']}, {quote['feed']}"
            f" (history's own date {str(quote.get('history_at'))[:10]}), simulated prices"
        )
        self.receipt.header()
        self.market_order()
        self.amended_and_cancelled()
        self.immediate_or_cancel()
        self.partial_fill()
        self.refused_by_risk()
        self.halted()
        self.lost_answer()
        self.the_other_firm()

    def _placed(self, firm: Firm, what: str, answer: Answer) -> str | None:
        if answer.status != 201:
            self.receipt.expect(False, f"{what}: {answer.status} {answer.body}")
            return None
        order_id: str = answer.body["id"]
        return order_id

    def _follow(
        self, firm: Firm, what: str, answer: Answer, wanted: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any] | None:
        started = time.perf_counter() - answer.seconds
        order_id = self._placed(firm, what, answer)
        if order_id is None:
            return None
        try:
            order = firm.until(order_id, wanted)
        except TimeoutError as failure:
            self.receipt.expect(False, str(failure))
            return None
        self.receipt.order(firm.name, what, order, time.perf_counter() - started)
        return order

    def market_order(self) -> None:
        """Buys at the market and is filled at once."""
        answer = self.acme.place("SPX", "BUY", "10", ord_type="MARKET")
        order = self._follow(self.acme, "market buy", answer, is_final)
        self.receipt.expect(
            order is not None and order["ord_status"] == "FILLED", "a market order is FILLED"
        )

    def amended_and_cancelled(self) -> None:
        """Rests below the market, gets other terms, is taken back."""
        firm = self.acme
        low = _whole(Decimal(firm.quote("SPX")["bid"]) * Decimal("0.95"))
        answer = firm.place("SPX", "BUY", "20", ord_type="LIMIT", price=low, time_in_force="GTC")
        order = self._follow(firm, "limit buy far below, GTC", answer, has_status("NEW"))
        if order is None:
            return
        lower = _whole(Decimal(low) - 5)
        started = time.perf_counter()
        amended = firm.client.post(
            f"/orders/{order['id']}/replace", {"order_qty": "15", "price": lower}
        )
        self.receipt.expect(amended.status == 202, "a replace is answered 202")
        order = firm.until(order["id"], lambda o: o["order_qty"] == "15" and not o["pending"])
        self.receipt.order(firm.name, "  amended", order, time.perf_counter() - started)
        self.receipt.expect(order["price"] == lower, "the amended price is in force")
        started = time.perf_counter()
        canceled = firm.client.post(f"/orders/{order['id']}/cancel", {})
        self.receipt.expect(canceled.status == 202, "a cancel is answered 202")
        order = firm.until(order["id"], is_final)
        self.receipt.order(firm.name, "  cancelled", order, time.perf_counter() - started)
        self.receipt.expect(order["ord_status"] == "CANCELED", "the order is CANCELED")

    def immediate_or_cancel(self) -> None:
        """Takes what is displayed, the rest is cancelled."""
        firm = self.acme
        quote = firm.quote("IXIC")
        qty = str(int(Decimal(quote["ask_size"])) * 3)
        answer = firm.place(
            "IXIC", "BUY", qty, ord_type="LIMIT", price=_near(quote, 1), time_in_force="IOC"
        )
        order = self._follow(firm, "limit buy 3x the offer, IOC", answer, is_final)
        self.receipt.expect(
            order is not None
            and order["ord_status"] in {"CANCELED", "FILLED"}
            and order["leaves_qty"] == "0",
            "an IOC order rests never",
        )

    def partial_fill(self) -> None:
        """Fills in parts as the offer is renewed."""
        firm = self.acme
        quote = firm.quote("SPX")
        qty = str(int(Decimal(quote["ask_size"])) * 8)
        answer = firm.place("SPX", "BUY", qty, ord_type="LIMIT", price=_near(quote, 5))
        order = self._follow(
            firm,
            "limit buy 8x the offer, DAY",
            answer,
            lambda o: Decimal(o["cum_qty"]) > 0,
        )
        if order is None:
            return
        if order["ord_status"] != "FILLED":
            self.receipt.expect(
                order["ord_status"] == "PARTIALLY_FILLED", "the rest of a DAY order keeps working"
            )
            firm.client.post(f"/orders/{order['id']}/cancel", {})
            order = firm.until(order["id"], is_final)
            self.receipt.order(firm.name, "  its rest cancelled", order, 0)
        rows = firm.client.everything("/executions", order_id=order["id"])
        self.receipt.expect(
            sum(Decimal(row["last_qty"]) for row in rows) == Decimal(order["cum_qty"]),
            f"its {len(rows)} executions add up to cum_qty {order['cum_qty']}",
        )

    def refused_by_risk(self) -> None:
        """Too large: kept as REJECTED with every breach and its numbers."""
        firm = self.acme
        answer = firm.place("SPX", "BUY", "900000", ord_type="MARKET")
        code = (answer.body or {}).get("code", "")
        self.receipt.refusal(firm.name, "market buy 900000", answer.status, code, answer.seconds)
        self.receipt.expect(
            answer.status == 422
            and code == "risk_rejected"
            and answer.body["order"]["ord_status"] == "REJECTED",
            "risk refuses it, lists the breaches and keeps the order",
        )
        for row in (answer.body or {}).get("errors", []):
            self.receipt.note(f"         {row['code']}: {row['message']}")

    def halted(self) -> None:
        """A halt stops new orders, and only them."""
        firm = self.acme
        halt = firm.client.post(
            "/risk/halts",
            {"scope": "account", "target": firm.account, "state": "HALTED", "reason": "demo"},
        )
        self.receipt.expect(halt.status == 201, f"the account is halted ({halt.status})")
        answer = firm.place("SPX", "BUY", "1", ord_type="MARKET")
        code = (answer.body or {}).get("code", "")
        self.receipt.refusal(
            firm.name, "market buy while halted", answer.status, code, answer.seconds
        )
        self.receipt.expect(
            answer.status == 409 and code == "trading_halted", "a halted account takes no order"
        )
        if halt.status == 201:
            lifted = firm.client.post(f"/risk/halts/{halt.body['id']}/lift", {"reason": "demo"})
            self.receipt.expect(lifted.status == 200, "the halt is lifted")
        answer = firm.place("SPX", "SELL", "1", ord_type="MARKET")
        self._follow(firm, "market sell after the lift", answer, is_final)

    def lost_answer(self) -> None:
        """The venue takes the order and its answer is lost: unknown, then found, never resent."""
        firm = self.acme
        set_fault = firm.client.post(
            f"/connections/{firm.connection()}/faults", {"switch": "lose_ack", "times": 1}
        )
        self.receipt.expect(
            set_fault.status in {200, 201}, "the paper venue is told to lose one answer"
        )
        answer = firm.place("SPX", "BUY", "3", ord_type="MARKET")
        order_id = self._placed(firm, "market buy, answer lost", answer)
        if order_id is None:
            return
        order = firm.until(
            order_id,
            lambda o: is_final(o) or any(c["state"] == "UNKNOWN" for c in o["pending"]),
        )
        self.receipt.order(firm.name, "market buy, answer lost", order, answer.seconds)
        self.receipt.expect(
            order["ord_status"] == "PENDING_NEW"
            and [c["state"] for c in order["pending"]] == ["UNKNOWN"],
            "its outcome is called unknown, not guessed",
        )
        started = time.perf_counter()
        order = firm.until(order_id, is_final)
        self.receipt.order(firm.name, "  found at the venue", order, time.perf_counter() - started)
        self.receipt.expect(
            order["ord_status"] == "FILLED" and order["cum_qty"] == "3",
            "the look-up finds it, filled exactly once",
        )

    def the_other_firm(self) -> None:
        """Globex trades the same instruments on an account of the same name."""
        firm = self.globex
        answer = firm.place("SPX", "SELL_SHORT", "25", ord_type="MARKET")
        self._follow(firm, "market short sale", answer, is_final)
        quote = firm.quote("SPX")
        answer = firm.place(
            "SPX", "BUY", "10", ord_type="LIMIT", price=_over(quote), time_in_force="FOK"
        )
        self._follow(firm, "limit buy to cover, FOK", answer, is_final)
        answer = firm.place("IXIC", "BUY", "5", ord_type="MARKET")
        self._follow(firm, "market buy", answer, is_final)

    def latencies(self) -> list[float]:
        """Seconds from sending an order to seeing it FILLED, for small market orders."""
        seconds = []
        for number in range(LATENCY_ORDERS):
            side = "BUY" if number % 2 == 0 else "SELL"
            started = time.perf_counter()
            answer = self.globex.place("IXIC", side, "1", ord_type="MARKET", allow_duplicate=True)
            order_id = self._placed(self.globex, "latency order", answer)
            if order_id is None:
                return []
            self.globex.until(order_id, has_status("FILLED"))
            seconds.append(time.perf_counter() - started)
        return seconds


def _whole(price: Decimal) -> str:
    return str(int(price))


def _near(quote: dict[str, Any], ticks: int) -> str:
    """A limit a few ticks above the offer: it reaches some of the market, not all of it."""
    return str(Decimal(quote["ask"]) + ticks * Decimal("0.01"))


def _over(quote: dict[str, Any]) -> str:
    """A limit the present offer satisfies, a touch above it: replayed prices move meanwhile."""
    return str((Decimal(quote["ask"]) * Decimal("1.002")).quantize(Decimal("0.01")))
