"""Unknown outcomes called by two people, breaks closed and parked reports settled by one."""

from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.models import Membership
from accounts.roles import Role
from accounts.services import actor_of, add_member, create_user
from approvals.services import decide
from brokers.services import acquire_lease
from common.errors import NotFound, StateConflict
from common.ids import new_ulid
from oms.models import Break, Command, Order, OrderEvent, ParkedReport
from oms.services import protocol
from oms.services.by_person import (
    Closing,
    DoesNotFit,
    Finding,
    NotUnknown,
    apply_parked,
    ask_to_resolve,
    assign_break,
    close_break,
    settle_parked,
)
from risk.models import AccountExposure
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tests.journeys.cast import fresh, utcnow
from trading.orders.reports import ExecutionReport, to_json
from trading.vocabulary import ExecType, ReportSource

LIMIT = {"price": "950.00", "tif": "GTC"}
WHY = "the broker answered by phone"
EVIDENCE = "call with the desk of the venue, reference 4711"


@pytest.fixture
def olivia(acme):
    rows = Membership.objects.select_related("user", "tenant")
    return actor_of(rows.get(user__email="olivia@acme.test", tenant__slug="acme"))


@pytest.fixture
def oscar(acme):
    """A second person for this test; afterwards the firm has one owner again."""
    user = create_user(email=f"{fresh('oscar')}@acme.test", password=None)
    place = add_member(user=user, tenant=Tenant.objects.get(slug="acme"), role=Role.ADMIN)
    yield actor_of(place)
    Membership.objects.filter(pk=place.pk).update(is_active=False)


@pytest.fixture
def lost(market, alice, desk):
    """An order of alice's whose NEW, or later request, got no answer."""
    lease = acquire_lease(
        schema=desk.schema, connection_id=desk.connection_id, holder="here", now=utcnow()
    )

    def _lost(order_id=None):
        order_id = order_id or alice.placed(**LIMIT)
        claimed = protocol.claim_next(
            schema=desk.schema,
            connection_id=desk.connection_id,
            account_id=desk.account_id,
            epoch=lease.epoch,
            now=utcnow(),
        )
        protocol.record_unknown(
            schema=desk.schema, command_id=claimed.id, text="silence", now=utcnow()
        )
        (command,) = desk.rows(Command, pk=claimed.id)
        assert command.state == "UNKNOWN"
        return command

    return _lost


def resolve(desk, command, finding, olivia, oscar):
    with tenant_bound(desk.schema):
        approval = ask_to_resolve(
            command_id=command.id,
            finding=finding,
            evidence=EVIDENCE,
            reason=WHY,
            actor=olivia,
            now=utcnow(),
        )
    with tenant_bound(desk.schema):
        assert Command.objects.get(pk=command.pk).state == "UNKNOWN"
    with tenant_bound(desk.schema):
        return decide(approval_id=approval.id, approve=True, reason=WHY, actor=oscar, now=utcnow())


def open_orders(desk):
    return sum(row.open_orders for row in desk.rows(AccountExposure, account_id=desk.account_id))


@pytest.mark.parametrize(
    ("finding", "state", "status", "held"),
    [
        (Finding.NEVER_ARRIVED, "REFUSED", "REJECTED", 0),
        (Finding.WORKING, "ACKED", "NEW", 1),
        (Finding.CANCELED, "ACKED", "CANCELED", 0),
    ],
)
def test_two_people_call_a_lost_order(
    alice, desk, lost, olivia, oscar, finding, state, status, held
):
    command = lost()
    assert open_orders(desk) == 1
    resolve(desk, command, finding, olivia, oscar)
    (after,) = desk.rows(Command, pk=command.pk)
    assert after.state == state
    assert EVIDENCE in after.evidence[-1]["text"]
    assert alice.order(command.order_id)["ord_status"] == status
    assert open_orders(desk) == held
    last = desk.rows(OrderEvent, order_id=command.order_id)[-1]
    assert (last.source, last.actor) == ("PERSON", oscar.label)


@pytest.mark.parametrize(
    ("finding", "status"), [(Finding.NEVER_ARRIVED, "NEW"), (Finding.CANCELED, "CANCELED")]
)
def test_two_people_call_a_lost_cancel(alice, desk, lost, olivia, oscar, finding, status):
    command = lost()
    resolve(desk, command, Finding.WORKING, olivia, oscar)
    assert alice.cancel(command.order_id).status == 202
    cancel = lost(command.order_id)
    assert cancel.kind == "CANCEL"
    with pytest.raises(DoesNotFit):
        resolve(desk, cancel, Finding.WORKING, olivia, oscar)
    resolve(desk, cancel, finding, olivia, oscar)
    assert alice.order(command.order_id)["ord_status"] == status
    assert not alice.order(command.order_id)["pending"]


def test_an_answer_of_the_venue_goes_before_peoples(alice, desk, lost, olivia, oscar):
    command = lost()
    with tenant_bound(desk.schema):
        approval = ask_to_resolve(
            command_id=command.id, finding=Finding.NEVER_ARRIVED, evidence=EVIDENCE, reason=WHY,
            actor=olivia, now=utcnow(),
        )  # fmt: skip
    say(desk, command, ExecType.NEW, order_id=fresh("V"))
    with pytest.raises(NotUnknown), tenant_bound(desk.schema):
        decide(approval_id=approval.id, approve=True, reason=WHY, actor=oscar, now=utcnow())
    assert alice.order(command.order_id)["ord_status"] == "NEW"
    with pytest.raises(NotUnknown), tenant_bound(desk.schema):
        ask_to_resolve(
            command_id=command.id, finding=Finding.CANCELED, evidence=EVIDENCE, reason=WHY,
            actor=olivia, now=utcnow(),
        )  # fmt: skip


def say(desk, command, exec_type, **fields):
    from oms.services.reports import Incoming, apply_reports

    report = ExecutionReport(
        exec_type=exec_type,
        source=ReportSource.VENUE,
        exec_id=fresh("E"),
        transact_time=utcnow(),
        cl_ord_id=command.cl_ord_id,
        venue_cl_ord_id=command.venue_cl_ord_id,
        **fields,
    )
    apply_reports(
        schema=desk.schema,
        account_id=desk.account_id,
        incoming=[Incoming(report, None)],
        actor="system:gateway",
        now=utcnow(),
    )
    return report


def test_a_command_of_an_account_out_of_reach_is_not_there(desk, lost, olivia, oscar):
    command = lost()
    with pytest.raises(NotFound), tenant_bound(desk.schema):
        ask_to_resolve(
            command_id=command.id, finding=Finding.CANCELED, evidence=EVIDENCE, reason=WHY,
            actor=replace(olivia, accounts=frozenset({"OTHER"})), now=utcnow(),
        )  # fmt: skip


def closing(actor):
    return Closing(reason=WHY, evidence=EVIDENCE, actor=actor, now=utcnow())


@pytest.fixture
def gap(desk):
    with tenant_bound(desk.schema):
        return Break.objects.create(
            id=new_ulid(utcnow()), account_id=desk.account_id, kind="cash", subject=fresh("USD"),
            ours="1", theirs="2", detail="test", opened_at=utcnow(),
        )  # fmt: skip


def test_a_break_has_an_owner_and_is_closed_with_evidence(desk, gap, olivia):
    with tenant_bound(desk.schema):
        assign_break(break_id=gap.id, owner=olivia.label, reason=WHY, actor=olivia, now=utcnow())
    with tenant_bound(desk.schema):
        close_break(break_id=gap.id, closing=closing(olivia))
    (row,) = desk.rows(Break, pk=gap.pk)
    assert (row.owner, row.closed_by) == (olivia.label, olivia.label)
    assert WHY in row.resolution
    assert EVIDENCE in row.resolution
    with pytest.raises(StateConflict), tenant_bound(desk.schema):
        close_break(break_id=gap.id, closing=closing(olivia))
    with pytest.raises(NotFound), tenant_bound(desk.schema):
        close_break(break_id="nothing", closing=closing(olivia))


def parked(desk, report, order_id=None):
    with tenant_bound(desk.schema):
        return ParkedReport.objects.create(
            id=new_ulid(utcnow()), account_id=desk.account_id, order_id=order_id,
            reason="no_such_order", report=report, at=utcnow(),
        )  # fmt: skip


def test_a_parked_report_is_applied_once_its_order_is_there(alice, desk, lost, olivia):
    command = lost()
    report = ExecutionReport(
        exec_type=ExecType.TRADE,
        source=ReportSource.VENUE,
        exec_id=fresh("E"),
        transact_time=utcnow(),
        venue_cl_ord_id=command.venue_cl_ord_id,
        last_qty=Decimal(4),
        last_px=Decimal(950),
        fee=Decimal(0),
        fee_currency="USD",
    )
    row = parked(desk, to_json(report))
    with tenant_bound(desk.schema):
        apply_parked(parked_id=row.id, closing=closing(olivia))
    (row,) = desk.rows(ParkedReport, pk=row.pk)
    assert (row.resolved_by, row.order_id) == (olivia.label, command.order_id)
    assert alice.order(command.order_id)["cum_qty"] == "4"
    with pytest.raises(StateConflict), tenant_bound(desk.schema):
        apply_parked(parked_id=row.id, closing=closing(olivia))
    assert alice.order(command.order_id)["cum_qty"] == "4"


def test_what_still_fits_nowhere_stays_parked_and_alone(desk, olivia):
    report = ExecutionReport(
        exec_type=ExecType.NEW,
        source=ReportSource.VENUE,
        exec_id=fresh("E"),
        transact_time=utcnow(),
        venue_cl_ord_id=fresh("nobody"),
    )
    row = parked(desk, to_json(report))
    unread = parked(desk, None)
    before = len(desk.rows(ParkedReport, account_id=desk.account_id))
    for one in (row, unread):
        with pytest.raises(StateConflict), tenant_bound(desk.schema):
            apply_parked(parked_id=one.id, closing=closing(olivia))
    assert len(desk.rows(ParkedReport, account_id=desk.account_id)) == before
    with tenant_bound(desk.schema):
        settle_parked(parked_id=row.id, closing=closing(olivia))
    (row,) = desk.rows(ParkedReport, pk=row.pk)
    assert row.resolved_at is not None
    assert not desk.rows(Order, pk=row.order_id)
