"""Which of the venue's switches are hit, within one transaction.

No chance is involved but a hash of the venue's number and of how often a switch was looked at:
the same commands meet the same faults.
"""

from dataclasses import dataclass
from hashlib import sha256

from brokers.models import FaultSwitch, PaperFault
from trading.vocabulary import CommandKind


@dataclass(frozen=True, slots=True)
class Aim:
    """What a switch would hit: a command or fill, of which account and symbol, where known."""

    account: str
    symbol: str = ""
    command: CommandKind = CommandKind.NEW


class Faults:
    """The switches that are on, read once, locked until the transaction ends."""

    def __init__(self, venue_id: int) -> None:
        self._venue_id = venue_id
        self._on: list[PaperFault] | None = None

    def claim(self, switch: FaultSwitch, aim: Aim) -> PaperFault | None:
        """Use one of the times a fault is on for; None where it is off or passes this one by."""
        for fault in self._read():
            named = (fault.switch, fault.command) == (switch, aim.command)
            if not named or fault.remaining == 0 or not fault.concerns(aim.account, aim.symbol):
                continue
            fault.seen += 1
            hit = fault.seen > fault.skip and _draw(fault) == 0
            fault.remaining -= int(hit)
            fault.save(update_fields=["seen", "remaining"])
            return fault if hit else None
        return None

    def holds(self, switch: FaultSwitch) -> bool:
        """Whether a switch is on, whatever it would hit."""
        return any(fault.switch == switch for fault in self._read())

    def _read(self) -> list[PaperFault]:
        if self._on is None:
            self._on = list(PaperFault.on(self._venue_id).select_for_update())
        return self._on


def _draw(fault: PaperFault) -> int:
    """A number below ``one_in`` that nobody chose."""
    named = f"{fault.venue_id}:{fault.switch}:{fault.command}:{fault.seen}"
    return int.from_bytes(sha256(named.encode()).digest()[:8], "big") % fault.one_in
