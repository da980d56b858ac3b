"""The amend chain: which version an id names, which came first, what total is in force."""

from collections.abc import Sequence
from decimal import Decimal

from trading.orders.canonical import EXACT, ZERO
from trading.orders.facts import Version
from trading.orders.ledger import EntryKind, Ledger, LedgerEntry, precedes


def find_version(
    versions: Sequence[Version], cl_ord_id: str | None, venue_cl_ord_id: str | None
) -> Version | None:
    """Return the version one of the ids names; the venue's copy of our id goes first."""
    for version in versions:
        if venue_cl_ord_id is not None and version.venue_cl_ord_id == venue_cl_ord_id:
            return version
    for version in versions:
        if cl_ord_id is not None and version.cl_ord_id == cl_ord_id:
            return version
    return None


def put_in_force_before(version: Version, other: Version) -> bool:
    """Whether a version took effect before the other by the venue's order."""
    if version.accepted_at is None or other.accepted_at is None:
        return version.accepted_at is None and other.accepted_at is not None
    return precedes(version.venue_seq, version.accepted_at, other.venue_seq, other.accepted_at)


def clamped_total(chain: Sequence[Version], versions: Sequence[Version], ledger: Ledger) -> Decimal:
    """Return the total in force after ``chain`` (accepted versions, oldest first).

    Each version's total is raised to what the versions before it executed within their own.
    """
    filled_by = [ZERO] * len(chain)
    adjusted_by = [ZERO] * len(chain)
    for item in ledger.effective():
        owner = _owner(item.root, chain, versions)
        into = adjusted_by if item.root.kind is EntryKind.ADJUST else filled_by
        into[owner] = EXACT.add(into[owner], item.qty)
    total, before = chain[0].terms.order_qty, ZERO
    for index, version in enumerate(chain[1:], 1):
        before = EXACT.add(before, EXACT.add(filled_by[index - 1], adjusted_by[index]))
        total = max(version.terms.order_qty, min(before, total))
    return total


def _owner(entry: LedgerEntry, chain: Sequence[Version], versions: Sequence[Version]) -> int:
    """Return the index in ``chain`` of the version an execution belongs to."""
    named = find_version(versions, entry.cl_ord_id, entry.venue_cl_ord_id)
    for index, version in enumerate(chain):
        if version is named:
            return index
    if entry.kind is EntryKind.ADJUST:
        # It comes with the restatement that carries the new total, at the same instant.
        after = [index for index, v in enumerate(chain) if index and not _precedes(entry, v)]
    else:
        after = [index for index, v in enumerate(chain) if index and _follows(entry, v)]
    return after[-1] if after else 0


def _precedes(entry: LedgerEntry, version: Version) -> bool:
    return version.accepted_at is not None and precedes(
        entry.venue_seq, entry.transact_time, version.venue_seq, version.accepted_at
    )


def _follows(entry: LedgerEntry, version: Version) -> bool:
    return version.accepted_at is None or precedes(
        version.venue_seq, version.accepted_at, entry.venue_seq, entry.transact_time
    )
