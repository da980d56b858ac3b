# ruff: noqa: E501 - a planted fault is one line, before and after
"""``python -m tests.reliability.mutants``: does the simulation notice when the core is wrong?

Each planted fault changes one place of one module, in memory; the schedules of fixed seeds then
run over it until one fails. A fault that no schedule notices survives. The gate: at most two do.
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType

SURVIVORS_ALLOWED = 2
CORE = "trading.orders."
MUTANTS: tuple[tuple[str, str, str], ...] = (
    # executions and their ledger
    (CORE + "executions", "    if known is not None:\n        return _again(state, report, known, EntryKind.TRADE)", "    if known is None and False:\n        return _again(state, report, known, EntryKind.TRADE)"),
    (CORE + "executions", "closing = done = stop = suspend = None", "closing = closing"),
    (CORE + "executions", "if cell is Cell.LATE else Verdict.APPLIED", "if cell is Cell.FOLD else Verdict.APPLIED"),
    (CORE + "executions", "return Applied(state.with_(held=(*state.held, report)), Verdict.HELD)", "return recorded(state)"),
    (CORE + "executions", "    if after.held:\n        after, released = _release(after)\n        entries += released\n    return _booked(state, after, report, cell, entries)\n\n\ndef correction", "    return _booked(state, after, report, cell, entries)\n\n\ndef correction"),
    (CORE + "executions", "ZERO if busted else report.last_qty or ZERO", "report.last_qty or ZERO"),
    (CORE + "executions", "        acked=True,\n        unseen=False,\n        closing=closing,", "        acked=state.acked,\n        unseen=False,\n        closing=closing,"),
    (CORE + "executions", "return recorded(state) if same else parked(state, \"exec_conflict\")", "return recorded(state)"),
    (CORE + "ledger", "EXACT.add(self.cum_qty, entry.qty),", "EXACT.add(entry.qty, entry.qty),"),
    (CORE + "ledger", "EXACT.add(self.gross_trade_amt, EXACT.multiply(entry.qty, entry.px)),", "EXACT.multiply(entry.qty, entry.px),"),
    (CORE + "ledger", "busted.add(self.root_of(entry).exec_id)", "busted.add(entry.exec_ref_id or \"\")"),
    (CORE + "ledger", "root = self.root_of(entry).exec_id", "root = entry.exec_ref_id or \"\""),
    (CORE + "ledger", "if now is None or not precedes(", "if now is None or precedes("),
    (CORE + "ledger", "return seq < other_seq", "return seq > other_seq"),
    # what is read off the facts
    (CORE + "state", "if cum_qty and cum_qty >= self.order_qty:", "if cum_qty and cum_qty > self.order_qty:"),
    (CORE + "state", "elif closing.closed_as is not OrdStatus.REJECTED:\n            return closing.closed_as", "elif closing.closed_as is not OrdStatus.REJECTED and not cum_qty:\n            return closing.closed_as"),
    (CORE + "state", "if self.pending_cancels:\n            return OrdStatus.PENDING_CANCEL", "if self.pending_cancels and not self.cum_qty:\n            return OrdStatus.PENDING_CANCEL"),
    (CORE + "state", "        if status in CLOSED_STATUSES:\n            return ZERO", "        if status is OrdStatus.FILLED:\n            return ZERO"),
    (CORE + "state", "rest = EXACT.subtract(max(self.order_qty, *asked, ZERO), self.ledger.cum_qty)", "rest = EXACT.subtract(self.terms.order_qty, self.order_qty)"),
    (CORE + "state", "return OrdStatus.NEW if self.acked else OrdStatus.PENDING_NEW", "return OrdStatus.PENDING_NEW if self.acked else OrdStatus.NEW"),
    (CORE + "facts", "DAY_LIKE = frozenset({TimeInForce.DAY,", "DAY_LIKE = frozenset({TimeInForce.GTC, TimeInForce.DAY,"),
    (CORE + "chain", "if venue_cl_ord_id is not None and version.venue_cl_ord_id == venue_cl_ord_id:", "if venue_cl_ord_id is not None and version.number == 0:"),
    # the order's life
    (CORE + "lifecycle", "    if cell is Cell.QUERY:\n        return recorded(after, Query.ORDER)\n    query = unexplained(after, report)\n    if closing is not None", "    if cell is Cell.QUERY:\n        return recorded(state, Query.ORDER)\n    query = unexplained(after, report)\n    if closing is not None"),
    (CORE + "lifecycle", "        pending_cancels=frozenset(),\n        pending_replaces=frozenset(),", "        pending_cancels=state.pending_cancels,\n        pending_replaces=frozenset(),"),
    (CORE + "lifecycle", "        pending_replaces=frozenset(),\n        resolved=state.resolved | settled,", "        pending_replaces=state.pending_replaces,\n        resolved=state.resolved | settled,"),
    (CORE + "lifecycle", "        acked=True,\n        unseen=_unseen(state, report),\n        versions=with_order_id(state, report),\n        trailed", "        unseen=_unseen(state, report),\n        versions=with_order_id(state, report),\n        trailed"),
    (CORE + "lifecycle", "        closed_as = OrdStatus.CANCELED\n    elif", "        closed_as = OrdStatus.EXPIRED\n    elif"),
    (CORE + "lifecycle", "    if cell is Cell.PARK or state.cum_qty:\n        return parked(state)", "    if cell is Cell.PARK or not state.cum_qty:\n        return parked(state)"),
    # requests
    (CORE + "amendments", "        pending_cancels=state.pending_cancels - {request},", "        pending_cancels=state.pending_cancels,"),
    (CORE + "amendments", "        pending_replaces=state.pending_replaces - {request},\n        resolved=state.resolved | {request},\n        versions", "        resolved=state.resolved | {request},\n        versions"),
    (CORE + "amendments", "            item._replace(state=VersionState.REJECTED) if item is version else item", "            item._replace(state=VersionState.ACCEPTED) if item is version else item"),
    (CORE + "amendments", "        or request in state.resolved\n", ""),
    (CORE + "amendments", "        VersionState.ACCEPTED,\n        report.order_id or version", "        VersionState.PENDING,\n        report.order_id or version"),
    (CORE + "amendments", "    terms = _terms(report, state.terms)\n    if not _storable(terms):\n        return parked(state)\n    entries", "    terms = state.terms\n    entries"),
    # what status answers add
    (CORE + "status", "    elif answer.cum_qty > state.cum_qty:\n        return (), Query.EXECUTIONS, False\n", ""),
    (CORE + "status", "        missing.append(_said(answer, _SAID_BY[said]))", "        missing.append(_said(answer, ExecType.NEW))"),
    # the command protocol
    ("trading.protocol", "    return Step.RESEND if dedup_is_full else Step.PROVE", "    return Step.RESEND"),
    ("trading.protocol", "        and blind[-1] >= valid_until + quiet\n", ""),
    ("trading.protocol", "        if proves_existence:\n            return Answer.UNKNOWN\n", ""),
    ("trading.protocol", "    if answer is Answer.NOT_EXECUTED and was_unknown:\n        return Answer.UNKNOWN\n", ""),
    ("trading.numbering", "return Numbers(self.taken + 1, ", "return Numbers(self.shown + 1, "),
    ("trading.protocol", "if kind is CommandKind.NEW or leaves_qty != 0:", "if True:"),
    ("trading.protocol", "    return kind is CommandKind.CANCEL or attempt < MAX_ATTEMPTS", "    return attempt < MAX_ATTEMPTS"),
    ("trading.protocol", "if (order.acked and not order.unseen) or order.cum_qty > ZERO or order.is_closed:", "if order.is_closed:"),
    # the books
    ("trading.lots", "closing = min(last_qty, held.copy_abs()) if reduces else ZERO", "closing = last_qty if reduces and last_qty <= held.copy_abs() else ZERO"),
    ("trading.rebooking", "    lines += _shift(later, after, where)\n", ""),
    ("trading.rebooking", "        fill = corrected if item is first else item.fill\n", "        fill = item.fill\n"),
    ("trading.rebooking", "        self.history[place:] = result.history\n", ""),
    ("trading.journal", "            exact.negate(line.amount),\n            line.symbol,", "            line.amount,\n            line.symbol,"),
)  # fmt: skip


class _Patched(importlib.machinery.SourceFileLoader):
    """Loads one module with a change in its source."""

    def __init__(self, name: str, path: str, old: str, new: str) -> None:
        super().__init__(name, path)
        self.old, self.new = old, new

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_source(fullname) or ""
        if source.count(self.old) != 1:
            raise ValueError(f"{fullname} holds {source.count(self.old)} times: {self.old!r}")
        return compile(source.replace(self.old, self.new), self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, old: str, new: str) -> None:
        self.module, self.old, self.new = module, old, new

    def find_spec(self, fullname, path, target=None):
        if fullname != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        loader = _Patched(fullname, spec.origin, self.old, self.new)
        return importlib.util.spec_from_loader(fullname, loader, origin=spec.origin)


@contextmanager
def planted(module: str, old: str, new: str) -> Iterator[None]:
    """Within the block, modules loaded anew have the fault; afterwards none of them is kept."""
    kept = {name: mod for name, mod in sys.modules.items() if _concerned(name)}
    for name in kept:
        del sys.modules[name]
    finder = _Finder(module, old, new)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _concerned(name)]:
            del sys.modules[name]
        sys.modules.update(kept)


def _concerned(name: str) -> bool:
    mine = name.startswith("tests.reliability.") and not name.endswith(".mutants")
    return mine or name == "trading" or name.startswith("trading.")


def killed_by(mutant: tuple[str, str, str], seed: int, schedules: int) -> tuple[int, str] | None:
    """The seed that notices the fault, and how; None if none does."""
    with planted(*mutant):
        make = importlib.import_module("tests.reliability.schedule").make
        run = importlib.import_module("tests.reliability.world").run
        for number in range(seed, seed + schedules):
            try:
                run(make(number), replay=number % 4 == 0)
            except Exception as failure:  # noqa: BLE001 - any failure is a kill
                return number, f"{type(failure).__name__}: {failure}"[:100]
    return None


def main(arguments: list[str]) -> int:
    """Try every planted fault; exit status 1 if more than the allowed survive."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--schedules", type=int, default=2_500, help="at most so many for each")
    parser.add_argument("--every", type=int, default=1, help="only every nth fault (short form)")
    options = parser.parse_args(arguments)
    begun, survivors, tried = time.monotonic(), [], MUTANTS[:: options.every]
    for mutant in tried:
        found = killed_by(mutant, options.seed, options.schedules)
        number = MUTANTS.index(mutant)
        if found is None:
            survivors.append(number)
            print(f"{number:2} SURVIVES {mutant[0]}: {mutant[2].strip()[:80]!r}", flush=True)
        else:
            print(f"{number:2} killed by seed {found[0]}: {found[1]}", flush=True)
    dead = len(tried) - len(survivors)
    print(f"{dead} of {len(tried)} planted faults noticed in {time.monotonic() - begun:.0f} s")
    return int(len(survivors) > SURVIVORS_ALLOWED)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
