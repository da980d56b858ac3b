"""Reads of connections and accounts. ``access_account`` is the one door to a user's account."""

from collections.abc import Iterable

from django.db.models import QuerySet

from brokers.models import BrokerAccount, BrokerConnection, PaperFault
from common.actor import Actor
from common.errors import NotFound


def visible_accounts(actor: Actor) -> QuerySet[BrokerAccount]:
    """The accounts this actor may see, by code."""
    accounts = BrokerAccount.objects.select_related("connection").order_by("code")
    if actor.accounts is not None:
        accounts = accounts.filter(code__in=list(actor.accounts))
    return accounts


def access_account(actor: Actor, code: str) -> BrokerAccount:
    """Return the account. :raises NotFound: if it is absent or out of the actor's reach."""
    account = visible_accounts(actor).filter(code=code).first()
    if account is None:
        raise NotFound
    return account


def accounts_by_code(codes: Iterable[str]) -> dict[str, BrokerAccount]:
    """The accounts of these codes; codes that do not exist are absent. No reach is checked."""
    found = BrokerAccount.objects.select_related("connection").filter(code__in=set(codes))
    return {account.code: account for account in found}


def visible_connections(actor: Actor) -> QuerySet[BrokerConnection]:
    """The connections of this firm; for an actor held to some accounts, those that carry one."""
    connections = BrokerConnection.objects.order_by("name")
    if actor.accounts is not None:
        carrying = visible_accounts(actor).order_by().values("connection_id")
        connections = connections.filter(id__in=carrying)
    return connections


def access_connection(actor: Actor, name: str) -> BrokerConnection:
    """Return the connection. :raises NotFound: if absent or out of the actor's reach."""
    connection = visible_connections(actor).filter(name=name).first()
    if connection is None:
        raise NotFound
    return connection


def account_codes(actor: Actor, connections: Iterable[BrokerConnection]) -> dict[int, list[str]]:
    """The codes in the actor's reach by connection id; a connection without one is absent."""
    codes: dict[int, list[str]] = {}
    ids = [connection.id for connection in connections]
    for account in visible_accounts(actor).filter(connection_id__in=ids):
        codes.setdefault(account.connection_id, []).append(account.code)
    return codes


def active_faults(connections: Iterable[BrokerConnection]) -> dict[int, list[PaperFault]]:
    """The faults that will still show, by connection id."""
    ids = [connection.id for connection in connections]
    faults: dict[int, list[PaperFault]] = {}
    for fault in PaperFault.objects.filter(venue_id__in=ids, remaining__gt=0).order_by("id"):
        faults.setdefault(fault.venue_id, []).append(fault)
    return faults
