"""What an exception of the library says about a command.

Classes are compared by name, so that reading a kept message never loads the library. An exception
is definite only where it is listed; everything else may have happened.
"""

from collections.abc import Mapping
from datetime import timedelta

from brokers.adapters.base import NotExecuted, Rejected, Unknown
from trading.vocabulary import CxlRejReason, OrdRejReason

NOT_EXECUTED = frozenset({"RateLimitExceeded", "DDoSProtection", "InvalidNonce"})
"""The exchange read the request and did nothing."""
REFUSALS = {
    "InsufficientFunds": OrdRejReason.INSUFFICIENT_FUNDS,
    "OrderImmediatelyFillable": OrdRejReason.WOULD_TAKE,
    "BadSymbol": OrdRejReason.UNKNOWN_SYMBOL,
    "MarketClosed": OrdRejReason.EXCHANGE_CLOSED,
    "DuplicateOrderId": OrdRejReason.DUPLICATE,
    "InvalidOrder": OrdRejReason.VENUE,
    "BadRequest": OrdRejReason.VENUE,
    "ArgumentsRequired": OrdRejReason.VENUE,
    "OperationRejected": OrdRejReason.VENUE,
    "NotSupported": OrdRejReason.VENUE,
    "AuthenticationError": OrdRejReason.VENUE,
}
MAYBE = "NetworkError"
NO_SUCH_ORDER = "OrderNotFound"
SIGNED_OUT = frozenset({"AuthenticationError", "PermissionDenied", "AccountSuspended"})
RETRY = timedelta(seconds=1)
LONGEST_TEXT = 300


def names_of(failure: BaseException) -> list[str]:
    """The names of an exception's class and of those it derives from, nearest first."""
    return [cls.__name__ for cls in type(failure).__mro__]


def is_signed_out(failure: BaseException, words: tuple[str, ...]) -> bool:
    """Whether the exchange no longer takes the connection's credentials; ``words`` are its own."""
    said = str(failure)
    return not SIGNED_OUT.isdisjoint(names_of(failure)) or any(word in said for word in words)


def is_network(failure: BaseException) -> bool:
    """Whether it is the library's word for 'nobody knows': a timeout, a dropped line, a 5xx."""
    return MAYBE in names_of(failure)


def is_absent(failure: BaseException) -> bool:
    """Whether the exchange says that it knows no such order."""
    return NO_SUCH_ORDER in names_of(failure)


def of_new_order(
    failure: BaseException, duplicate: tuple[str, ...], headers: Mapping[str, str]
) -> Rejected | Unknown | NotExecuted:
    """What became of a new order whose sending raised; ``duplicate`` are the exchange's words
    for an id it has already.
    """
    text = _text(failure)
    if any(word in text for word in duplicate):
        return Rejected(OrdRejReason.DUPLICATE, text)
    names = names_of(failure)
    if not NOT_EXECUTED.isdisjoint(names):
        return NotExecuted(text, retry_after(headers))
    if MAYBE in names:
        return Unknown(text)
    for name in names:
        if name in REFUSALS:
            return Rejected(REFUSALS[name], text)
    return Unknown(text)


def of_request(
    failure: BaseException, headers: Mapping[str, str]
) -> Rejected | Unknown | NotExecuted:
    """What became of a cancel or an amendment whose sending raised."""
    names, text = names_of(failure), _text(failure)
    if not NOT_EXECUTED.isdisjoint(names):
        return NotExecuted(text, retry_after(headers))
    if MAYBE in names:
        return Unknown(text)
    if NO_SUCH_ORDER in names:
        return Rejected(CxlRejReason.UNKNOWN_ORDER, text)
    if any(name in REFUSALS for name in names):
        return Rejected(CxlRejReason.OTHER, text)
    return Unknown(text)


def retry_after(headers: Mapping[str, str]) -> timedelta:
    """How long the exchange asks to wait; a second where it does not say."""
    for name, value in headers.items():
        if name.lower() == "retry-after" and value.isdigit():
            return max(timedelta(seconds=int(value)), RETRY)
    return RETRY


def _text(failure: BaseException) -> str:
    return f"{type(failure).__name__}: {failure}"[:LONGEST_TEXT]
