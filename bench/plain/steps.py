"""``python -m bench.plain.steps make KEY ACCOUNT…``: tables and rows of the reference."""

import json
import os
import sys
from decimal import Decimal
from hashlib import sha256

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.plain.settings"
LARGE = Decimal(100_000_000_000)


def make(key: str, *codes: str) -> dict[str, int]:
    """Make everything and return how many accounts there are."""
    from django.core.management import call_command

    from bench.plain.models import Account, Instrument, Key

    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
    Key.objects.create(digest=sha256(key.encode()).hexdigest())
    Instrument.objects.create(symbol="SPX", last=Decimal(1000))
    for code in codes:
        Account.objects.create(code=code, max_qty=LARGE, max_open=LARGE)
    return {"accounts": len(codes)}


def totals() -> dict[str, int]:
    """Count the orders, their events and what is to be sent."""
    from bench.plain.models import Order, OrderEvent, Outbox

    return {
        "orders": Order.objects.count(),
        "events": OrderEvent.objects.count(),
        "outbox": Outbox.objects.count(),
    }


STEPS = {"make": make, "totals": totals}

if __name__ == "__main__":
    django.setup()
    print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
