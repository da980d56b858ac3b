"""The day's books as the API tells them, and what has to hold between them."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from config.demo_day.day import Firm
from config.demo_day.receipt import Receipt


def show(firm: Firm, receipt: Receipt) -> None:
    """Positions, balances and P&L of one firm."""
    receipt.title(f"Books of {firm.name}")
    for row in firm.client.everything("/positions"):
        receipt.note(
            f"  {row['account']}  {row['symbol']:<6} {row['qty']:>8} @ {_money(row['avg_px'])}"
            f"  mark {_money(row['mark'])}  realised {_money(row['realized_pnl'])}"
            f"  unrealised {_money(row['unrealized_pnl'])} {row['currency']}"
        )
    for row in firm.client.everything("/balances"):
        receipt.note(
            f"  {row['account']}  cash {_money(row['cash'])}  reserved {_money(row['reserved'])}"
            f"  equity {_money(row['equity'])} {row['currency']}"
        )


def check(firm: Firm, receipt: Receipt) -> None:
    """Journal zero, executions equal orders, executions equal positions."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    entries = firm.client.everything("/journal")
    uneven = 0
    for entry in entries:
        entry_sums: dict[str, Decimal] = defaultdict(Decimal)
        for line in entry["lines"]:
            entry_sums[line["currency"]] += Decimal(line["amount"])
            sums[line["currency"]] += Decimal(line["amount"])
        uneven += any(entry_sums.values())
    receipt.expect(
        not any(sums.values()) and not uneven,
        f"{firm.name}: {len(entries)} journal entries, each of them sums to zero",
    )
    executions = firm.client.everything("/executions")
    filled: dict[str, Decimal] = defaultdict(Decimal)
    traded: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    orders = {order["id"]: order for order in firm.client.everything("/orders")}
    for row in executions:
        qty = Decimal(row["last_qty"])
        filled[row["order_id"]] += qty
        account = orders[row["order_id"]]["account"]
        traded[account, row["symbol"]] += qty if row["side"] == "BUY" else -qty
    receipt.expect(
        all(Decimal(order["cum_qty"]) == filled[order_id] for order_id, order in orders.items()),
        f"{firm.name}: {len(executions)} executions equal the filled quantity of every order",
    )
    held = {
        (row["account"], row["symbol"]): Decimal(row["qty"])
        for row in firm.client.everything("/positions")
    }
    receipt.expect(
        all(held.get(key, Decimal(0)) == qty for key, qty in traded.items()),
        f"{firm.name}: fills equal positions",
    )


def check_isolation(firm: Firm, other: Firm, receipt: Receipt) -> None:
    """Neither firm sees the other, under any id."""
    theirs = other.client.everything("/orders")
    mine = {order["id"] for order in firm.client.everything("/orders")}
    stranger = firm.client.get(f"/orders/{theirs[0]['id']}")
    nobody = firm.client.get("/orders/00000000000000000000000000")
    receipt.expect(
        not mine & {order["id"] for order in theirs}
        and stranger.status == nobody.status == 404
        and _without_request(stranger.body) == _without_request(nobody.body),
        f"{firm.name} sees nothing of {other.name}; a foreign order looks like an absent one",
    )


def _without_request(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "request_id"}


def _money(text: str | None) -> str:
    return "-" if text is None else f"{Decimal(text):,.2f}"
