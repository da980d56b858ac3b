"""``manage.py create_tenant``: the first thing an operator does."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Membership, User
from tenants.selectors import tenant_by_slug


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("create_tenant", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_firm_comes_with_an_owner_who_can_log_in_and_the_password_is_shown_once():
    shown = run("cmd-desk", "--name", "Command Desk", "--owner", "Owner@Cmd.test")
    place = Membership.objects.get(tenant=tenant_by_slug("cmd-desk"))
    assert (place.role, place.user.email) == ("owner", "owner@cmd.test")
    password = shown.strip().rpartition(" ")[2]
    assert place.user.check_password(password)
    again = run("cmd-desk-two", "--owner", "owner@cmd.test")
    assert "password" not in again
    assert place.user.memberships.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(["admin", "--owner", "a@b.test"], "kept"), (["A", "--owner", "a@b.test"], "slug")],
)
def test_a_refusal_is_one_line_and_leaves_nothing(arguments, reason):
    with pytest.raises(CommandError, match=reason):
        run(*arguments)
    assert not User.objects.filter(email="a@b.test").exists()
