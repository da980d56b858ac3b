"""docs/capabilities.md: what every broker's adapter declares, as a page."""

from collections.abc import Iterable

from brokers.adapters.capabilities import Capabilities
from brokers.adapters.registry import ADAPTERS, capabilities_of
from trading.vocabulary import OrdType

HEAD = """\
# What each broker takes

Made from what the adapters declare (`manage.py capabilities`); a test keeps it current. What a
broker does not take natively is held by this system where that is possible (docs/user-guide), and
refused as `unsupported_by_venue` where it is not.
"""


def markdown() -> str:
    """The whole page."""
    declared = {name: capabilities_of(name) for name in sorted(ADAPTERS)}
    known = {name: found for name, found in declared.items() if found is not None}
    parts = [HEAD, _types(known), *(_details(name, found) for name, found in known.items())]
    return "\n".join(parts)


def _types(known: dict[str, Capabilities]) -> str:
    """Order types by broker, each with the times in force it may have."""
    lines = [
        "| order type | " + " | ".join(f"`{name}`" for name in known) + " |",
        "|---|" + "---|" * len(known),
    ]
    for ord_type in OrdType:
        cells = [
            " ".join(sorted(tif.value for tif in found.time_in_force.get(ord_type, ()))) or "no"
            for found in known.values()
        ]
        lines.append(f"| {ord_type.value} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _details(name: str, found: Capabilities) -> str:
    rate = found.rate_limit
    rows = {
        "instructions": ", ".join(sorted(found.exec_inst)) or "none",
        "triggers judged by": _words(found.trigger_price_types),
        "shows a part (`display_qty`)": _yes(found.display_qty),
        "at least (`min_qty`)": _yes(found.min_qty),
        "extended hours": _yes(found.extended_hours),
        "amends": found.amend.value,
        "links between orders": found.contingencies.value,
        "refuses an id twice": found.dedup.value,
        "asked about an order by": _words(found.lookups),
        "tells of": ", ".join(sorted(found.streams)) or "nothing by itself",
        "requests": "no limit of its own"
        if rate is None
        else f"{rate.count} in {rate.per.total_seconds():g} s",
        "source": f"{found.source} ({found.as_of})",
    }
    lines = [f"## `{name}`", "", "| | |", "|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in rows.items()]
    return "\n".join(lines) + "\n"


def _words(words: Iterable[object]) -> str:
    return ", ".join(sorted(str(word) for word in words)) or "none"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
