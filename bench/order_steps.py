"""``python -m bench.order_steps STEP``: what a measurement of orders needs of the database.

Each step is a process of its own and prints JSON on stdout.
"""

import json
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import django

SLUG = "bench"
SCHEMA = "t_bench"
SYMBOL = "SPX"
CASH = Decimal(100_000_000_000)
BID, ASK = Decimal("999.50"), Decimal("1000.50")
QUOTE_EVERY_S = 1.0


def setup(accounts: int) -> dict[str, Any]:
    """Make the firm, its owner's key and its accounts; return what a client needs."""
    from accounts.models import Membership
    from accounts.roles import SCOPES_OF_ROLE, Role
    from accounts.services import add_member, create_api_key, create_user
    from marketdata.services import load_reference_data
    from risk.services import default_limits
    from tenants.binding import tenant_bound
    from tenants.services import create_tenant

    now = datetime.now(UTC)
    load_reference_data(now=now)
    tenant = create_tenant(slug=SLUG, name="Bench", now=now)
    user = create_user(email="owner@bench.test", password=secrets.token_urlsafe(16), name="Owner")
    add_member(user=user, tenant=tenant, role=Role.OWNER)
    _, key = create_api_key(
        membership=Membership.objects.get(user=user, tenant=tenant),
        name="bench",
        scopes=sorted(SCOPES_OF_ROLE[Role.OWNER]),
        accounts=None,
        expires_at=None,
        ip_allowlist=[],
        now=now,
    )
    with tenant_bound(tenant.schema_name):
        default_limits(now=now)
        codes = [_account(f"BENCH-{number}", now) for number in range(accounts)]
    return {"key": key, "accounts": codes, "symbol": SYMBOL, "schema": tenant.schema_name}


def _account(code: str, now: datetime) -> str:
    from brokers.models import BrokerConnection
    from brokers.services import open_connection, open_paper_account
    from portfolio.services import deposit
    from trading.vocabulary import Mode

    connection = BrokerConnection.objects.first() or open_connection(
        name="bench", broker="paper", mode=Mode.PAPER, now=now
    )
    account = open_paper_account(
        code=code, name=code, currency="USD", opening_cash=CASH, connection=connection, now=now
    )
    deposit(
        account=account, currency="USD", amount=CASH, ref=f"opening:{code}",
        actor_label="system:bench", now=now,
    )  # fmt: skip
    return code


def keep_quotes() -> dict[str, Any]:
    """Tell a fresh price every second, as a feed would, until killed."""
    import redis
    from django.conf import settings

    from marketdata import quotes
    from trading.market import Quote

    store = redis.Redis.from_url(settings.REDIS_URL)
    while True:
        quote = Quote(
            symbol=SYMBOL, bid=BID, ask=ASK, last=(BID + ASK) / 2, bid_size=Decimal(1_000_000),
            ask_size=Decimal(1_000_000), at=datetime.now(UTC), feed="bench", simulated=True,
        )  # fmt: skip
        store.set(quotes.key(SYMBOL), json.dumps(quotes.quote_json(quote)))
        time.sleep(QUOTE_EVERY_S)


def totals() -> dict[str, Any]:
    """Count what orders left behind, to be compared with the answers that were given."""
    from django.db.models import Sum

    from events.models import Event
    from oms.models import ClOrdId, Command, Order, OrderEvent
    from risk.models import AccountExposure, InstrumentExposure
    from tenants.binding import tenant_bound

    with tenant_bound(SCHEMA):
        held = InstrumentExposure.objects.aggregate(buy=Sum("open_buy_qty"))["buy"]
        open_orders = AccountExposure.objects.aggregate(n=Sum("open_orders"))["n"]
        return {
            "orders": Order.objects.count(),
            "client_ids": ClOrdId.objects.count(),
            "commands": Command.objects.count(),
            "order_events": OrderEvent.objects.count(),
            "stream_events": Event.objects.filter(type="order.accepted").count(),
            "exposure_orders": open_orders or 0,
            "order_qty": str(Order.objects.aggregate(q=Sum("order_qty"))["q"] or 0),
            "exposure_qty": str(held or 0),
        }


def missing() -> dict[str, Any]:
    """Return which of the client ids on stdin have no order."""
    from oms.models import ClOrdId
    from tenants.binding import tenant_bound

    wanted = set(json.load(sys.stdin))
    with tenant_bound(SCHEMA):
        known = set(ClOrdId.objects.values_list("cl_ord_id", flat=True))
    return {"asked": len(wanted), "missing": sorted(wanted - known)}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    step.__name__: step for step in (setup, keep_quotes, totals, missing)
}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(STEPS[sys.argv[1]](*map(int, sys.argv[2:]))))
