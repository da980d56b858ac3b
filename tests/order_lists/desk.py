"""A person at the doors of order lists."""

import time
from collections.abc import Callable
from typing import Any

from tests.journeys.cast import PATIENCE_S, Answer, Person


def leg(side: str, price: str | None = None, **terms: Any) -> dict[str, Any]:
    """One leg: a LIMIT where a price is named, a STOP where a ``stop_px`` is, else a MARKET."""
    kind = "LIMIT" if price else "STOP" if terms.get("stop_px") else "MARKET"
    body = {"side": side, "ord_type": kind, "price": price, "time_in_force": "GTC"} | terms
    if body["ord_type"] == "MARKET":
        body["time_in_force"] = "DAY"
    return {name: value for name, value in body.items() if value is not None}


class Lists:
    """What a person does with lists of SPX at their desk."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def place(self, kind: str, *legs: dict[str, Any], **more: Any) -> Answer:
        """POST one list."""
        body = {
            "account": self.person.desk.code,
            "symbol": "SPX",
            "contingency_type": kind,
            "legs": list(legs),
        } | more
        return self.person.post("/order-lists", body)

    def placed(self, kind: str, *legs: dict[str, Any], **more: Any) -> str:
        """POST one list that must be taken; return its id."""
        answer = self.place(kind, *legs, **more)
        assert answer.status == 201, answer.text
        return answer.json["id"]

    def bracket(self, qty: str = "10", entry: str | None = "950.00", **more: Any) -> Answer:
        """A long bracket: entry at 950, target at 1100, stop at 900."""
        legs = (
            leg("BUY", entry, order_qty=qty),
            leg("SELL", "1100.00"),
            leg("SELL", stop_px="900.00"),
        )
        return self.place("OTOCO", *legs, **more)

    def bracket_placed(self, qty: str = "10", **more: Any) -> str:
        """A bracket that must be taken; return its id."""
        answer = self.bracket(qty, **more)
        assert answer.status == 201, answer.text
        return answer.json["id"]

    def get(self, list_id: str) -> dict[str, Any]:
        """The list as it is now."""
        answer = self.person.get(f"/order-lists/{list_id}")
        assert answer.status == 200, answer.text
        return answer.json

    def cancel(self, list_id: str) -> Answer:
        return self.person.post(f"/order-lists/{list_id}/cancel", {})

    def replace(self, list_id: str, *legs: dict[str, Any]) -> Answer:
        return self.person.post(f"/order-lists/{list_id}/replace", {"legs": list(legs)})

    def until(self, list_id: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look until ``wanted`` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not wanted(found := self.get(list_id)):
            assert time.monotonic() < deadline, f"the list stays {summary(found)}"
            time.sleep(0.02)
        return found

    def until_legs(self, list_id: str, *wanted: tuple[str, str, str]) -> dict[str, Any]:
        """Look until the orders stand so (status, order_qty, cum_qty), nothing on its way."""
        return self.until(
            list_id,
            lambda found: (
                summary(found) == list(wanted)
                and not any(one["order"]["pending"] for one in found["legs"])
            ),
        )

    def order_id(self, list_id: str, leg_no: int) -> str:
        """The id of the order with this number in the list."""
        return self.get(list_id)["legs"][leg_no - 1]["order"]["id"]


def summary(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Status, total and executed quantity of every order of a list."""
    orders = [one["order"] for one in found["legs"]]
    return [(one["ord_status"], one["order_qty"], one["cum_qty"]) for one in orders]
