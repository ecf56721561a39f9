"""Counts what has happened since, in steps; anybody may, at any time, from several processes at once."""

from __future__ import annotations

from time import monotonic

from orderloom.runtime.analytics.counting import count_journal, count_other
from orderloom.runtime.store.interface import Store

#: rows of the journal in one step
ROWS = 500


def count_some(store: Store, rows: int = ROWS) -> int:
    """One step of each source; returns how many rows it has passed, 0 at the end of all."""
    passed = 0
    journal = store.journal_slice(rows)
    if journal.rows:
        counted = count_journal(journal)
        store.keep_facts("journal", journal.position, journal.last, counted.facts, counted.memories, counted.over)
        passed += len(journal.rows)
    for found in (store.work_slice(rows), store.feed_slice(rows)):
        if found.last > found.position:
            store.keep_facts(found.source, found.position, found.last, count_other(found).facts)
            passed += found.last - found.position
    return passed


def count_all(store: Store, within: float) -> bool:
    """Counts for at most so many seconds; returns whether the end was reached."""
    end = monotonic() + within
    while count_some(store, ROWS):
        if monotonic() > end:
            return store.uncounted() == 0
    return True
