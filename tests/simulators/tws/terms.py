"""A ticket's terms in the words of the matching engine: integer ticks and lots."""

from decimal import Decimal

from tests.simulators.tws.shapes import Listing, Ticket
from trading.matching import NewOrder, Peg, Replace, Trail, Trigger
from trading.vocabulary import OrdType, PegPriceType, Side, TimeInForce, TriggerPriceType

WAITING = frozenset({"STP", "STP LMT", "MIT", "LIT", "TRAIL", "TRAIL LIMIT"})
"""Types that are PreSubmitted until their trigger fires."""
LIMITED = frozenset({"LMT", "STP LMT", "LIT", "TRAIL LIMIT", "LOC"})
PEGGED = {
    "REL": PegPriceType.PRIMARY,
    "PEG MKT": PegPriceType.MARKET,
    "PEG MID": PegPriceType.MID,
}
KNOWN = WAITING | LIMITED | frozenset(PEGGED) | {"MKT", "MTL", "MOC"}
TIFS = {
    "": TimeInForce.DAY,
    "DAY": TimeInForce.DAY,
    "GTC": TimeInForce.GTC,
    "GTD": TimeInForce.GTD,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "OPG": TimeInForce.OPG,
}
TRIGGER_METHODS = {
    1: TriggerPriceType.BID_ASK,
    4: TriggerPriceType.BID_ASK,
    8: TriggerPriceType.MID,
}
HUNDRED = Decimal(100)


class Refusal(Exception):
    """The brokerage does not take these terms; the text is what it says."""


def is_marketable_type(ticket: Ticket) -> bool:
    """Whether the order works as soon as it is taken, without waiting for a price."""
    return ticket.order_type not in WAITING


def entry_of(ticket: Ticket, at: int) -> NewOrder:
    """The engine's order for a ticket. :raises Refusal: if the brokerage would not take it."""
    listing = ticket.listing
    if ticket.order_type not in KNOWN or ticket.tif not in TIFS:
        raise Refusal(f"Unsupported order type {ticket.order_type} with {ticket.tif}.")
    if ticket.qty <= 0 or ticket.qty % listing.size_increment:
        raise Refusal("The size value is not valid for this contract.")
    limited = ticket.order_type in LIMITED
    price = None if ticket.limit is None else ticks(ticket.limit, listing)
    at_close = ticket.order_type in ("MOC", "LOC")
    return NewOrder(
        at=at,
        order_id=str(ticket.perm_id),
        account=ticket.account,
        side=Side.BUY if ticket.buys else Side.SELL,
        ord_type=OrdType.LIMIT if limited or ticket.order_type in PEGGED else OrdType.MARKET,
        time_in_force=TimeInForce.CLS if at_close else TIFS[ticket.tif],
        qty=lots(ticket.qty, listing),
        price=price if limited or ticket.order_type in PEGGED else None,
        trigger=trigger_of(ticket),
        peg=_peg(ticket),
        to_limit=ticket.order_type == "MTL",
        display_qty=None if not ticket.display else lots(ticket.display, listing),
        min_qty=0 if ticket.min_qty is None else lots(ticket.min_qty, listing),
        all_or_none=ticket.all_or_none,
    )


def new_terms(ticket: Ticket, at: int) -> Replace:
    """The engine's request for a ticket's present terms. :raises Refusal: as ``entry_of``."""
    entry = entry_of(ticket, at)
    return Replace(
        at=at,
        order_id=entry.order_id,
        request_id=f"{entry.order_id}@{at}",
        qty=entry.qty,
        price=entry.price,
        time_in_force=entry.time_in_force,
        trigger=entry.trigger,
        display_qty=entry.display_qty,
    )


def trigger_of(ticket: Ticket) -> Trigger | None:
    """What the order waits for, None for one that works at once. :raises Refusal:"""
    if ticket.order_type not in WAITING:
        return None
    listing = ticket.listing
    price_type = TRIGGER_METHODS.get(ticket.trigger_method, TriggerPriceType.LAST)
    if not ticket.order_type.startswith("TRAIL"):
        if ticket.aux is None:
            raise Refusal("The stop price is missing.")
        touch = ticket.order_type in ("MIT", "LIT")
        return Trigger(ticks(ticket.aux, listing), touch=touch, price_type=price_type)
    stop = None if ticket.trail_stop is None else ticks(ticket.trail_stop, listing)
    return Trigger(stop, price_type=price_type, trail=_trail(ticket))


def ticks(price: Decimal, listing: Listing) -> int:
    """A price in ticks. :raises Refusal: if it lies between two of them."""
    whole, rest = divmod(price, listing.min_tick)
    if rest:
        raise Refusal(
            "The price does not conform to the minimum price variation for this contract."
        )
    return int(whole)


def lots(quantity: Decimal, listing: Listing) -> int:
    """A quantity in lots, what is less than one dropped."""
    return int(quantity / listing.size_increment)


def _trail(ticket: Ticket) -> Trail:
    limit_offset = None
    if ticket.order_type == "TRAIL LIMIT":
        if ticket.limit_offset is None:
            raise Refusal("The limit offset is missing.")
        limit_offset = ticks(ticket.limit_offset, ticket.listing)
    if ticket.trail_percent is not None:
        return Trail(percent=int(ticket.trail_percent * HUNDRED), limit_offset=limit_offset)
    if ticket.aux is None:
        raise Refusal("The trailing amount is missing.")
    return Trail(offset=ticks(ticket.aux, ticket.listing), limit_offset=limit_offset)


def _peg(ticket: Ticket) -> Peg | None:
    price_type = PEGGED.get(ticket.order_type)
    if price_type is None:
        return None
    offset = 0 if ticket.aux is None else ticks(ticket.aux, ticket.listing)
    return Peg(price_type, offset if ticket.buys else -offset)
