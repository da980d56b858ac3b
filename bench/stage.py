"""What runs while orders are taken: servers, a firm, prices, our web process and a reference."""

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.http_load import drive
from bench.lanes import Door, LaneFailed
from bench.own_servers import OwnServers, own_servers
from bench.processes import running, step
from config.supervisor.processes import processes

ACCOUNTS = 16
_BY_NAME = 900_000_000  # numbers of orders that are placed one by one


@dataclass(slots=True)
class Stage:
    """Our door, the reference's of the same shape where it was asked for, and their database."""

    servers: OwnServers
    database: "psycopg.Connection[Any]"
    door: Door
    plain: Door | None

    def place(self, *, cl_ord_id: str, number: int) -> None:
        """Send one order through our door and wait for its answer.

        :raises LaneFailed: if it is not taken.
        """
        body = self.door.order(_BY_NAME + number, self.door.accounts[0]) | {"cl_ord_id": cl_ord_id}
        load = drive(
            self.door.socket, lambda _: ("/api/v1/orders", body), key=self.door.key, clients=1,
            seconds=0, first=0, keep=True, least=1,
        )  # fmt: skip
        if dict(load.statuses) != {201: 1}:
            raise LaneFailed(f"order {cl_ord_id} was not taken: {load.bodies}")

    def totals(self) -> dict[str, Any]:
        """Return what orders have left behind so far."""
        found: dict[str, Any] = json.loads(
            step("bench.order_steps", "totals", environment=self.servers.environment)
        )
        return found


@contextmanager
def stage(*, with_prices: bool = True, with_plain: bool = False) -> Iterator[Stage]:
    """Start what is asked for; all of it is gone afterwards.

    Without prices a gateway is expected, whose own feed tells them.
    """
    with ExitStack() as stack:
        servers = stack.enter_context(own_servers())
        step("bench.tenant_steps", "roll_out", environment=servers.environment)
        made = json.loads(
            step("bench.order_steps", "setup", str(ACCOUNTS), environment=servers.environment)
        )
        if with_prices:
            command = [sys.executable, "-m", "bench.order_steps", "keep_quotes"]
            log = servers.state_dir / "quotes.log"
            stack.enter_context(running(command, servers.environment, log=log))
        web = next(one for one in processes(servers.state_dir) if one.name == "web")
        ours = stack.enter_context(
            running(
                web.command,
                servers.environment,
                log=servers.state_dir / "web.log",
                socket=web.sockets[0],
            )
        )
        door = Door(
            web.sockets[0], ours.pid, postgres_pid(servers), made["key"], tuple(made["accounts"])
        )
        database = stack.enter_context(psycopg.connect(servers.hold.database_url, autocommit=True))
        plain = None
        if with_plain:
            database.execute("CREATE DATABASE plain")
            plain = _plain(stack, servers, web.command, door)
        yield Stage(servers, database, door, plain)


def postgres_pid(servers: OwnServers) -> int:
    """Return the process whose tree is the database server."""
    return int((servers.hold.layout.postgres_data / "postmaster.pid").read_text().split()[0])


def _plain(stack: ExitStack, servers: OwnServers, command: tuple[str, ...], ours: Door) -> Door:
    """Start the reference under the same HTTP server as ours, on a database of its own."""
    key = secrets.token_urlsafe(24)
    url = servers.hold.database_url.replace("/blotter?", "/plain?")
    environment = {**servers.environment, "PLAIN_DATABASE_URL": url}
    step("bench.plain.steps", "make", key, *ours.accounts, environment=environment)
    socket = servers.state_dir / "plain.sock"
    ours_to_its = {
        str(ours.socket): str(socket),
        "config.wsgi:application": "bench.plain.wsgi:application",
    }
    process = stack.enter_context(
        running(
            [ours_to_its.get(part, part) for part in command],
            environment,
            log=servers.state_dir / "plain.log",
            socket=socket,
        )
    )
    return Door(socket, process.pid, ours.postgres_pid, key, ours.accounts)
