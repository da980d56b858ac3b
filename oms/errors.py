"""Why an order or a request about one is refused; each class is one code of the API.

Refused
├── Invalid ........ FieldRefused, ClOrdIdReused, MarketClosed, AuctionCutoff, NoReferencePrice,
│                    RiskRejected
└── StateConflict .. TradingHalted, AccountDisabled, RequestRefused, ListRefused, VersionConflict,
                     PreviewExpired, PreviewMismatch, PreviewUsed, PreviewDrifted
"""

from collections.abc import Sequence
from datetime import datetime

from common.errors import FieldError, Forbidden, Invalid, StateConflict
from common.numbers import dec_str
from trading.risk import Breach


class FieldRefused(Invalid):
    """One or more fields of the order are not acceptable; ``code`` is the first one's."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(errors[0].message, errors=errors)
        self.code = errors[0].code  # type: ignore[misc]  # the first field's code names the problem


class ClOrdIdReused(Invalid):
    """The client id already names other content of this account, for ever."""

    code = "cl_ord_id_reused"
    title = "The client order id is taken"

    def __init__(self, cl_ord_id: str) -> None:
        super().__init__(
            f"cl_ord_id {cl_ord_id} already names another request of this account; "
            "ids are never used twice. Send this one under a new id."
        )


class MarketClosed(Invalid):
    """The instrument's session is closed and the time in force does not wait."""

    code = "market_closed"
    title = "The market is closed"

    def __init__(self, symbol: str, next_open: datetime | None) -> None:
        opens = f"; it opens at {next_open.isoformat()}" if next_open else ""
        super().__init__(f"{symbol} does not trade now{opens}. GTC orders wait for the open.")


class AuctionCutoff(Invalid):
    """The auction takes no more orders; the next one is named."""

    code = "auction_cutoff"
    title = "The auction takes no more orders"

    def __init__(self, time_in_force: str, cutoff: datetime, following: datetime | None) -> None:
        then = f"; the next auction is at {following.isoformat()}" if following else ""
        message = f"{time_in_force} orders were taken until {cutoff.isoformat()}{then}."
        super().__init__(message, errors=[FieldError("time_in_force", self.code, message)])


class NoReferencePrice(Invalid):
    """No fresh quote: neither collar nor notional can be judged, so nothing is sent."""

    code = "no_reference_price"
    title = "There is no current price"

    def __init__(self, symbol: str) -> None:
        super().__init__(
            f"{symbol} has no quote younger than a few seconds, so its price cannot be judged. "
            "Wait for the feed to return and send the order again."
        )


class RiskRejected(Invalid):
    """Our own refusal; the order is kept as REJECTED and every breach is listed."""

    code = "risk_rejected"
    title = "The order breaches a risk limit"

    def __init__(
        self, breaches: Sequence[Breach], *, order: object, replay: bool, kept_as: str = "order"
    ) -> None:
        super().__init__(
            "; ".join(breach.message for breach in breaches),
            errors=[breach_row(breach) for breach in breaches],
            extra={kept_as: order},
            headers={"Idempotent-Replay": "true"} if replay else {},
        )


def breach_row(breach: Breach) -> FieldError:
    """The row of ``errors[]`` that tells one breach with its numbers."""
    return FieldError(
        field=breach.rule,
        code=str(breach.code),
        message=breach.message,
        extra={
            "rule": breach.rule,
            "value": dec_str(breach.value),
            "limit": dec_str(breach.limit),
            "unit": breach.unit,
        },
    )


class TradingHalted(StateConflict):
    """A halt covers the account, strategy, instrument or the whole firm."""

    code = "trading_halted"
    title = "Trading is halted"

    def __init__(
        self, *, scope: str, target: str | None, since: datetime, reason: str, set_by: str
    ) -> None:
        where = f"{scope} {target}" if target else scope
        super().__init__(
            f"Trading is halted for {where} since {since.isoformat()}: {reason}. "
            "Cancels still pass; new orders wait until the halt is lifted.",
            extra={
                "scope": scope,
                "target": target,
                "since": since.isoformat(),
                "set_by": set_by,
                "reason": reason,
            },
        )


class AccountDisabled(StateConflict):
    """The account exists and is switched off."""

    code = "account_disabled"
    title = "The account is disabled"

    def __init__(self, account: str) -> None:
        super().__init__(f"Account {account} is disabled; an admin of the firm can enable it.")


class EnvironmentMismatch(StateConflict):
    """The account is of one mode and the connection it trades through of another."""

    code = "environment_mismatch"
    title = "Account and connection do not belong together"

    def __init__(self, account: str, mode: str, connection: str, leads_to: str) -> None:
        super().__init__(
            f"Account {account} is {mode}, and its connection {connection} leads to {leads_to}; "
            "nothing is sent between the two. An admin of the firm puts it right."
        )


class LiveScopeMissing(Forbidden):
    """Real money needs a scope of its own."""

    def __init__(self, account: str) -> None:
        super().__init__(f"Account {account} trades real money; that needs the scope orders:live.")


class PreviewExpired(StateConflict):
    """The preview named is too old, or none of this firm that anybody remembers."""

    code = "preview_expired"
    title = "The preview has expired"

    def __init__(self, preview_id: str) -> None:
        super().__init__(
            f"Preview {preview_id} is not in force any more; a preview holds for 30 seconds. "
            "Ask for a new one and confirm that."
        )


class PreviewMismatch(StateConflict):
    """The order is not the one that was previewed."""

    code = "preview_mismatch"
    title = "The order differs from its preview"

    def __init__(self, preview_id: str) -> None:
        super().__init__(
            f"Preview {preview_id} showed another order. Preview this one, or send what was shown."
        )


class PreviewUsed(StateConflict):
    """Another order was sent on the strength of this preview."""

    code = "preview_used"
    title = "The preview was used for another order"

    def __init__(self, preview_id: str) -> None:
        super().__init__(
            f"Preview {preview_id} has confirmed an order of another cl_ord_id already; "
            "one preview confirms one order. Ask for a new one."
        )


class PreviewDrifted(StateConflict):
    """The market moved too far from what the preview showed; a fresh one lies in the body."""

    code = "preview_drifted"
    title = "The price has moved since the preview"

    def __init__(self, preview_id: str, *, shown: str, reference: str, bps: str) -> None:
        super().__init__(
            f"The reference price moved by {bps} basis points since preview {preview_id}, from "
            f"{shown} to {reference}; 25 are allowed. Read the fresh preview and confirm that."
        )


class RequestRefused(StateConflict):
    """The order's state does not allow this cancel or replace; ``errors[0].code`` says which."""

    def __init__(self, inner_code: str, message: str, *, order: object) -> None:
        super().__init__(
            message,
            errors=[FieldError(field="ord_status", code=inner_code, message=message)],
            extra={"order": order},
        )


class ListRefused(StateConflict):
    """The list's state does not allow this; ``errors[0].code`` says which."""

    def __init__(self, inner_code: str, message: str, *, order_list: object) -> None:
        super().__init__(
            message,
            errors=[FieldError(field="list_order_status", code=inner_code, message=message)],
            extra={"order_list": order_list},
        )


class VersionConflict(StateConflict):
    """If-Match named another version than the order's present one."""

    code = "version_conflict"
    http_status = 412
    title = "The order has changed"

    def __init__(self, expected: str, version: int) -> None:
        super().__init__(
            f'If-Match asked for {expected[:32]}, the order is at "v{version}". '
            "Read it again and decide anew."
        )


class StaleOrigClOrdId(StateConflict):
    """``orig_cl_ord_id`` is not the head of the order's amend chain."""

    code = "stale_orig_cl_ord_id"

    def __init__(self, given: str, head: str) -> None:
        super().__init__(f"orig_cl_ord_id {given[:36]} is not the chain's last id; that is {head}.")


class RequestInvalid(Invalid):
    """A replace that asks for nothing, or for something impossible."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(message, errors=[FieldError(field, code, message)])
        self.code = code  # type: ignore[misc]  # one class for the family of replace refusals
