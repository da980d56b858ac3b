"""Short words for lists of orders that depend on each other."""

from decimal import Decimal

from trading.contingency import ActionKind, ContingencyType, Leg, LegOrder, LegState, ListTerms

D = Decimal
SEND, RESIZE, CANCEL = ActionKind.SEND, ActionKind.RESIZE, ActionKind.CANCEL


def terms(kind, **more):
    return ListTerms(kind, lot=D(1), min_qty=D(1), **more)


BRACKET = terms(ContingencyType.OTOCO)
OCO = terms(ContingencyType.OCO)


def order(name, leaves=0, cum=0, state=None, **more):
    found = state or (LegState.WORKING if leaves else LegState.CLOSED)
    return LegOrder(name, D(cum), D(leaves), found, **more)


def leg(qty, *orders, **more):
    return Leg(D(qty), orders, **more)


def acts(actions):
    return [(a.kind, a.leg, int(a.order_qty), a.order_id) for a in actions]


def bracket(entry, stop=(), target=()):
    return [leg(100, *entry), leg(100, *target), leg(100, *stop, is_stop=True)]
