"""What people ask of a list that is there: its end, other prices for its exits, a way out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet, Sum

from common.actor import Actor
from common.errors import FieldError, Invalid, NotFound, Refused
from marketdata import quotes
from oms import errors
from oms.lists_present import proposed_order
from oms.models import Order, OrderList
from oms.services.accept import Acceptance, accept_orders
from oms.services.fold import load_state, record
from oms.services.lists.follow import follow_entered
from oms.services.lists.standing import Standing, enter, is_waiting, read
from oms.services.lists.told import keep_alarms, shown
from oms.services.replace import ReplaceTerms, amend, check_trigger, judge_change, wanted_order
from oms.services.requests import has_open, new_command_state, refusal
from tenants.binding import tenant_bound
from trading.contingency import ContingencyType, ListOrderStatus, Role, exit_price
from trading.contingency.wish import PARENTED
from trading.orders.intent import OrderIntent
from trading.orders.reports import ExecutionReport
from trading.orders.requests import Action, replace_decision
from trading.vocabulary import CommandKind, ExecType, HeldBy, OrdStatus, OrdType, ReportSource, Side


@dataclass(frozen=True, slots=True)
class ExitTerms:
    """Other prices for one leg, by its number from 1; None leaves a price as it is."""

    leg_no: int
    price: Decimal | None = None
    stop_px: Decimal | None = None


def visible_lists(actor: Actor) -> QuerySet[OrderList]:
    """The lists this actor may see."""
    rows = OrderList.objects.select_related("account")
    if actor.accounts is not None:
        rows = rows.filter(account__code__in=list(actor.accounts))
    return rows


def access_list(actor: Actor, list_id: str) -> OrderList:
    """:raises NotFound: absent or not the actor's to see; both look the same."""
    row = visible_lists(actor).filter(pk=list_id).first()
    if row is None:
        raise NotFound
    return row


def cancel_list(*, schema: str, list_id: str, actor: Actor, now: datetime) -> dict[str, Any]:
    """Ask for the end of every leg that is open or waits; return the list as the API shows it.

    One whose legs are closed and whose position nothing protects is not looked after any more.

    :raises NotFound: :raises ListRefused: where every leg is closed already.
    """
    with tenant_bound(schema):
        access_list(actor, list_id)
        enter(list_id)
        standing = read(list_id, now)
        row = standing.row
        if row.list_order_status != ListOrderStatus.EXECUTING and row.unprotected_since is None:
            raise _over(standing)
        row.withdrawn_legs = list(standing.numbers)
        row.save(update_fields=["withdrawn_legs"])
        return shown(follow_entered(list_id, now))


def _over(standing: Standing) -> errors.ListRefused:
    status = standing.row.list_order_status
    return errors.ListRefused(
        status.lower(), f"The list is {status}: no leg of it is open.", order_list=shown(standing)
    )


# --- other prices ---------------------------------------------------------------------------


def replace_exits(
    *, schema: str, list_id: str, actor: Actor, wanted: Sequence[ExitTerms], now: datetime
) -> dict[str, Any]:
    """Give exits other prices; quantities are the list's own. All or none. As the API shows it.

    :raises NotFound: :raises ListRefused: :raises RequestRefused: while an answer is awaited.
    :raises FieldRefused: :raises RequestInvalid: :raises RiskRejected: :raises TradingHalted:
    """
    with tenant_bound(schema):
        symbol = access_list(actor, list_id).symbol
    market = quotes.latest([symbol])
    with tenant_bound(schema):
        enter(list_id)
        standing = read(list_id, now)
        if standing.row.list_order_status != ListOrderStatus.EXECUTING:
            raise _over(standing)
        changes = [_change(standing, number, terms, now) for number, terms in enumerate(wanted)]
        _check_prices(standing, changes)
        for order, intent in changes:
            if not is_waiting(order):  # what waits will meet a market nobody knows yet
                check_trigger(order, load_state(order), intent, market)
            judge_change(order, intent, market, now)
            _amend(standing, order, intent, actor)
            _forget_distance(standing, order)
        standing.row.version += 1
        standing.row.updated_at = now
        standing.row.save()
        return shown(follow_entered(list_id, now))


def _change(
    standing: Standing, number: int, terms: ExitTerms, now: datetime
) -> tuple[Order, OrderIntent]:
    """The order that serves the leg, and itself as it is wanted."""
    first_exit = 2 if standing.row.contingency_type in PARENTED else 1
    if not first_exit <= terms.leg_no <= len(standing.row.legs):
        message = f"leg_no is {first_exit} to {len(standing.row.legs)} in this list."
        raise Invalid(
            message, errors=[FieldError(f"legs.{number}.leg_no", "out_of_range", message)]
        )
    open_orders = [o for o in standing.serving(terms.leg_no) if not o.is_closed]
    order = open_orders[-1] if open_orders else standing.serving(terms.leg_no)[-1]
    asked = ReplaceTerms(price=terms.price, stop_px=terms.stop_px)
    return order, wanted_order(order, load_state(order), asked, now)


def _check_prices(standing: Standing, changes: Sequence[tuple[Order, OrderIntent]]) -> None:
    """The stop, the entry while nothing is executed, and the target have to lie in this order.

    Once there is a position the stop may be drawn past the entry, to keep what was won.

    :raises FieldRefused: where they do not.
    """
    if standing.row.contingency_type != ContingencyType.OTOCO:
        return
    entry = standing.serving(1)[0]
    asked = {order.serves_leg: exit_price(intent) for order, intent in changes}
    at = {
        leg["role"]: asked.get(number, _px(standing.serving(number)[-1]))
        for number, leg in enumerate(standing.row.legs, 1)
    }
    at[Role.ENTRY] = None if entry.cum_qty else _px(entry)
    sign = Side(entry.side).sign
    lie = [at[role] for role in (Role.STOP, Role.ENTRY, Role.TARGET)]
    known = [px * sign for px in lie if px is not None]
    if any(before >= after for before, after in pairwise(known)):
        message = "The stop has to lie on the losing side of the entry, the target on the other."
        raise errors.FieldRefused([FieldError("legs", "bracket_prices", message)])


def _px(order: Order) -> Decimal | None:
    """Where the order begins to work."""
    px: Decimal | None = order.price if order.ord_type == OrdType.LIMIT else order.stop_px
    return px


def _amend(standing: Standing, order: Order, intent: OrderIntent, actor: Actor) -> None:
    if is_waiting(order):
        record(
            order,
            ExecutionReport(
                exec_type=ExecType.RESTATED,
                source=ReportSource.LOCAL,
                exec_id=f"repriced:{order.id}:{order.version}",
                transact_time=standing.now,
                price=intent.price,
                stop_px=intent.stop_px,
                ord_status=OrdStatus.SUSPENDED,
                restatement_reason="REPRICED",
                text="its list was given other prices",
            ),
            actor=actor.label,
            now=standing.now,
        )
        return
    commands = standing.open_commands.get(order.id, ())
    decision = replace_decision(
        load_state(order),
        new_command_state(commands),
        held_by_oms=order.held_by == HeldBy.OMS,
        cancel_open=has_open(commands, CommandKind.CANCEL),
        replace_open=has_open(commands, CommandKind.REPLACE),
    )
    if decision.action is Action.REFUSE:
        raise refusal(order, decision)
    content = ReplaceTerms(price=intent.price, stop_px=intent.stop_px).content_hash
    in_place = decision.action is Action.IN_PLACE
    amend(order, intent, content, in_place=in_place, actor=actor, now=standing.now)


def _forget_distance(standing: Standing, order: Order) -> None:
    """A leg that was given a price follows the entry's no longer."""
    leg = standing.row.legs[(order.serves_leg or 1) - 1]
    leg["offset"] = leg["offset_percent"] = None


# --- both filled ----------------------------------------------------------------------------


def flatten_list(*, schema: str, list_id: str, actor: Actor, now: datetime) -> Acceptance:
    """Send the order a list proposes for what its legs executed too much; asked twice, one order.

    :raises NotFound: :raises ListRefused: if nothing is proposed. :raises Refused: as any order.
    """
    with tenant_bound(schema):
        access_list(actor, list_id)
        enter(list_id)
        standing = read(list_id, now)
        row = standing.row
        prefix = f"{row.id}-F"
        proposed = proposed_order(row, list(standing.orders))
        earlier = Order.objects.filter(account_id=row.account_id, cl_ord_id__startswith=prefix)
        if proposed is None:
            raise errors.ListRefused(
                "nothing_proposed",
                "No leg executed more than it should have, or that is taken back already.",
                order_list=shown(standing),
            )
        (answer,) = accept_orders(
            schema=schema,
            intents=[
                OrderIntent(
                    account=row.account.code,
                    symbol=row.symbol,
                    side=Side(proposed["side"]),
                    ord_type=OrdType.MARKET,
                    order_qty=Decimal(proposed["order_qty"]),
                    time_in_force=None,
                    cl_ord_id=f"{prefix}{earlier.count() + 1}",
                    strategy=row.strategy,
                    tags={"order_list": row.id},
                    source="list",
                )
            ],
            actor=actor,
            now=now,
        )
        if isinstance(answer, Refused):
            raise answer
        if not answer.breaches:
            total = earlier.aggregate(total=Sum("order_qty"))["total"]
            row.flattened_qty = min(row.overfill_qty, total or Decimal(0))
            row.save(update_fields=["flattened_qty"])
            keep_alarms(standing)
        return answer
