"""The instruments themselves: what is sent, what is counted, what is called a difference."""

import asyncio
import json
import threading
from pathlib import Path

import pytest

from bench import counts, lifecycle, orders
from bench.http_load import drive
from bench.lanes import Lane, LaneFailed, Round, taken
from bench.limit import Added, Footprint, Inserted, scripts
from bench.processes import NotStarted, cpu_seconds, step

ULID = "01M7ZHW1K9463ZV09W9HHVNZS7"
FOUND = Footprint(
    inserted=(
        Inserted(
            "t_bench.oms_order",
            (
                ("id", f"E'{ULID}'", "character varying(26)"),
                ("account_id", "E'1'", "bigint"),
                ("at", "E'2026-03-02 15\\x3a00\\x3a00+00'", "timestamp with time zone"),
                ("note", "NULL", "text"),
            ),
        ),
        Inserted("t_bench.oms_command", (("order_id", f"E'for {ULID}'", "text"),)),
    ),
    added=(Added("t_bench.risk_accountexposure", (("open_orders", "1"),)),),
)


def test_the_limit_does_in_one_transaction_what_an_order_leaves_behind():
    one = scripts(FOUND)["one"]
    statements = [line for line in one.splitlines() if not line.startswith("\\set")]
    assert statements[0] == "BEGIN;"
    assert statements[-1] == "COMMIT;"
    assert [line.split("(")[0].strip() for line in statements[1:-1]] == [
        'INSERT INTO t_bench.oms_order',
        'INSERT INTO t_bench.oms_command',
        'UPDATE t_bench.risk_accountexposure SET "open_orders" = "open_orders" + 1 *',
    ]  # fmt: skip


def test_the_same_id_is_replaced_by_the_same_and_no_colon_is_taken_for_a_variable():
    made = scripts(FOUND)
    for name in ("one", "cte", "hot", "batch"):
        assert made[name].count("'0BENC001'") == 2, name
        variables = {part.split(":")[0].split(")")[0] for part in made[name].split(" :")[1:]}
        assert not any(variable[0].isdigit() for variable in variables)
    assert "generate_series(1, 100)" in made["batch"]
    assert '"open_orders" + 100 * (1)' in made["batch"]
    assert ":first_account" in made["hot"]
    assert "random(:first_account, :last_account)" in made["one"]


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        ({"statements": 22.0, "commits": 1.0, "wal_bytes": 5900}, 0),
        ({"statements": 22.0, "commits": 1.0, "wal_bytes": 6100}, 1),
        ({"statements": 23.0, "commits": 1.0, "wal_bytes": 5000}, 1),
        ({"statements": 21.0, "commits": 2.0, "wal_bytes": 5000}, 2),
    ],
)
def test_statements_and_commits_are_compared_exactly_and_bytes_with_slack(found, lines):
    kept = {"single": {"statements": 22.0, "commits": 1.0, "wal_bytes": 5000}}
    assert len(counts.problems({"single": found}, kept)) == lines


def test_a_door_that_nobody_counted_before_is_a_difference():
    assert counts.problems({"new": {"commits": 1.0}}, {}) == [
        "new: 1 commits per order, but counts.json says None"
    ]


class Door:
    """An HTTP server on a unix socket that answers one thing and keeps what it was sent."""

    def __init__(self, socket: Path, status: int) -> None:
        self.sent: list[dict] = []
        self._status = status
        self._socket = socket
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    def __enter__(self):
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    async def _serve(self):
        self._end = asyncio.Event()
        server = await asyncio.start_unix_server(self._client, str(self._socket))
        self._up.set()
        await self._end.wait()
        server.close()

    async def _client(self, reader, writer):
        while head := await reader.read(2**16):
            self.sent.append(json.loads(head.partition(b"\r\n\r\n")[2]))
            writer.write(f"HTTP/1.1 {self._status} x\r\nContent-Length: 2\r\n\r\n{{}}".encode())


def load_of(door, socket):
    with door:
        return drive(
            socket, lambda n: ("/x", {"n": n}), key="k", clients=3, seconds=0, first=10, least=2
        )


def test_each_client_sends_when_its_answer_is_there_and_no_number_twice(tmp_path):
    door = Door(tmp_path / "s", 201)
    load = load_of(door, tmp_path / "s")
    assert sorted(row["n"] for row in door.sent) == [10, 11, 12, 13, 14, 15]
    assert (taken(load), len(load.latencies), load.bodies) == (6, 6, [])


def test_a_refusal_is_no_order(tmp_path):
    load = load_of(Door(tmp_path / "s", 422), tmp_path / "s")
    assert load.bodies == [b"{}"] * 6
    with pytest.raises(LaneFailed, match="422"):
        taken(load)


def lane(name, *rates):
    return Lane(name, None, [Round(rate, 1.0, [0.01, 0.02], 0.5, 0.25) for rate in rates])


def test_ratios_are_of_the_same_round():
    lanes = {"single": lane("single", 10, 100, 40), "limit_one": lane("limit_one", 20, 200, 40)}
    assert orders._ratio(lanes, "single", "limit_one") == (0.5, 0.5, 1.0)
    assert orders._ratio(lanes, "single", "peer") is None


def test_a_result_has_a_reason_for_what_is_missing_and_says_when_the_machine_was_busy():
    lanes = [lane("single", 10, 20), lane("limit_one", 20, 40)]
    result = orders._result(lanes, [0.2, 3.0], {"peer": "no checkout"}, {}, {})
    assert result["lanes"]["peer"] is None
    assert result["ratios"]["single_vs_peer"] is None
    assert result["ratios"]["single_vs_limit"] == 0.5
    assert result["lanes"]["single"]["cpu_us_server"] == pytest.approx(37_500)
    shown = orders.table(result)
    assert "skipped: no checkout" in shown
    assert "THE MACHINE WAS BUSY" in shown


def test_cpu_is_that_of_the_whole_tree_of_processes():
    import os

    used = cpu_seconds(os.getpid())
    assert used is None or used > 0


def test_a_step_that_fails_says_why():
    with pytest.raises(NotStarted, match="No module"):
        step("no.such.module", "x", environment={})


def test_whole_lives_are_of_market_orders():
    from bench.lanes import Door as Served

    door = Served(Path("s"), 1, 2, "k", ("A", "B"))
    path, body = lifecycle._market(door, 7)
    assert path == "/api/v1/orders"
    assert (body["ord_type"], body["account"], "price" in body) == ("MARKET", "B", False)
