"""The whole system behind a line that can be cut, and the machine's Chromium in front of it.

`make e2e` runs this folder; `make test` does not collect it.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from config.embedded import layout
from tests.e2e.line import Line
from tests.system.running import System

playwright_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: run `make e2e`"
)

WINDOW = {"width": 1440, "height": 900}


def chromium() -> str | None:
    """The browser of this machine; nothing is downloaded."""
    named = os.environ.get("BLOTTER_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return named or next((found for name in names if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def running() -> Iterator[System]:
    """Started as `make run` does it, in a state directory of its own."""
    parent = Path(tempfile.mkdtemp(prefix="blotter-e-"))
    parent.chmod(0o755)  # as root the servers run as nobody, and would move elsewhere
    made = System(parent / "state")
    try:
        made.start()
        yield made
    finally:
        made.end()
        place = layout.at(made.state)
        shutil.rmtree(place.server_dir, ignore_errors=True)
        if place.sockets.parent != place.server_dir:
            shutil.rmtree(place.sockets, ignore_errors=True)
        shutil.rmtree(parent, ignore_errors=True)


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    """One browser process for all tests."""
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium on this machine: install it or set BLOTTER_CHROMIUM")
    # Chromium refuses its sandbox to root, as in a container.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def line(running) -> Iterator[Line]:
    """The network between the browser and the system, to be cut at will."""
    made = Line(running.port)
    yield made
    made.close()


@dataclass
class Watch:
    """What must not happen in a browser, whatever the journey."""

    host: str
    port: int
    complaints: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    is_cut: bool = False
    refusals: set[int] = field(default_factory=set)
    """Statuses a journey expects; a browser writes an error for each such answer."""

    def on_console(self, message: Any) -> None:
        if any(f"responded with a status of {status}" in message.text for status in self.refusals):
            return
        # A browser writes an error for each request that a cut line swallows; only then.
        if message.type in {"error", "warning"} and not (
            self.is_cut and "net::ERR_" in message.text
        ):
            self.complaints.append(
                f"console {message.type}: {message.text} ({message.location.get('url', '')})"
            )

    def on_error(self, error: Any) -> None:
        self.complaints.append(f"uncaught: {error}")

    def on_request(self, request: Any) -> None:
        self.requested.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and (parts.hostname, parts.port) != (
            self.host,
            self.port,
        ):
            self.complaints.append(f"request off the machine: {request.url}")


@dataclass
class Person:
    """Somebody logged in at their firm, with the tabs they have open."""

    context: Any
    url: str
    watch: Watch

    def open(self, path: str) -> Any:
        """A new tab."""
        tab = self.context.new_page()
        tab.goto(f"{self.url}{path}", wait_until="domcontentloaded")
        return tab


@pytest.fixture
def log_in(running, chrome, line) -> Iterator[Callable[[str], Person]]:
    """Log in with the real form, through the line; at the end the browser must have been quiet."""
    people: list[Person] = []

    def enter(email: str, slug: str = "acme", **options: Any) -> Person:
        host = f"{slug}.localhost"
        watch = Watch(host, line.port)
        context = chrome.new_context(viewport=WINDOW, locale="en-GB", **options)
        context.on("console", watch.on_console)
        context.on("weberror", lambda error: watch.on_error(error.error))
        context.on("request", watch.on_request)
        person = Person(context, f"http://{host}:{line.port}", watch)
        people.append(person)
        users = [row for tenant in running.run["tenants"] for row in tenant["users"]]
        password = next(row["password"] for row in users if row["email"] == email)
        tab = person.open("/login")
        tab.locator("input[type=email], input[name=email]").fill(email)
        tab.locator("input[type=password]").fill(password)
        tab.locator("button[type=submit]").first.click()
        tab.wait_for_url(lambda url: urlsplit(url).path != "/login")
        tab.close()
        return person

    yield enter
    for person in people:
        person.context.close()
        assert person.watch.complaints == []
