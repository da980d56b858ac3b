"""What only shows when transactions really commit: threads at once, and firms side by side."""

import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection

from portfolio import selectors, tasks
from portfolio.models import JournalEntry, PnlSnapshot, Position
from tenants.binding import tenant_bound
from tenants.celery import HEADER
from tests.portfolio.conftest import desk_of

D = Decimal


@pytest.fixture
def db(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The database without a transaction around the test."""
    with django_db_blocker.unblock():
        yield
        connection.close()


def test_threads_that_book_at_once_lose_and_double_nothing(fresh_firm, quotes):
    """Both instruments' first fills race too: rows are made once, nobody waits in a circle."""
    with tenant_bound(fresh_firm):
        desk = desk_of(fresh_firm)
        several = [
            (desk.fill("BUY" if n % 3 else "SELL", "1", "100"), (desk.spx, desk.ixic)[n % 2])
            for n in range(40)
        ]
    failures: list[BaseException] = []

    def work(mine: list) -> None:
        try:
            # Two bookings per transaction, and every fill is offered by two threads.
            for start in range(0, len(mine), 2):
                with tenant_bound(fresh_firm):
                    for fill, instrument in mine[start : start + 2]:
                        desk.book_again(fill, instrument=instrument)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)
        finally:
            connection.close()

    halves = [several, several, several[::-1], several[::-1]]
    threads = [threading.Thread(target=work, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with tenant_bound(fresh_firm):
        expected = {("BOOK-1", "SPX"): D(0), ("BOOK-1", "IXIC"): D(0)}
        for fill, instrument in several:
            expected["BOOK-1", instrument.symbol] += fill.side.sign
        assert selectors.check_books(expected) == []
        assert JournalEntry.objects.filter(reason="FILL").count() == 40
        assert Position.objects.count() == 2


def test_two_firms_do_not_meet(fresh_firm, books_firm, quotes):
    tasks.snapshot_pnl_of_firm.apply(headers={HEADER: fresh_firm}).get()
    with tenant_bound(fresh_firm):
        assert PnlSnapshot.objects.count() == 2
    with tenant_bound(books_firm):
        assert PnlSnapshot.objects.count() == 0
