"""Whether a halt stands in the way of an order."""

from brokers.models import BrokerAccount
from oms.errors import TradingHalted
from risk.selectors import covering_halt
from trading.risk import HaltState


def check_halt(*, account: BrokerAccount, symbol: str, strategy: str | None, reduces: bool) -> None:
    """:raises TradingHalted: unless no halt covers the order, or the halt lets it reduce."""
    halt = covering_halt(
        account_code=account.code,
        symbol=symbol,
        strategy=strategy,
        venue=account.connection.name,
    )
    if halt is None or (reduces and halt.state == HaltState.REDUCING):
        return
    raise TradingHalted(
        scope=halt.scope,
        target=halt.target or None,
        since=halt.since,
        reason=halt.reason,
        set_by=halt.set_by,
    )
