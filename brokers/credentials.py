"""Keeps the secrets of connections and opens them for their sessions.

A value is written once and never shown again: only the session that logs on opens it. Every
opening is a row.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

from django.conf import settings

from brokers.envelope import MasterKeys, new_data_key, read_master_keys, seal, unseal
from brokers.models import BrokerConnection, Credential, CredentialKey, CredentialUse
from tenants.binding import require_bound, tenant_bound

GATEWAY = "system:gateway"


@cache
def _master_keys(text: str) -> MasterKeys:
    return read_master_keys(text)


def master_keys() -> MasterKeys:
    """The keys of this system, as the settings have them."""
    return _master_keys(settings.OMS_MASTER_KEYS)


def keep_credentials(
    *, connection: BrokerConnection, values: Mapping[str, str], by: str, now: datetime
) -> None:
    """Encrypt and keep these values in the place of what the connection had. Joins the transaction.

    The data key is made anew with every change, so an old backup opens nothing new.
    """
    schema = require_bound()
    keys = master_keys()
    data_key = new_data_key()
    key = CredentialKey.objects.create(
        master_key_id=keys.current,
        wrapped=seal(keys.get(keys.current), data_key, bound_to=schema),
        created_at=now,
    )
    Credential.objects.filter(connection=connection).delete()
    for name, value in values.items():
        Credential.objects.create(
            connection=connection,
            name=name,
            key=key,
            sealed=seal(data_key, value.encode(), bound_to=_owner(schema, connection.pk, name)),
            created_at=now,
            created_by=by,
        )
    _forget_unused_keys()
    _note(connection.pk, CredentialUse.Deed.KEPT, by, now)
    if connection.state == BrokerConnection.State.DISABLED:
        _move(connection, BrokerConnection.State.DOWN, "a new key was kept", now)


def open_credentials(*, schema: str, connection_id: int, by: str = GATEWAY) -> dict[str, str]:
    """Return a connection's secrets by name, and write down that they were opened.

    :raises CannotOpen: if a value was tampered with, or its master key is not here.
    """
    with tenant_bound(schema):
        keys = master_keys()
        rows = list(Credential.objects.filter(connection_id=connection_id).select_related("key"))
        opened = {}
        for row in rows:
            data_key = unseal(
                keys.get(row.key.master_key_id), bytes(row.key.wrapped), bound_to=schema
            )
            owner = _owner(schema, connection_id, row.name)
            opened[row.name] = unseal(data_key, bytes(row.sealed), bound_to=owner).decode()
        if opened:
            _note(connection_id, CredentialUse.Deed.OPENED, by, datetime.now(UTC))
        return opened


def revoke_credentials(*, connection: BrokerConnection, by: str, now: datetime) -> None:
    """Delete a connection's secrets, and with them the last key that opened them.

    The connection is disabled: its session ends, and none begins until a new key is kept.
    """
    require_bound()
    Credential.objects.filter(connection=connection).delete()
    _forget_unused_keys()
    _note(connection.pk, CredentialUse.Deed.REVOKED, by, now)
    _move(connection, BrokerConnection.State.DISABLED, f"its key was revoked by {by}", now)


def rotate_keys(*, schema: str) -> int:
    """Encrypt a firm's data keys by the current master key; returns how many had another.

    Sessions go on: what they opened stays open, and the old master key still opens what is left.
    """
    keys = master_keys()
    with tenant_bound(schema):
        behind = CredentialKey.objects.select_for_update().exclude(master_key_id=keys.current)
        rotated = 0
        for key in behind:
            data_key = unseal(keys.get(key.master_key_id), bytes(key.wrapped), bound_to=schema)
            key.wrapped = seal(keys.get(keys.current), data_key, bound_to=schema)
            key.master_key_id = keys.current
            key.save(update_fields=["wrapped", "master_key_id"])
            rotated += 1
        return rotated


def _owner(schema: str, connection_id: int, name: str) -> str:
    return f"{schema}/{connection_id}/{name}"


def _forget_unused_keys() -> None:
    CredentialKey.objects.exclude(pk__in=Credential.objects.values("key_id")).delete()


def _move(
    connection: BrokerConnection, state: BrokerConnection.State, reason: str, now: datetime
) -> None:
    BrokerConnection.objects.filter(pk=connection.pk).update(
        state=state, reason=reason[:200], state_since=now
    )


def _note(connection_id: int, deed: CredentialUse.Deed, by: str, now: datetime) -> None:
    CredentialUse.objects.create(connection_id=connection_id, deed=deed, by=by, at=now)
