"""Where one can go, and with which scope. A page that is not here is in no menu and no palette."""

from dataclasses import dataclass

from common.actor import Actor


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail and of *Go* in the palette; ``icon`` is an id of the icon sheet."""

    name: str
    path: str
    icon: str
    group: str
    scope: str
    keys: str = ""
    hint: str = ""

    def holds(self, path: str) -> bool:
        """Whether ``path`` lies in this part of the portal."""
        return path == self.path or path.startswith(f"{self.path.rstrip('/')}/")


PLACES = (
    Place("Desk", "/desk", "desk", "Trade", "orders:read", "g d", "quotes, ticket, blotter"),
    Place("Orders", "/orders", "orders", "Trade", "orders:read", "g o", "every order, filters"),
    Place("Executions", "/executions", "executions", "Trade", "orders:read", "g x", "every fill"),
    Place("P&L", "/pnl", "pnl", "Books", "positions:read", "g l", "profit by day and symbol"),
    Place("Halts", "/halt", "halt", "Control", "risk:read", "g h", "who stopped what, and why"),
    Place("Console", "/admin/", "console", "Firm", "admin", "", "operations of the firm"),
    Place("API", "/api/v1/docs", "api", "Firm", "orders:read", "", "try every call"),
)


def places_for(actor: Actor) -> list[Place]:
    """Return what the actor may open; the rest is absent, not grey."""
    return [place for place in PLACES if actor.may(place.scope)]
