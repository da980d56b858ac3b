"""A client of /stream/events that goes on where it was, whatever happens to the connection."""

import contextlib
import http.client
import json
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from tests.system.running import System

SILENCE_S = 8.0  # a heartbeat comes every five seconds


class EventReader:
    """Follows one firm's events from a position on; ``positions`` is everything it was sent."""

    def __init__(self, system: System, slug: str, *, after: int) -> None:
        tenant = system.tenant(slug)
        parts = urlsplit(tenant["connect_url"])
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._headers = {"Authorization": f"Bearer {tenant['api_key']}"}
        self._stopping = threading.Event()
        self._socket: socket.socket | None = None
        self.slug = slug
        self.after = after
        self.positions: list[int] = []
        self.events: list[dict[str, Any]] = []
        self.connections = 0
        self._thread = threading.Thread(target=self._run, name=f"events of {slug}", daemon=True)
        self._thread.start()

    @property
    def last(self) -> int:
        """The position it has read up to."""
        return self.positions[-1] if self.positions else self.after

    def has_seen(self, order_id: str, type_: str = "order.filled") -> bool:
        """Whether this event of an order has arrived."""
        return any(
            event["subject"] == order_id and event["type"] == type_ for event in list(self.events)
        )

    def close(self) -> None:
        """Hang up."""
        self._stopping.set()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(SILENCE_S + 2)

    def _run(self) -> None:
        while not self._stopping.is_set():
            connection = http.client.HTTPConnection(*self._address, timeout=SILENCE_S)
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._read(connection)
            connection.close()
            time.sleep(0.1)

    def _read(self, connection: http.client.HTTPConnection) -> None:
        headers = self._headers | {"Last-Event-ID": str(self.last)}
        connection.request("GET", "/stream/events", headers=headers)
        self._socket = connection.sock
        response = connection.getresponse()
        if response.status != 200:
            return
        self.connections += 1
        position = 0
        while not self._stopping.is_set():
            line = response.readline()
            if not line:
                return
            name, _, value = line.rstrip(b"\n").partition(b": ")
            if name == b"id":
                position = int(value)
            elif name == b"data" and position:
                event = json.loads(value)
                assert event["position"] == position
                self.events.append(event)
                self.positions.append(position)
                position = 0
