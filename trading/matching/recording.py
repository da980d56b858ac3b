"""A venue's whole run in lines: what its engines saw, what its orders pay, and what it said.

The run can be played again anywhere. What is said then is compared with what was said, byte for
byte: orders, fills and fees of a recorded paper run are those of the replay, or the first line that
differs is named.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from trading.fees import ZERO, Charged, Execution, FeeSchedule, FeeTier, fee_of
from trading.matching import tape
from trading.matching.engine import Engine
from trading.matching.events import Event
from trading.matching.scale import Scale
from trading.matching.state import state_from_json
from trading.matching.tape import UnreadableTape
from trading.matching.values import Liquidity, Report
from trading.orders.canonical import dec_str, opt_dec_str
from trading.vocabulary import ExecType


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What of an order its engine does not know, and its fees depend on."""

    multiplier: Decimal
    schedule: FeeSchedule
    charged: Charged


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a replay: how many reports were said, and where they differ first."""

    said: int
    difference: str = ""


class Recording:
    """Writes a run down, a line at a time. One engine per scale, begun before its events."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def engine(self, scale: Scale, engine: Engine) -> None:
        """An engine begins as it stands."""
        self._line("engine", scale, json.loads(tape.begin(engine)))

    def event(self, scale: Scale, event: Event) -> None:
        """An engine is about to see an event."""
        self._line("event", scale, json.loads(tape.line_of(event)))

    def order(self, scale: Scale, order_id: str, terms: OrderTerms) -> None:
        """An order works, or is about to come, under these terms."""
        content = {
            "order_id": order_id,
            "multiplier": dec_str(terms.multiplier),
            "schedule": _schedule_to_json(terms.schedule),
            "charged": {name: dec_str(value) for name, value in asdict(terms.charged).items()},
        }
        self._line("order", scale, content)

    def said(self, scale: Scale, report: Report, fee: Decimal) -> None:
        """The venue reported this and charged that."""
        self._write(said_line(scale, report, fee))

    def _line(self, kind: str, scale: Scale, content: dict[str, Any]) -> None:
        self._write(_written({"kind": kind, "scale": _scale_to_json(scale), **content}))


def said_line(scale: Scale, report: Report, fee: Decimal) -> str:
    """Return what the venue said as one line; equal words give equal bytes."""
    is_fill = report.exec_type is ExecType.TRADE
    return _written(
        {
            "kind": "said",
            "symbol": scale.symbol,
            "at": report.at,
            "order_id": report.order_id,
            "exec_type": report.exec_type,
            "ord_status": report.ord_status,
            "order_qty": dec_str(scale.quantity(report.order_qty)),
            "cum_qty": dec_str(scale.quantity(report.cum_qty)),
            "leaves_qty": dec_str(scale.quantity(report.leaves_qty)),
            "price": _price(scale, report.price),
            "stop_px": _price(scale, report.stop_px),
            "anchor_px": _price(scale, report.anchor_px),
            "last_qty": dec_str(scale.quantity(report.last_qty)) if is_fill else None,
            "last_px": dec_str(scale.price(report.last_px)) if is_fill else None,
            "liquidity": report.liquidity,
            "fee": dec_str(fee),
            "reason": report.reason,
            "request_id": report.request_id,
        }
    )


def replay(lines: Iterable[str]) -> Outcome:
    """Play a recorded run and compare what is said with what was said.

    :raises UnreadableTape: at the first line that is not one of a recording.
    """
    player = _Player()
    said = 0
    awaited: deque[str] = deque()
    for number, line in enumerate(lines, start=1):
        try:
            content = json.loads(line)
            if content["kind"] != "said":
                awaited.extend(player.take(content))
                continue
        except (KeyError, TypeError, ValueError) as failure:
            raise UnreadableTape(f"line {number} is not of a recording: {failure!r}") from failure
        told = awaited.popleft() if awaited else "nothing"
        if told != line.rstrip("\n"):
            return Outcome(said, f"line {number}: {line.strip()} was said, now it is {told}")
        said += 1
    return Outcome(said, f"now also {awaited[0]}" if awaited else "")


class _Player:
    """The engines and the fees of a recorded run, as far as it was played."""

    def __init__(self) -> None:
        self._engines: dict[Scale, Engine] = {}
        self._orders: dict[str, OrderTerms] = {}

    def take(self, content: dict[str, Any]) -> Iterator[str]:
        """Take one line that is no report; yield what is said because of it."""
        kind, scale = content.pop("kind"), _scale_from_json(content.pop("scale"))
        if kind == "engine":
            self._engines[scale] = Engine.resume(state_from_json(content["state"]))
        elif kind == "order":
            self._orders[content["order_id"]] = _terms_from_json(content)
        elif kind == "event":
            for report in self._engines[scale].apply(tape.event_of(content)):
                yield said_line(scale, report, self._fee(scale, report))
        else:
            raise ValueError(f"there are no lines of the kind {kind}")

    def _fee(self, scale: Scale, report: Report) -> Decimal:
        if report.exec_type is not ExecType.TRADE:
            return ZERO
        terms = self._orders[report.order_id]
        execution = execution_of(scale, report, terms.multiplier)
        fee, charged = fee_of(terms.schedule, execution, terms.charged)
        self._orders[report.order_id] = OrderTerms(terms.multiplier, terms.schedule, charged)
        return fee


def execution_of(scale: Scale, report: Report, multiplier: Decimal) -> Execution:
    """The fill a report tells of, as fees are charged for it."""
    return Execution(
        qty=scale.quantity(report.last_qty),
        px=scale.price(report.last_px),
        multiplier=multiplier,
        is_maker=report.liquidity is Liquidity.MAKER,
        ends_order=report.leaves_qty == 0,
    )


def _price(scale: Scale, ticks: int | None) -> str | None:
    return None if ticks is None else dec_str(scale.price(ticks))


def _scale_to_json(scale: Scale) -> list[str]:
    return [scale.symbol, dec_str(scale.tick_size), dec_str(scale.lot_size)]


def _scale_from_json(row: list[str]) -> Scale:
    symbol, tick_size, lot_size = row
    return Scale(symbol, Decimal(tick_size), Decimal(lot_size))


def _schedule_to_json(schedule: FeeSchedule) -> dict[str, Any]:
    return {
        "tiers": [
            {name: dec_str(value) for name, value in asdict(tier).items()}
            for tier in schedule.tiers
        ],
        "per_unit": dec_str(schedule.per_unit),
        "minimum": dec_str(schedule.minimum),
        "maximum_bps": opt_dec_str(schedule.maximum_bps),
        "decimals": schedule.decimals,
    }


def _terms_from_json(row: dict[str, Any]) -> OrderTerms:
    fees = row["schedule"]
    most = fees["maximum_bps"]
    tiers = tuple(FeeTier(**_decimals(tier)) for tier in fees["tiers"])
    schedule = FeeSchedule(
        tiers=tiers,
        per_unit=Decimal(fees["per_unit"]),
        minimum=Decimal(fees["minimum"]),
        maximum_bps=None if most is None else Decimal(most),
        decimals=fees["decimals"],
    )
    charged = Charged(**_decimals(row["charged"]))
    return OrderTerms(Decimal(row["multiplier"]), schedule, charged)


def _decimals(row: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in row.items()}


def _written(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
