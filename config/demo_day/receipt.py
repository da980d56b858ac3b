"""What the demo prints: one line per order, then the books of both firms."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

COLUMNS = (
    ("firm", 7),
    ("what", 40),
    ("order", 26),
    ("status", 17),
    ("qty", 8),
    ("filled", 8),
    ("avg price", 12),
    ("ms", 7),
)


@dataclass
class Receipt:
    """Collects what is shown and whether every expectation held."""

    failures: list[str] = field(default_factory=list)

    def title(self, text: str) -> None:
        """A heading."""
        print(f"\n{text}\n{'-' * len(text)}", flush=True)

    def header(self) -> None:
        """The names of the order table's columns."""
        print("  ".join(name.ljust(width) for name, width in COLUMNS))

    def order(self, firm: str, what: str, order: dict[str, Any], seconds: float) -> None:
        """One order as it stands, and how long it took to get there."""
        avg_px = "-" if order["avg_px"] is None else f"{Decimal(order['avg_px']):.4f}"
        self._row(
            firm,
            what,
            order["id"],
            order["ord_status"],
            order["order_qty"],
            order["cum_qty"],
            avg_px,
            f"{seconds * 1000:.0f}",
        )

    def refusal(self, firm: str, what: str, status: int, code: str, seconds: float) -> None:
        """An answer that is no order."""
        self._row(firm, what, "-", f"{status} {code}", "-", "-", "-", f"{seconds * 1000:.0f}")

    def _row(self, *cells: str) -> None:
        print(
            "  ".join(c.ljust(width) for c, (_, width) in zip(cells, COLUMNS, strict=True)),
            flush=True,
        )

    def note(self, text: str) -> None:
        """A sentence."""
        print(text, flush=True)

    def expect(self, held: bool, what: str) -> None:
        """Print one checked statement; one that does not hold makes the demo fail."""
        print(f"  {'ok  ' if held else 'FAIL'} {what}", flush=True)
        if not held:
            self.failures.append(what)
