"""conformance/bad-inputs.md row B32: whose host is it."""

import pytest

from accounts.hosts import normal_host
from tenants.models import Domain


@pytest.mark.parametrize(
    "host",
    ["nobody.localhost", "evil.example", "203.0.113.5", "203.0.113.5:8000", "[2001:db8::1]",
     "north-desk", "north-desk.localhost.evil.example", "a.north-desk.localhost",
     "north_desk.localhost", "localhost.localhost", "public.localhost", ".localhost", "..",
     "t_north_desk.localhost", "xn--mnchen-3ya.localhost", "a" * 300 + ".localhost",
     "north-desk.localhost:abc", "north-desk.localhost..", "north-desk .localhost"],
)  # fmt: skip
def test_hosts_that_are_nobodys_are_404_in_json(api, north, host):
    for path in ("/auth/me", "/nothing"):
        answer = api.at(host).get(path)
        assert (answer.status, answer.json["code"]) == (404, "not_found")
    page = api.client.get("/", headers={"host": host})
    assert page.status_code == 404


@pytest.mark.parametrize(
    "host",
    ["north-desk.localhost", "north-desk.localhost:8000", "NORTH-desk.LocalHost",
     "north-desk.localhost.", "North-Desk.localhost.:8000"],
)  # fmt: skip
def test_port_case_and_trailing_dot_do_not_matter(program, host):
    answer = program.at(host).get("/auth/me")
    assert answer.status == 200
    assert answer.json["tenant"]["slug"] == "north-desk"


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_the_bare_host_serves_a_key_of_any_firm(program, host):
    assert program.at(host).get("/auth/me").json["tenant"]["slug"] == "north-desk"


def test_a_firm_may_have_a_host_name_of_its_own(program, north, south):
    Domain.objects.create(domain="oms.north.example", tenant=north)
    Domain.objects.create(domain="oms.south.example", tenant=south)
    assert program.at("OMS.north.example:443").get("/auth/me").status == 200
    assert program.at("oms.south.example").get("/auth/me").status == 401


def test_normal_forms():
    assert normal_host("A.B.:1") == "a.b"
    assert normal_host("[::1]") == "::1"
    assert normal_host("a:b:c") == ""
