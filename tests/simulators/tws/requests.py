"""What a client asks, read from its fields."""

from tests.simulators.tws.shapes import ZERO, Listing, Ticket
from tests.simulators.tws.wire import Fields, Reader

NAMES = {
    1: "reqMktData",
    2: "cancelMktData",
    3: "placeOrder",
    4: "cancelOrder",
    5: "reqOpenOrders",
    6: "reqAccountUpdates",
    7: "reqExecutions",
    8: "reqIds",
    9: "reqContractDetails",
    15: "reqAutoOpenOrders",
    16: "reqAllOpenOrders",
    17: "reqManagedAccts",
    20: "reqHistoricalData",
    49: "reqCurrentTime",
    58: "reqGlobalCancel",
    59: "reqMarketDataType",
    61: "reqPositions",
    64: "cancelPositions",
    71: "startApi",
    76: "reqAccountUpdatesMulti",
    77: "cancelAccountUpdatesMulti",
    99: "reqCompletedOrders",
}


def ticket_of(fields: Fields, version: int, client_id: int, listing: Listing) -> Ticket:
    """The order of a placeOrder request; it has no permanent id yet."""
    read = Reader(fields)
    read.skip(1)
    order_id = read.number()
    read.skip(12 + 2)  # the contract, and another id of it
    action = read.next()
    qty = read.decimal()
    order_type, limit, aux = read.next(), read.decimal(), read.decimal()
    tif, oca_group, account = read.next(), read.next(), read.next()
    read.skip(2)
    order_ref, transmit, parent_id = read.next(), read.flag(), read.number()
    read.skip(2)
    display, trigger_method, outside_rth = read.decimal(), read.number(), read.flag()
    read.skip(1 + 3)
    good_till = read.next()
    read.skip(3 if version >= 177 else 4)
    read.skip(4)
    oca_type = read.number()
    read.skip(2)
    all_or_none, min_qty = read.flag(), read.decimal()
    read.skip(13)
    if read.next():  # a delta neutral order has eight more fields
        read.skip(8)
    read.skip(3)
    trail_stop, trail_percent = read.decimal(), read.decimal()
    _pass_scale_and_hedge(read)
    read.skip(4 + 1)
    if read.next():  # an algorithm names its parameters
        read.skip(2 * read.number())
    read.skip(1)
    what_if = read.flag()
    read.skip(4 + 1 + 2)
    limit_offset = read.decimal()
    return Ticket(
        perm_id=0,
        client_id=client_id,
        order_id=order_id,
        listing=listing,
        account=account,
        action=action,
        qty=qty or ZERO,
        order_type=order_type,
        limit=limit,
        aux=aux,
        tif=tif,
        order_ref=order_ref,
        parent_id=parent_id,
        oca_group=oca_group,
        oca_type=oca_type,
        outside_rth=outside_rth,
        good_till=good_till,
        display=display,
        all_or_none=all_or_none,
        min_qty=min_qty,
        trail_stop=trail_stop,
        trail_percent=trail_percent,
        limit_offset=limit_offset,
        transmit=transmit,
        what_if=what_if,
        trigger_method=trigger_method,
    )


def _pass_scale_and_hedge(read: Reader) -> None:
    read.skip(2)
    if read.decimal():
        read.skip(7)
    read.skip(3)
    if read.next():
        read.skip(1)


def contract_named(fields: Fields, at: int) -> tuple[int, str, str, str]:
    """Contract id, symbol, type and local symbol of the contract that begins at a field."""
    return int(fields[at] or 0), fields[at + 1], fields[at + 2], fields[at + 10]
