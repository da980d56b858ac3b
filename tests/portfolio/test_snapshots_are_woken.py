"""Beat wakes one task, which wakes one per firm; a tenant's task sees that tenant alone."""

from unittest.mock import Mock, call

from portfolio import tasks
from portfolio.models import PnlSnapshot
from tenants.celery import HEADER


def test_every_due_firm_gets_a_task_of_its_own(monkeypatch):
    monkeypatch.setattr(tasks, "claim_due", lambda _job, **_: ["t_acme", "t_globex"])
    sent = Mock()
    monkeypatch.setattr(tasks, "send", sent)
    tasks.snapshot_pnl()
    assert sent.mock_calls == [
        call(tasks.snapshot_pnl_of_firm, "t_acme"),
        call(tasks.snapshot_pnl_of_firm, "t_globex"),
    ]


def test_the_task_records_its_firm(desk):
    desk.book("BUY", "1", "100")
    tasks.snapshot_pnl_of_firm.apply(headers={HEADER: desk.schema}).get()
    rows = PnlSnapshot.objects.values_list("account__code", "currency", "equity")
    assert sorted(rows, key=str) == [("BOOK-1", "USD", None), ("BOOK-2", "USD", 1_000_000)]
