"""What cancel and replace requests share: the locked order, the request's id, the answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from common.actor import Actor
from oms import errors
from oms.models import ClOrdId, Command, Order
from oms.present import order_json
from oms.selectors import access_order
from oms.services import outbox
from oms.services.reports import lock_order
from trading.orders.ids import is_reserved_cl_ord_id, is_valid_cl_ord_id
from trading.orders.requests import REASONS, Decision
from trading.vocabulary import CommandKind, CommandState


@dataclass(frozen=True, slots=True)
class Requested:
    """The order after a request; ``replay`` says that the same request was already known.

    ``warnings`` are codes and words of what did not hold the request up.
    """

    order: Order
    account_code: str
    pending: tuple[Command, ...]
    replay: bool
    warnings: tuple[tuple[str, str], ...] = ()


def locked(order_id: str, actor: Actor) -> Order:
    """The order under its row lock. :raises NotFound: absent or out of the actor's reach."""
    access_order(actor=actor, order_id=order_id)
    order = lock_order(order_id)
    assert order is not None, "orders are never deleted"
    return order


def answer(order: Order, *, replay: bool) -> Requested:
    """The order with what is still on its way."""
    return Requested(order, order.account.code, tuple(outbox.open_commands(order)), replay)


def same_request(
    order: Order, cl_ord_id: str | None, kind: CommandKind, content: str
) -> Requested | None:
    """The earlier answer where this id already names this very request, else None.

    :raises RequestInvalid: if the id has not the form of a client's.
    :raises ClOrdIdReused: if it names something else.
    """
    if cl_ord_id is None:
        return None
    if not is_valid_cl_ord_id(cl_ord_id):
        raise errors.RequestInvalid(
            "cl_ord_id", "invalid_cl_ord_id", "cl_ord_id takes 1 to 36 of A-Z a-z 0-9 . _ -."
        )
    used = ClOrdId.objects.filter(account_id=order.account_id, cl_ord_id=cl_ord_id).first()
    if used is None:
        if is_reserved_cl_ord_id(cl_ord_id):
            raise errors.RequestInvalid(
                "cl_ord_id", "cl_ord_id_reserved", "The system makes ids of this form itself."
            )
        return None
    if used.order_id != order.id or used.kind != kind or used.content_hash != content:
        raise errors.ClOrdIdReused(cl_ord_id)
    return answer(order, replay=True)


def use_cl_ord_id(order: Order, cl_ord_id: str, kind: CommandKind, content: str) -> None:
    """Take the id for ever."""
    ClOrdId.objects.create(
        account_id=order.account_id,
        cl_ord_id=cl_ord_id,
        order=order,
        kind=kind,
        content_hash=content,
    )


def new_command_state(commands: Sequence[Command]) -> CommandState | None:
    """State of the order's NEW command while it has no outcome."""
    states = [CommandState(c.state) for c in commands if c.kind == CommandKind.NEW]
    return states[0] if states else None


def has_open(commands: Sequence[Command], kind: CommandKind) -> bool:
    """Whether a request of this kind waits for its outcome."""
    return any(command.kind == kind for command in commands)


def refusal(order: Order, decision: Decision) -> errors.RequestRefused | errors.RequestInvalid:
    """The refusal a decision stands for, with the order as it is."""
    text = REASONS.get(decision.reason, decision.reason.replace("_", " "))
    message = f"The order is {order.ord_status}: {text}"
    if decision.code != "state_conflict":
        return errors.RequestInvalid("ord_status", decision.code, message)
    shown = order_json(order, outbox.open_commands(order), account_code=order.account.code)
    return errors.RequestRefused(decision.reason, message, order=shown)
