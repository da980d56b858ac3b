"""How a person wants to see the pages: cookies, read by the server so that nothing flashes."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

CHOICES: Mapping[str, tuple[str, ...]] = {
    "theme": ("dark", "light", "system"),
    "density": ("compact", "normal", "roomy"),
    "money": ("green-red", "blue-orange", "red-green"),
    "privacy": ("off", "on"),
    "letters": ("on", "off"),
    "zone": (
        "browser", "UTC", "America/New_York", "America/Chicago", "America/Los_Angeles",
        "America/Sao_Paulo", "Europe/London", "Europe/Berlin", "Europe/Zurich", "Asia/Dubai",
        "Asia/Kolkata", "Asia/Singapore", "Asia/Hong_Kong", "Asia/Tokyo", "Australia/Sydney",
    ),
}  # fmt: skip
BROWSER_ZONE = "bl_browser_zone"
"""The cookie in which boot.js says where the browser thinks it is."""
MAX_AGE_S = 365 * 24 * 3600


def cookie_of(name: str) -> str:
    """Return the cookie that keeps a preference."""
    return f"bl_{name}"


@dataclass(frozen=True, slots=True)
class Preferences:
    """One value per name of ``CHOICES``."""

    theme: str
    density: str
    money: str
    privacy: str
    letters: str
    zone: str
    browser_zone: str = "UTC"

    @property
    def shown_zone(self) -> ZoneInfo:
        """The zone times are shown in."""
        return ZoneInfo(self.browser_zone if self.zone == "browser" else self.zone)

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones on offer."""
        return CHOICES["zone"]

    @property
    def first_theme(self) -> str:
        """What is painted before the script has asked the system."""
        return "dark" if self.theme == "system" else self.theme

    @property
    def hides_amounts(self) -> bool:
        """Whether amounts and quantities are replaced by dots."""
        return self.privacy == "on"


def preferences_of(cookies: Mapping[str, str]) -> Preferences:
    """Return the preferences the cookies hold; anything unknown counts as the first choice."""
    chosen = {}
    for name, words in CHOICES.items():
        value = cookies.get(cookie_of(name), "")
        chosen[name] = value if value in words else words[0]
    return Preferences(**chosen, browser_zone=_known_zone(cookies.get(BROWSER_ZONE, "")))


def _known_zone(name: str) -> str:
    """Return the name if there is such a zone, else UTC: the cookie may hold anything."""
    try:
        return ZoneInfo(name[:64]).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"
