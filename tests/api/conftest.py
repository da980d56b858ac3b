"""The API's door, seen by a program that may do anything in one firm."""

import pytest

from accounts.roles import Role
from tests.accounts.conftest import (
    _firms_made,
    api,
    key_of,
    member,
    north,
    south,
)

__all__ = ["_firms_made", "api", "key_of", "member", "north", "south"]


@pytest.fixture
def program(api, member, north, key_of):
    """A program with an owner's key, at the bare host."""
    return api.with_(key_of(member(north, Role.OWNER), "admin", "orders:write", "risk:write"))
