import time
from datetime import UTC, datetime
from config import demo
from oms.audit import executed_quantities, order_problems
from oms.models import *
from portfolio.audit import check_books
from portfolio.models import *
from portfolio import selectors
from tenants.binding import tenant_bound
from tenants.services import create_tenant
from collections import Counter


def test_x(db, fresh_slug):
    for i, firm in enumerate(demo.FIRMS):
        now = datetime.now(UTC)
        t = create_tenant(slug=fresh_slug + str(i), name="X", now=now)
        b = time.monotonic()
        c = time.process_time()
        demo.ensure_books(t, firm, now)
        print("TOOK", time.monotonic() - b, time.process_time() - c)
        with tenant_bound(t.schema_name):
            print(order_problems(), check_books(executed_quantities()))
            print(
                Counter((o.ord_status) for o in Order.objects.all()),
                Order.objects.count(),
                Execution.objects.count(),
            )
            for o in Order.objects.select_related("account").order_by("id"):
                print(
                    o.created_at.strftime("%a %d %H:%M:%S"),
                    o.account.code,
                    o.strategy,
                    o.side,
                    o.order_qty,
                    o.symbol,
                    o.ord_type,
                    o.price,
                    o.time_in_force,
                    o.ord_status,
                    o.cum_qty,
                    o.ord_rej_reason,
                    o.text[:60],
                    o.orig_cl_ord_id,
                )
            for p in PnlSnapshot.objects.select_related("account").order_by("account_id", "at"):
                if p.at.hour in (21, 18):
                    print(p.account.code, p.at, p.realized, p.fees, p.unrealized, p.equity)
