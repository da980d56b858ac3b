"""What the simulated TWS answers to each request, as messages for whoever asked."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tests.simulators.tws import layouts
from tests.simulators.tws.brokerage import Brokerage, Said
from tests.simulators.tws.requests import contract_named, ticket_of
from tests.simulators.tws.shapes import Listing
from tests.simulators.tws.wire import Fields

NOTICES = ((2104, "Market data farm connection is OK:usfarm"), (2158, "Sec-def data farm is OK"))
NO_DEFINITION = "No security definition has been found for the request"


@dataclass(slots=True)
class Asker:
    """A client as far as its requests go: who it is, which protocol, what it watches."""

    version: int = 0
    client_id: int = -1
    watches: dict[int, Listing] = field(default_factory=dict)

    @property
    def started(self) -> bool:
        """Whether the client has said who it is."""
        return self.client_id >= 0


class Answers:
    """The requests a TWS understands. What it does not know it leaves unanswered, as TWS does."""

    def __init__(self, brokerage: Brokerage, next_order_id: int) -> None:
        self.brokerage = brokerage
        self.next_order_id = next_order_id
        self._by_name: dict[str, Callable[[Asker, Fields], Iterable[Said]]] = {
            "startApi": self._start,
            "reqIds": lambda *_: [self._next_id()],
            "reqManagedAccts": lambda *_: [self._accounts()],
            "reqOpenOrders": self._open_orders,
            "reqAllOpenOrders": self._all_open_orders,
            "reqCompletedOrders": self._completed_orders,
            "reqExecutions": self._executions,
            "reqPositions": self._positions,
            "reqAccountUpdates": self._account,
            "reqAccountUpdatesMulti": self._account_multi,
            "reqContractDetails": self._contract_details,
            "reqMktData": self._watch,
            "cancelMktData": self._unwatch,
            "reqCurrentTime": lambda *_: [Said("currentTime", [49, 1, int(time.time())])],
            "placeOrder": self._place,
            "cancelOrder": self._cancel,
            "reqGlobalCancel": self._global_cancel,
        }

    def to(self, asker: Asker, name: str, fields: Fields) -> list[Said]:
        """Carry a request out and return what is said about it."""
        answer = self._by_name.get(name)
        return [] if answer is None else list(answer(asker, fields))

    def _start(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        asker.client_id = int(fields[2])
        notices = [Said("error", layouts.error(-1, code, words)) for code, words in NOTICES]
        return [self._accounts(), self._next_id(), *notices]

    def _next_id(self) -> Said:
        return Said("nextValidId", [9, 1, self.next_order_id])

    def _accounts(self) -> Said:
        return Said("managedAccounts", [15, 1, ",".join(self.brokerage.accounts)])

    def _open_orders(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        for ticket in self.brokerage.open_tickets(asker.client_id):
            yield Said("openOrder", [ticket])
            yield Said("orderStatus", layouts.order_status(ticket))
        yield Said("openOrderEnd", [53, 1])

    def _all_open_orders(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        for ticket in self.brokerage.open_tickets():
            yield Said("openOrder", [ticket])
            yield Said("orderStatus", layouts.order_status(ticket))
        yield Said("openOrderEnd", [53, 1])

    def _completed_orders(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        for ticket in self.brokerage.completed_tickets():
            yield Said("completedOrder", [ticket])
        yield Said("completedOrdersEnd", [102])

    def _executions(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        """Of the client asked for (0 = of all), in the latest revision of each."""
        request_id, client_id, account = int(fields[2]), int(fields[3] or 0), fields[4]
        for fill in self.brokerage.latest_fills():
            ticket = fill.ticket
            if client_id in (0, ticket.client_id) and account in ("", ticket.account):
                yield Said("execDetails", [fill, request_id])
                yield Said("commissionReport", layouts.commission(fill))
        yield Said("execDetailsEnd", [55, 1, request_id])

    def _positions(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        for (account, con_id), (qty, average) in self.brokerage.positions().items():
            listing = self.brokerage.listings[con_id]
            yield Said("position", layouts.position(account, listing, qty, average))
        yield Said("positionEnd", [62, 1])

    def _account(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        if fields[2] != "1":
            return
        account = fields[3]
        for key, value, currency in self._values(account):
            yield Said("accountValue", layouts.account_value(account, key, value, currency))
        yield Said("accountTime", [8, 1, time.strftime("%H:%M")])
        yield Said("accountEnd", [54, 1, account])

    def _account_multi(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        request_id, account = int(fields[2]), fields[3]
        for key, value, currency in self._values(account):
            row = layouts.account_value_multi(request_id, account, key, value, currency)
            yield Said("accountValueMulti", row)
        yield Said("accountValueMultiEnd", [74, 1, request_id])

    def _values(self, account: str) -> Iterable[tuple[str, object, str]]:
        cash = self.brokerage.cash.get(account)
        if cash is not None:
            for key in ("TotalCashBalance", "NetLiquidation", "BuyingPower"):
                yield key, cash, "USD"

    def _contract_details(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        request_id = int(fields[2])
        listings = self._matching(fields, 3)
        if not listings:
            return [Said("error", layouts.error(request_id, 200, NO_DEFINITION))]
        rows = [layouts.contract_details(listing, request_id) for listing in listings]
        end = Said("contractDetailsEnd", [52, 1, request_id])
        return [*(Said("contractDetails", row) for row in rows), end]

    def _watch(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        request_id = int(fields[2])
        listings = self._matching(fields, 3)
        if not listings:
            return [Said("error", layouts.error(request_id, 200, NO_DEFINITION))]
        asker.watches[request_id] = listings[0]
        return [Said("marketDataType", [58, 1, request_id, 1])]

    def _unwatch(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        asker.watches.pop(int(fields[2]), None)
        return ()

    def _place(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        order_id = int(fields[1])
        listings = self._matching(fields, 2)
        if not listings:
            return [Said("error", layouts.error(order_id, 200, NO_DEFINITION))]
        self.next_order_id = max(self.next_order_id, order_id + 1)
        return self.brokerage.place(ticket_of(fields, asker.version, asker.client_id, listings[0]))

    def _cancel(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        return self.brokerage.cancel(asker.client_id, int(fields[2]))

    def _global_cancel(self, asker: Asker, fields: Fields) -> Iterable[Said]:
        said: list[Said] = []
        for ticket in self.brokerage.open_tickets():
            said += self.brokerage.cancel(ticket.client_id, ticket.order_id)
        return said

    def _matching(self, fields: Fields, at: int) -> list[Listing]:
        con_id, symbol, sec_type, _ = contract_named(fields, at)
        return [
            listing
            for listing in self.brokerage.listings.values()
            if (con_id == listing.con_id)
            or (not con_id and (listing.symbol, listing.sec_type) == (symbol, sec_type))
        ]
