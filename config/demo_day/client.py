"""A small HTTP client, so that the demo sees the system as any program would."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT_S = 15


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; ``seconds`` from the first byte sent to the last byte read."""

    status: int
    body: Any
    headers: dict[str, str]
    seconds: float


class Client:
    """One keep-alive connection that speaks JSON with one firm's API key."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        host: str | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        parts = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port or 80, timeout=timeout_s
        )
        self._headers = {"Authorization": f"Bearer {api_key}"}
        if host is not None:
            self._headers["Host"] = host

    def get(self, path: str, **query: str) -> Answer:
        """GET under /api/v1."""
        return self.send("GET", path + ("?" + urlencode(query) if query else ""))

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        """POST a JSON object under /api/v1."""
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """:raises OSError: if the system does not answer."""
        headers = dict(self._headers)
        payload = None
        if body is not None:
            payload = json.dumps(body)
            headers["Content-Type"] = "application/json"
        started = time.perf_counter()
        try:
            self._connection.request(method, f"/api/v1{path}", payload, headers)
            response = self._connection.getresponse()
            raw = response.read()
        except (http.client.HTTPException, OSError):
            self._connection.close()
            raise
        seconds = time.perf_counter() - started
        return Answer(
            response.status,
            json.loads(raw) if raw else None,
            {name.lower(): value for name, value in response.getheaders()},
            seconds,
        )

    def everything(self, path: str, **query: str) -> list[dict[str, Any]]:
        """Every item of a list, page after page."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            paged = {**query, "limit": "500", **({"cursor": cursor} if cursor else {})}
            answer = self.get(path, **paged)
            if answer.status != 200:
                raise RuntimeError(f"GET {path}: {answer.status} {answer.body}")
            items += answer.body["items"]
            cursor = answer.body["next"]
            if cursor is None:
                return items
