"""Firms that have the demo's past days behind them, committed, one per test run."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection

from marketdata.services import load_reference_data


@pytest.fixture
def db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Here transactions really commit."""
    with django_db_blocker.unblock():
        load_reference_data(now=datetime.now(UTC))
        yield
        connection.close()


@pytest.fixture
def fresh_slug() -> str:
    return f"past-{secrets.token_hex(4)}"
