"""The messages the brokerage sends, field by field."""

from datetime import UTC
from typing import Any

from tests.simulators.tws.shapes import Fill, Listing, Ticket

Row = list[Any]
DELTA_NEUTRAL_NONE = ("None", "")  # the text None announces eight more fields, "" does not


def order_status(ticket: Ticket) -> Row:
    """3: where an order stands."""
    return [
        3,
        ticket.order_id,
        ticket.status,
        ticket.filled,
        ticket.remaining,
        ticket.average,
        ticket.perm_id,
        ticket.parent_id,
        ticket.last_px,
        ticket.client_id,
        ticket.why_held,
        0,
    ]


def error(request_id: int, code: int, words: str) -> Row:
    """4: an error or a notice; ``request_id`` is an order's id, a request's, or -1."""
    return [4, 2, request_id, code, words, ""]


def open_order(ticket: Ticket, version: int, margin: tuple[str, ...] = ()) -> Row:
    """5: an order with all its terms."""
    row: Row = [5, ticket.order_id, *_head(ticket)]
    row += [ticket.client_id, ticket.perm_id, ticket.outside_rth, False, 0, "", "", "", "", ""]
    if version < 177:
        row.append("")  # the profile of a financial adviser
    row += ["", ticket.good_till, "", "", "", 0, "", -1, 0, "", "", "", "", ""]
    row += [ticket.display, False, False, ticket.all_or_none, ticket.min_qty, ticket.oca_type]
    row += [False, False, "", ticket.parent_id, 0, "", 0, "", ""]
    row += [False, 0, ticket.trail_stop, ticket.trail_percent, "", "", ""]
    row += [0, 0, 0]  # legs, legs' prices, routing parameters
    row += ["", "", "", ""]  # scale sizes and increment, hedge type
    row += [False, "", "", False, 0, ""]  # routing, clearing, held, delta neutral, algorithm
    row += [False, ticket.what_if, ticket.status, *(margin or ("",) * 9)]
    row += ["", "", "", "", "", False, False]  # commissions, warning, randomised
    row.append(0)  # conditions
    row += ["", "", ticket.trail_stop, ticket.limit_offset, "", "", "", 0, "", "", "", ""]
    row += [False, False, False, False]
    row += ["", "", False]  # duration, post to ATS, auto-cancel of the parent
    row += ["", "", "", "", ""]  # pegs
    return row


def completed_order(ticket: Ticket, version: int) -> Row:
    """101: an order that is done. It names neither its order id nor its client."""
    row: Row = [101, *_head(ticket), ticket.perm_id, ticket.outside_rth, False, 0, "", "", "", ""]
    if version < 177:
        row.append("")
    row += ["", ticket.good_till, "", "", "", 0, "", -1, "", "", "", "", ""]
    row += [ticket.display, False, ticket.all_or_none, ticket.min_qty, ticket.oca_type]
    row += [0, "", 0, "", ""]
    row += [False, 0, ticket.trail_stop, ticket.trail_percent, ""]
    row += [0, 0, 0, "", "", "", ""]
    row += ["", "", False, 0, ""]
    row += [False, ticket.status, False, False, 0]
    row += [ticket.trail_stop, ticket.limit_offset, "", False, False, "", ticket.filled, ""]
    row += [False, "", False, False, 0, ticket.completed_at, ticket.status]
    row += ["", "", "", "", ""]
    return row


def execution(fill: Fill, version: int, request_id: int = -1) -> Row:
    """11: one execution; -1 as request says that it happened now."""
    ticket = fill.ticket
    row: Row = [11, request_id, ticket.order_id, *ticket.listing.contract, fill.exec_id]
    row += [fill.at.astimezone(UTC).strftime("%Y%m%d %H:%M:%S UTC"), ticket.account]
    row += [ticket.listing.exchange, fill.side, fill.shares, fill.price, ticket.perm_id]
    row += [ticket.client_id, 0, fill.cum, fill.average, ticket.order_ref, "", "", ""]
    row.append(1 if fill.maker else 2)
    if version >= 178:
        row.append(False)
    return row


def commission(fill: Fill) -> Row:
    """59: what an execution cost."""
    return [59, 1, fill.exec_id, fill.commission, fill.ticket.listing.currency, "", "", ""]


def contract_details(listing: Listing, request_id: int) -> Row:
    """10: what there is to know about a contract."""
    row: Row = [10, request_id, listing.symbol, listing.sec_type, listing.expiry, listing.strike]
    row += [listing.right, listing.exchange, listing.currency, listing.symbol, listing.symbol]
    row += [listing.symbol, listing.con_id, listing.min_tick, listing.multiplier]
    row += ["ACTIVETIM,LMT,MKT,STP,STP LMT,TRAIL", f"SMART,{listing.primary_exchange}", 1, 0]
    row += [listing.symbol.title(), listing.primary_exchange, "", "", "", "", "UTC"]
    row += ["", "", "", 0, 0, 0, "", "", "26", listing.expiry, "COMMON"]
    return [*row, listing.size_increment, listing.size_increment, listing.size_increment]


def position(account: str, listing: Listing, quantity: Any, average: Any) -> Row:
    """61: what an account holds of one contract."""
    return [61, 3, account, *listing.contract, quantity, average]


def account_value(account: str, key: str, value: Any, currency: str) -> Row:
    """6: one figure of an account."""
    return [6, 2, key, value, currency, account]


def account_value_multi(request_id: int, account: str, key: str, value: Any, currency: str) -> Row:
    """73: one figure of an account, in answer to a request that named it."""
    return [73, 1, request_id, account, "", key, value, currency]


def _head(ticket: Ticket) -> Row:
    """From the contract to the reference, as open and completed orders begin."""
    return [
        *ticket.listing.contract,
        ticket.action,
        ticket.qty,
        ticket.order_type,
        ticket.limit,
        ticket.aux,
        ticket.tif,
        ticket.oca_group,
        ticket.account,
        "",
        0,
        ticket.order_ref,
    ]
