"""The keys of the pages: one table for the overlay, the palette and the script that obeys it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """One binding. ``keys`` are pressed one after the other; ``act`` is a verb of portal.js, or
    ``go:<path>`` for a place; none where a part of the page obeys it itself. A ``single`` key is a
    bare letter a person may switch off.
    """

    scope: str
    keys: str
    act: str
    says: str

    @property
    def single(self) -> bool:
        """Whether it is one bare letter, digit or bracket (WCAG 2.1.4)."""
        return len(self.keys) == 1 and (self.keys.isalnum() or self.keys in "[]")

    @property
    def is_verb(self) -> bool:
        """Whether the palette offers it: not what moves about, opens the palette or goes."""
        moves = self.keys.startswith("Arrow") or self.act.partition(":")[0] in ("go", "find")
        return bool(self.act) and not moves and self.act not in ("palette", "close")


_LISTS = ("desk", "orders")
_GRID_KEYS = (
    ("j", "grid:down", "Next row"),
    ("k", "grid:up", "Row before"),
    ("u", "grid:release", "Show what waits behind the pill"),
    ("m", "grid:menu", "Menu of the row"),
    ("c", "grid:copy", "Copy the row or the selection"),
    ("Shift+S", "grid:sort", "Sort by the column"),
)
_TRADING_KEYS = (
    ("e", "grid:amend", "Amend the order in place"),
    ("x", "grid:cancel", "Cancel the order, or the selection"),
    ("Shift+X", "grid:cancel-all", "Cancel every open order of the list"),
)
# A table obeys these itself while the focus is in it; here they are only told.
_TOLD_KEYS = (
    ("Arrows", "Move; Home, End, PgUp and PgDn too, with Ctrl to the ends"),
    ("Space", "Select the row; Shift and arrows select a range"),
    ("Ctrl+A", "Select every row loaded"),
    ("Enter", "Open the order beside the list"),
    ("Ctrl+Enter", "Open the order's own page"),
)

KEYS = (
    Key("everywhere", "Ctrl+K", "palette", "Command palette"),
    Key("everywhere", "/", "palette", "Command palette"),
    Key("everywhere", "?", "keys", "The keys of this page"),
    Key("everywhere", "g d", "go:/desk", "Go to the desk"),
    Key("everywhere", "g o", "go:/orders", "Go to the orders"),
    Key("everywhere", "g x", "go:/executions", "Go to the executions"),
    Key("everywhere", "g l", "go:/pnl", "Go to profit and loss"),
    Key("everywhere", "g h", "go:/halt", "Go to the halts"),
    Key("everywhere", "g s", "go:/status", "Go to the state of the system"),
    Key("everywhere", "z t", "theme", "Theme: dark, light, as the system"),
    Key("everywhere", "z d", "density", "Density: compact, normal, roomy"),
    Key("everywhere", "z p", "privacy", "Hide amounts, or show them"),
    Key("everywhere", "z a", "account", "Choose the account"),
    Key("everywhere", "Shift+H Shift+H", "halt", "Halt trading"),
    Key("everywhere", "Escape", "close", "Close what is open, leave a field"),
    Key("order", "[", "press:previous", "The order before this one"),
    Key("order", "]", "press:next", "The order after this one"),
    Key("order", "1", "press:tab1", "Timeline"),
    Key("order", "2", "press:tab2", "Messages"),
    Key("order", "3", "press:tab3", "Risk"),
    Key("order", "4", "press:tab4", "Fills"),
    Key("order", "5", "press:tab5", "Postings and lots"),
    Key("order", "6", "press:tab6", "Changes"),
    Key("order", "e", "press:amend", "Amend"),
    Key("order", "x", "press:cancel", "Cancel"),
    Key("order", "q", "press:ask", "Ask the venue"),
    Key("desk", "b", "ticket:BUY", "Ticket: buy"),
    Key("desk", "s", "ticket:SELL", "Ticket: sell"),
    Key("desk", "f", "flatten", "Ticket: flatten the focused position"),
    Key("desk", "w", "find", "Find a symbol"),
    Key("desk", "ArrowUp", "watch:previous", "Watchlist: the symbol before"),
    Key("desk", "ArrowDown", "watch:next", "Watchlist: the symbol after"),
    Key("desk", "[", "interval:shorter", "Chart: a shorter interval"),
    Key("desk", "]", "interval:longer", "Chart: a longer interval"),
    Key("desk", "t", "table", "Chart: the same numbers as a table"),
    Key("orders", "f", "grid:filter", "Filter the orders"),
    *(Key(scope, *key) for scope in _LISTS for key in (*_GRID_KEYS, *_TRADING_KEYS)),
    *(Key(scope, keys, "", says) for scope in _LISTS for keys, says in _TOLD_KEYS),
)


def keys_for(scope: str, *, may_trade: bool, may_halt: bool) -> list[Key]:
    """Return the bindings that hold on a page of ``scope`` for a person."""
    wanted = [key for key in KEYS if key.scope in ("everywhere", scope)]
    hidden = set()
    if not may_trade:
        hidden |= {"ticket:BUY", "ticket:SELL", "flatten", *(act for _, act, _ in _TRADING_KEYS)}
        hidden |= {"press:amend", "press:cancel", "press:ask"}
    if not may_halt:
        hidden |= {"halt"}
    return [key for key in wanted if key.act not in hidden]
