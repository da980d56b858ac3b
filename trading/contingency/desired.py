"""From what each leg should have working to the commands that bring it there.

``desired`` is run after every report of a leg, after a restart and by a sweeper. It compares what
should work with what does and returns the difference alone, so that running it twice is harmless
and a crash between a fill and the cancel it calls for heals by itself.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from trading.contingency.targets import wanted_leaves
from trading.contingency.values import Action, ActionKind, Leg, LegOrder, LegState, ListTerms


def desired(terms: ListTerms, legs: Sequence[Leg]) -> list[Action]:
    """Return the commands that bring what works to what should work, in the order to send them.

    Whatever shrinks comes before whatever grows; of what grows the stop comes first, of what
    shrinks the target. A leg with a command under way or an unknown outcome waits for its answer
    before it is resized; a cancel waits for nothing.
    """
    wanted = wanted_leaves(terms, legs)
    numbered = list(enumerate(zip(legs, wanted, strict=True)))
    shrinking = [row for row in numbered if row[1][0].live_qty > row[1][1]]
    growing = [row for row in numbered if row[1][0].live_qty < row[1][1]]
    settled = [row for row in numbered if row not in shrinking and row not in growing]
    ordered = [
        *sorted(shrinking, key=lambda row: row[1][0].is_stop),
        *sorted(growing, key=lambda row: not row[1][0].is_stop),
        *settled,
    ]
    actions: list[Action] = []
    for number, (leg, quantity) in ordered:
        actions += _actions(terms, number, leg, quantity)
    return actions


def _actions(terms: ListTerms, number: int, leg: Leg, wanted: Decimal) -> list[Action]:
    live = leg.live
    if wanted == 0:
        return _cancels(number, live)
    if any(_is_unsettled(order) for order in live):
        return []
    if not live:
        return [Action(ActionKind.SEND, number, wanted)]
    newest = live[-1]
    # An older stop goes once the newer one works: a moment with two beats a moment with none.
    outdated = _cancels(number, live[:-1]) if newest.is_acknowledged else []
    if newest.leaves_qty == wanted:
        return outdated
    if terms.amends_in_place:
        resized = Action(
            ActionKind.RESIZE, number, newest.cum_qty + wanted, order_id=newest.order_id
        )
        return [resized, *outdated]
    if not leg.is_stop:
        return _cancels(number, live)
    if leg.orders[-1].unsolicited:
        return []  # the venue refused the newer stop: the older one stays, and people are told
    return [Action(ActionKind.SEND, number, wanted)]


def _cancels(number: int, orders: Iterable[LegOrder]) -> list[Action]:
    return [
        Action(ActionKind.CANCEL, number, order_id=order.order_id)
        for order in orders
        if not order.is_ending
    ]


def _is_unsettled(order: LegOrder) -> bool:
    return order.is_changing or order.is_ending or order.state is LegState.UNKNOWN
