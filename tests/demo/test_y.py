import re, time, cProfile, pstats
from datetime import UTC, datetime
from config import demo
from tenants.binding import tenant_bound
from tenants.services import create_tenant
from django.db import connection

from collections import Counter

C = Counter()


def test_x(db, fresh_slug):
    now = datetime.now(UTC)
    t = create_tenant(slug=fresh_slug, name="X", now=now)
    n = [0]

    def count(execute, sql, params, many, context):
        n[0] += 1
        C[
            " ".join(sql.split()[:1])
            + " "
            + (re.findall(r"(?:FROM|INTO|UPDATE|path =|SAVEPOINT) (\S+)", sql) or [""])[0][:28]
        ] += 1
        return execute(sql, params, many, context)

    pr = cProfile.Profile()
    b = time.monotonic()
    with connection.execute_wrapper(count):
        demo.ensure_books(t, demo.FIRMS[0], now)
    print("TOOK", time.monotonic() - b, n)
    C2 = Counter()
    for k, v in C.items():
        C2[re.sub(r"s\d+_x\d+|s\d+\S*", "X", k)] += v
    print(*C2.most_common(45), sep="\n")
    # pstats.Stats(pr).sort_stats("cumulative").print_stats(70)
