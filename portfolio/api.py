"""The HTTP doors of the books: accounts, positions, lots, balances, journal, profit. Read only."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Query, Router

from brokers.models import BrokerAccount
from brokers.selectors import access_account, visible_accounts
from common.actor import Actor
from common.errors import FieldError
from common.http.pagination import listing, page
from common.http.ranges import InvalidRange, check_range
from common.http.routes import ApiRequest
from common.numbers import dec_str
from marketdata import symbols
from portfolio import schemas, selectors, shapes

router = Router(tags=["books"])

SCOPE = "positions:read"
# A client's clock may run a little ahead of ours.
CLOCK_TOLERANCE = timedelta(minutes=1)


def _accounts(
    actor: Actor, filters: schemas.BooksQuery
) -> QuerySet[BrokerAccount] | list[BrokerAccount]:
    """The accounts a request is about.

    :raises Forbidden: without the scope.
    :raises NotFound: if the one named is absent or out of reach.
    :raises InvalidRange: if ``as_of`` has not come yet.
    """
    actor.require(SCOPE)
    if filters.as_of is not None and filters.as_of > datetime.now(UTC) + CLOCK_TOLERANCE:
        raise InvalidRange(
            "as_of lies in the future; nobody knows those books.",
            errors=[FieldError("as_of", "invalid_range", "Name an instant that has passed.")],
        )
    if filters.account is not None:
        return [access_account(actor, filters.account)]
    return visible_accounts(actor)


def _within(rows: QuerySet[Any], filters: schemas.HistoryQuery) -> QuerySet[Any]:
    """Rows ``at`` the range asked for. :raises InvalidRange: if it ends before it begins."""
    since, until = filters.since, filters.until
    check_range(since, until)
    if since is not None:
        rows = rows.filter(at__gte=since)
    for end in (until, filters.as_of):
        if end is not None:
            rows = rows.filter(at__lte=end)
    return rows


def _account_rows(accounts: Iterable[BrokerAccount]) -> list[dict[str, Any]]:
    return [
        {
            "account": account.code,
            "name": account.name,
            "broker": account.connection.broker,
            "mode": account.mode,
            "currency": account.currency,
            "state": account.state,
            "buying_power": dec_str(selectors.buying_power(account.pk, account.currency)),
        }
        for account in accounts
    ]


def _require_accounts_scope(actor: Actor) -> None:
    """Who may see orders or positions may see which accounts there are."""
    if not actor.may("orders:read"):
        actor.require(SCOPE)


@router.get("/accounts", response=schemas.AccountPage, summary="Accounts in reach")
def list_accounts(
    request: ApiRequest, filters: Annotated[schemas.AccountsQuery, Query(...)]
) -> Any:
    """Accounts the credentials reach, by the order they were opened."""
    _require_accounts_scope(request.actor)
    rows, following = page(
        visible_accounts(request.actor),
        limit=filters.limit,
        cursor=filters.cursor,
        descending=False,
    )
    return listing(_account_rows(rows), following)


@router.get("/accounts/{code}", response=schemas.AccountOut, summary="One account")
def get_account(request: ApiRequest, code: str) -> Any:
    """One account by its code."""
    _require_accounts_scope(request.actor)
    return _account_rows([access_account(request.actor, code)])[0]


@router.get("/positions", response=schemas.PositionPage, summary="Positions, valued")
def list_positions(
    request: ApiRequest, filters: Annotated[schemas.HoldingsQuery, Query(...)]
) -> Any:
    """Positions, flat ones with their realised profit included, valued at the last marks."""
    rows = selectors.positions(_accounts(request.actor, filters))
    if filters.symbol is not None:
        rows = rows.filter(symbol=symbols.checked(filters.symbol))
    found, following = page(rows, limit=filters.limit, cursor=filters.cursor, descending=False)
    held = selectors.held(found, as_of=filters.as_of)
    if filters.as_of is None:
        latest = selectors.marks(one.symbol for one in held)
        marks = {(one.account, one.symbol): latest.get(one.symbol) for one in held}
    else:
        codes = {row.account_id: row.account.code for row in found}
        recorded = selectors.marks_as_of(codes, filters.as_of)
        marks = {(codes[pk], symbol): mark for (pk, symbol), mark in recorded.items()}
    items = [shapes.position_json(one, marks.get((one.account, one.symbol))) for one in held]
    return listing(items, following)


@router.get("/lots", response=schemas.LotPage, summary="Open lots")
def list_lots(request: ApiRequest, filters: Annotated[schemas.HoldingsQuery, Query(...)]) -> Any:
    """Lots that are open now, or were ``as_of``; oldest first."""
    rows = selectors.open_lots(_accounts(request.actor, filters), as_of=filters.as_of)
    if filters.symbol is not None:
        rows = rows.filter(position__symbol=symbols.checked(filters.symbol))
    found, following = page(rows, limit=filters.limit, cursor=filters.cursor, descending=False)
    return listing([shapes.lot_json(lot) for lot in found], following)


@router.get("/balances", response=schemas.BalancePage, summary="Cash and equity")
def list_balances(request: ApiRequest, filters: Annotated[schemas.LedgersQuery, Query(...)]) -> Any:
    """Cash, what open buy orders hold of it, and equity, per account and currency."""
    rows = selectors.balances(_accounts(request.actor, filters), currency=filters.currency)
    found, following = page(rows, limit=filters.limit, cursor=filters.cursor, descending=False)
    items = [
        shapes.balance_json(
            book.account,
            book.currency,
            book.valuation,
            reserved=selectors.reserved_cash(book.account_id, book.currency)
            if filters.as_of is None
            else None,
            simulated=book.simulated,
        )
        for book in selectors.books(found, as_of=filters.as_of)
    ]
    return listing(items, following)


@router.get("/journal", response=schemas.EntryPage, summary="Journal entries")
def list_journal(request: ApiRequest, filters: Annotated[schemas.JournalQuery, Query(...)]) -> Any:
    """Every booking with its lines, newest first."""
    rows = _within(selectors.entries(_accounts(request.actor, filters)), filters)
    if filters.reason is not None:
        rows = rows.filter(reason=filters.reason)
    if filters.ref is not None:
        rows = rows.filter(ref=filters.ref)
    found, following = page(rows, limit=filters.limit, cursor=filters.cursor)
    lines = selectors.lines_of(found)
    return listing([shapes.entry_json(entry, lines[entry.id]) for entry in found], following)


@router.get("/pnl", response=schemas.PnlPage, summary="Profit and loss")
def list_pnl(request: ApiRequest, filters: Annotated[schemas.LedgersQuery, Query(...)]) -> Any:
    """Realised and unrealised profit and fees per account and currency."""
    rows = selectors.balances(_accounts(request.actor, filters), currency=filters.currency)
    found, following = page(rows, limit=filters.limit, cursor=filters.cursor, descending=False)
    moment = filters.as_of or datetime.now(UTC)
    items = [
        shapes.pnl_json(
            book.account, book.currency, book.valuation, as_of=moment, simulated=book.simulated
        )
        for book in selectors.books(found, as_of=filters.as_of)
    ]
    return listing(items, following)


@router.get("/pnl/snapshots", response=schemas.SnapshotPage, summary="Recorded valuations")
def list_snapshots(
    request: ApiRequest, filters: Annotated[schemas.SnapshotsQuery, Query(...)]
) -> Any:
    """Valuations as they were recorded, newest first."""
    rows = _within(selectors.snapshots(_accounts(request.actor, filters)), filters)
    if filters.currency is not None:
        rows = rows.filter(currency=filters.currency)
    found, following = page(rows, limit=filters.limit, cursor=filters.cursor)
    return listing([shapes.snapshot_json(row) for row in found], following)
