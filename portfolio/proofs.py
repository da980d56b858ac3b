"""Proofs about the books that read all of them; the worker does them every few minutes."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from common.numbers import dec_str
from events.models import Proof
from events.services import keep_proof
from portfolio.models import Balance, JournalLine
from tenants.binding import require_bound


def prove_trial_balance(*, now: datetime) -> Proof:
    """Add up every line of the bound firm's journal by currency; all sums must be zero.

    The balances people see have to add up to zero as well: they are kept beside the lines.
    """
    require_bound()
    sums = dict(
        JournalLine.objects.order_by()
        .values("currency")
        .annotate(total=Sum("amount"))
        .values_list("currency", "total")
    )
    off = {currency: total for currency, total in sums.items() if total != 0}
    wrong = [f"journal {dec_str(total)} {currency}" for currency, total in sorted(off.items())]
    for row in (
        Balance.objects.order_by()
        .values_list("currency")
        .annotate(
            Sum("cash"), Sum("position_cost"), Sum("fees"), Sum("realized_pnl"), Sum("capital")
        )
    ):
        total = sum(row[1:], Decimal(0))
        if total != 0:
            wrong.append(f"balances {dec_str(total)} {row[0]}")
    return keep_proof(
        name="ledger",
        figure="0" if not wrong else "not 0",
        detail=f"journal and balances sum to zero in {', '.join(sorted(sums)) or 'no currency'}",
        problem="; ".join(wrong),
        now=now,
    )
