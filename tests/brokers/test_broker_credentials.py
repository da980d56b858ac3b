"""Secrets of connections: written once, opened by sessions, encrypted under keys that change."""

import logging

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection

from brokers import services
from brokers.credentials import (
    keep_credentials,
    master_keys,
    open_credentials,
    revoke_credentials,
)
from brokers.envelope import (
    BadMasterKeys,
    CannotOpen,
    new_data_key,
    new_master_key,
    read_master_keys,
    seal,
    unseal,
)
from brokers.models import BrokerConnection, Credential, CredentialKey, CredentialUse
from tenants.binding import tenant_bound
from tests.brokers.conftest import NOW, SCHEMA, fresh
from trading.vocabulary import Mode

CANARY = "s3cr3t-canary-7f1d"


@pytest.fixture
def exchange(db, brokers_firm) -> BrokerConnection:
    """A connection with a key and a secret."""
    with tenant_bound(SCHEMA):
        made = services.open_connection(
            name=fresh("binance-"), broker="paper", mode=Mode.PAPER, now=NOW
        )
        keep_credentials(
            connection=made,
            values={"api_key": "key-1", "secret": CANARY},
            by="alice@acme.test",
            now=NOW,
        )
    return made


def test_what_was_kept_is_opened_for_the_session(exchange) -> None:
    assert open_credentials(schema=SCHEMA, connection_id=exchange.pk) == {
        "api_key": "key-1",
        "secret": CANARY,
    }


def test_no_table_holds_the_value(exchange) -> None:
    with tenant_bound(SCHEMA), connection.cursor() as cursor:
        for table in ("credential", "credential_key", "broker_connection", "credential_use"):
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ''), '') FROM {table} t")
            (text,) = cursor.fetchone()
            assert CANARY not in text
            assert CANARY.encode().hex() not in text


def test_a_value_copied_to_another_connection_does_not_open(exchange) -> None:
    with tenant_bound(SCHEMA):
        other = services.open_connection(
            name=fresh("copy-"), broker="paper", mode=Mode.PAPER, now=NOW
        )
        for row in Credential.objects.filter(connection=exchange):
            Credential.objects.create(
                connection=other,
                name=row.name,
                key=row.key,
                sealed=row.sealed,
                created_at=NOW,
                created_by="mallory",
            )
    with pytest.raises(CannotOpen):
        open_credentials(schema=SCHEMA, connection_id=other.pk)


def test_every_keeping_and_opening_is_written_down_for_good(exchange) -> None:
    open_credentials(schema=SCHEMA, connection_id=exchange.pk)
    with tenant_bound(SCHEMA):
        uses = CredentialUse.objects.filter(connection=exchange).order_by("id")
        assert [(use.deed, use.by) for use in uses] == [
            ("KEPT", "alice@acme.test"),
            ("OPENED", "system:gateway"),
        ]
    with pytest.raises(DatabaseError, match="append-only"), tenant_bound(SCHEMA):
        CredentialUse.objects.filter(connection=exchange).delete()


def test_new_values_take_the_place_of_the_old_under_a_new_key(exchange) -> None:
    with tenant_bound(SCHEMA):
        (before,) = {row.key_id for row in Credential.objects.filter(connection=exchange)}
        keep_credentials(connection=exchange, values={"api_key": "key-2"}, by="alice", now=NOW)
        assert not CredentialKey.objects.filter(pk=before).exists()
    assert open_credentials(schema=SCHEMA, connection_id=exchange.pk) == {"api_key": "key-2"}


def test_a_new_master_key_takes_over_while_sessions_go_on(exchange, settings) -> None:
    old = settings.OMS_MASTER_KEYS
    settings.OMS_MASTER_KEYS = f"{new_master_key('next')},{old}"
    assert open_credentials(schema=SCHEMA, connection_id=exchange.pk)["secret"] == CANARY
    call_command("rotate_keys", verbosity=0)
    settings.OMS_MASTER_KEYS = settings.OMS_MASTER_KEYS.partition(",")[0]
    assert open_credentials(schema=SCHEMA, connection_id=exchange.pk)["secret"] == CANARY
    settings.OMS_MASTER_KEYS = f"{old},{settings.OMS_MASTER_KEYS}"
    call_command("rotate_keys", verbosity=0)


def test_without_its_master_key_nothing_opens_and_the_reason_is_said(exchange, settings) -> None:
    settings.OMS_MASTER_KEYS = new_master_key("stranger")
    with pytest.raises(CannotOpen, match="master key test is not among those"):
        open_credentials(schema=SCHEMA, connection_id=exchange.pk)


def test_revoked_secrets_are_gone(exchange) -> None:
    with tenant_bound(SCHEMA):
        revoke_credentials(connection=exchange, by="olivia", now=NOW)
        assert not Credential.objects.filter(connection=exchange).exists()
    assert open_credentials(schema=SCHEMA, connection_id=exchange.pk) == {}


def test_no_log_line_and_no_repr_shows_a_secret(exchange, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    opened = open_credentials(schema=SCHEMA, connection_id=exchange.pk)
    assert CANARY not in caplog.text
    key = dict(master_keys().keys)["test"]
    assert str(key) not in repr(master_keys())
    assert opened["secret"] == CANARY


def test_a_changed_ciphertext_does_not_open() -> None:
    key = new_data_key()
    sealed = seal(key, b"secret", bound_to="here")
    assert unseal(key, sealed, bound_to="here") == b"secret"
    for changed in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:5], b""):
        with pytest.raises(CannotOpen):
            unseal(key, changed, bound_to="here")
    with pytest.raises(CannotOpen):
        unseal(key, sealed, bound_to="there")


@pytest.mark.parametrize("text", ["", "one", "one:", "one:AAAA", ":AAAA", "one:!!!"])
def test_master_keys_that_cannot_be_read_are_refused(text) -> None:
    with pytest.raises(BadMasterKeys):
        read_master_keys(text)
