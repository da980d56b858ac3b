"""The registry of subscribers: code of upper apps that follows every tenant's stream.

An app states its subscribers in its own ``subscribers.py``, which ``autodiscover`` imports::

    register("oms.halts", ("halt.set",), cancel_open_orders)
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules

from events.models import Event


class Handler(Protocol):
    """What a subscriber does with one event.

    It runs in a transaction bound to the event's tenant, together with the step of the cursor:
    database effects happen exactly once, everything else at least once, so it must be idempotent
    by ``event.id``.
    """

    def __call__(self, event: Event, *, now: datetime) -> None:
        """Handle ``event``; an exception undoes its writes and has it tried again later."""


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One registered subscriber; ``types`` are exact or end in ``.*``, none means all.

    ``start`` says where it begins in a tenant it has not followed yet.
    """

    name: str
    types: tuple[str, ...]
    handler: Handler
    start: Literal["first", "head"] = "first"


_registry: dict[str, Subscriber] = {}


def register(
    name: str,
    types: tuple[str, ...],
    handler: Handler,
    *,
    start: Literal["first", "head"] = "first",
) -> None:
    """Add a subscriber; the name is its cursor's key and must never change.

    :raises ImproperlyConfigured: if the name is taken by another handler, or over 64 characters.
    """
    if not 1 <= len(name) <= 64:
        raise ImproperlyConfigured(f"A subscriber's name has 1 to 64 characters: {name!r}")
    known = _registry.get(name)
    if known is not None and known.handler is not handler:
        raise ImproperlyConfigured(f"Two subscribers are named {name}.")
    _registry[name] = Subscriber(name, types, handler, start)


def registered() -> tuple[Subscriber, ...]:
    """Return every subscriber, in the order of registration."""
    return tuple(_registry.values())


def autodiscover() -> None:
    """Import ``<app>.subscribers`` of every installed app."""
    autodiscover_modules("subscribers")
