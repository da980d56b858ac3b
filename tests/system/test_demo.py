"""`make demo` against the running system."""

import re


def test_the_demo_day_holds_and_tells_how_fast_orders_fill(system):
    done = system.command("demo")
    assert done.returncode == 0, done.stdout
    assert "Nothing is running here" not in done.stdout
    told = re.search(r"median (\d+) ms, p95 (\d+) ms, worst (\d+) ms", done.stdout)
    assert told, done.stdout
    print(told.group())
    assert "Everything held." in done.stdout
