"""Stop and start again: the same data, and one clear line for each start that cannot be."""

import time

from tests.system.conftest import assert_ctrl_c_leaves_nothing
from tests.system.running import FIRMS, System, free_port
from tests.system.traffic import Traffic

LISTS = ("/orders", "/executions", "/positions", "/journal", "/events")


def kept(system: System) -> dict[tuple[str, str], list[object]]:
    """What must outlive a stop. Marks move with the market, what is held does not."""
    moving = {"mark", "unrealized_pnl", "market_value", "marked_at", "mark_at", "simulated"}
    return {
        (slug, path): [
            {name: value for name, value in row.items() if name not in moving}
            for row in system.client(slug).everything(path)
        ]
        for slug in FIRMS
        for path in LISTS
    }


def trade_a_little(system: System, case: str) -> None:
    with Traffic(system, case) as traffic:
        time.sleep(1)
        traffic.seconds_until_filled(time.monotonic())
    traffic.check()


def test_a_stop_loses_nothing_and_the_second_start_goes_on(system):
    trade_a_little(system, "before")
    before, credentials = kept(system), system.run["tenants"]
    assert all(before[slug, "/orders"] for slug in FIRMS)

    assert_ctrl_c_leaves_nothing(system)
    print(f"second start: {system.start():.1f} s")

    assert system.run["tenants"] == credentials
    after = kept(system)
    for key, rows in before.items():
        if key[1] == "/events":  # connections go down and up with the gateway
            assert after[key][: len(rows)] == rows
        else:
            assert after[key] == rows, key
    trade_a_little(system, "after")


def test_a_second_up_on_the_same_state_is_one_line(system):
    second = system.command("up", port=free_port())
    assert second.returncode == 1
    assert second.stdout.count("\n") == 1
    assert second.stdout.startswith(
        f"Blotter: Already running on {system.state} (process {system.up.pid}):"
    )


def test_a_taken_port_is_one_line(system):
    other = System(system.state.with_name("other"))
    taken = other.command("up", port=system.port)
    assert taken.returncode == 1
    assert taken.stdout.count("\n") == 1
    assert taken.stdout.startswith(f"Blotter: Port {system.port} cannot be used (")
    assert not other.left_behind()
