"""Our symbols and TWS's contracts."""

from typing import Any

from brokers.adapters.ib import wire
from brokers.adapters.ib.line import Line, QuestionRefused

FIELDS = {
    "con_id": "conId",
    "symbol": "symbol",
    "sec_type": "secType",
    "expiry": "lastTradeDateOrContractMonth",
    "strike": "strike",
    "right": "right",
    "multiplier": "multiplier",
    "exchange": "exchange",
    "primary_exchange": "primaryExchange",
    "currency": "currency",
    "local_symbol": "localSymbol",
    "trading_class": "tradingClass",
}
"""Members of a ``VenueSymbol``'s description and the library's names for them."""
NO_DEFINITION = 200
_DETAILS = frozenset({wire.CONTRACT})


class UnknownSymbol(Exception):
    """TWS has no contract of this description, or more than one."""


class Contracts:
    """Finds the contract of a symbol once and remembers it; names symbols of contracts.

    A symbol nobody described is a share: routed by SMART, in the instrument's currency.
    """

    def __init__(self, line: Line, described: dict[str, dict[str, Any]]) -> None:
        self._line = line
        self._described = described
        self._found: dict[str, Any] = {}
        self._symbols: dict[int, str] = {}

    async def of(self, symbol: str, currency: str) -> Any:
        """Return the library's contract of a symbol.

        :raises UnknownSymbol: if TWS has none, or several where one was meant.
        """
        contract = self._found.get(symbol)
        if contract is None:
            contract = await self._look_up(symbol, currency)
            self._found[symbol] = contract
            self._symbols[contract.conId] = symbol
        return contract

    def symbol_of(self, con_id: int, symbol: str) -> str:
        """Our symbol of a contract; TWS's own where nobody has traded it here yet."""
        known = self._symbols.get(con_id)
        if known is not None:
            return known
        for ours, description in self._described.items():
            if description.get("con_id") == con_id:
                return ours
        return symbol

    async def _look_up(self, symbol: str, currency: str) -> Any:
        described = self._described.get(symbol)
        if described is None:
            described = {"sec_type": "STK", "exchange": "SMART", "currency": currency}
        fields = {FIELDS[name]: value for name, value in described.items()}
        wanted = self._line.contract(**{"symbol": symbol, **fields})
        try:
            rows = await self._line.ask(
                lambda client, number: client.reqContractDetails(number, wanted),
                rows=_DETAILS,
                end=wire.CONTRACT_END,
                numbered=True,
            )
        except QuestionRefused as refusal:
            if refusal.code != NO_DEFINITION:
                raise
            raise UnknownSymbol(f"TWS knows no contract for {symbol}: {refusal}") from refusal
        if len(rows) != 1:
            raise UnknownSymbol(
                f"{symbol} means {len(rows)} contracts at TWS; describe it by con_id"
            )
        wanted.conId = wire.contract_id(rows[0], self._line.version)
        return wanted
