"""How a person wants to see the pages: four cookies, read by the server so that nothing flashes."""

from collections.abc import Mapping
from dataclasses import dataclass

CHOICES: Mapping[str, tuple[str, ...]] = {
    "theme": ("dark", "light", "system"),
    "density": ("compact", "normal", "roomy"),
    "money": ("green-red", "blue-orange", "red-green"),
    "privacy": ("off", "on"),
}
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
    return Preferences(**chosen)
