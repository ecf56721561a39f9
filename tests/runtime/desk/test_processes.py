"""Processes that take and give back the same items and are killed at any moment leave each item with one person."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from orderloom.models.journal import OpenWork, WorkKind
from orderloom.models.tasks import AssignMode
from orderloom.runtime.desk.duty import DeskDuty
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import WorkFilter, WorkState
from orderloom.runtime.store.work import WorkEvent
from tests.runtime.store.making import NOW, deployed, started

ITEMS = 12

#: one person who takes items, gives some back and keeps others until the lease runs out, as fast as they can
PERSON = """
import random, sys
from datetime import timedelta
from orderloom.models.journal import WorkKind
from orderloom.runtime.store.desk import Wish
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.sqlite import open_store
from tests.runtime.store.making import NOW

path, name = sys.argv[1:]
store, draw, now = open_store(f"sqlite:///{path}"), random.Random(name), NOW
print("ready", flush=True)
while True:
    now += timedelta(minutes=draw.choice((0, 1, 20)))
    item = store.claim_next(Wish(by=name, kinds=(WorkKind.MANUAL,)), now, lambda item: None)
    if item is None:
        store.lapse(now)
    elif draw.random() < 0.7:
        try:
            store.unclaim(item.id, name, now)
        except Conflict:
            pass
"""


def _opened(path: Path) -> SqliteStore:
    store = deployed(open_store(f"sqlite:///{path}"))
    for number in range(ITEMS):
        command = OpenWork(
            task="1/P.call", kind=WorkKind.MANUAL, queue="field", title="", assign=AssignMode.LEAST_LOADED
        )
        started(store, command, id=f"O-{number}")
    return store


@pytest.mark.parametrize("round", range(2))
def test_killed_processes_leave_each_item_with_one_person(tmp_path: Path, round: int) -> None:
    path = tmp_path / "orders.db"
    store = _opened(path)
    root = Path(__file__).parents[3]
    people = [
        subprocess.Popen([sys.executable, "-c", PERSON, str(path), f"p{n}"], stdout=subprocess.PIPE, cwd=root)
        for n in range(3)
    ]
    for person in people:
        assert person.stdout is not None
        assert person.stdout.readline() == b"ready\n"
    time.sleep(0.6 + 0.3 * round)
    for person in people:
        person.kill()
        person.communicate()
    found = store.work(WorkFilter(), 100)
    assert len(found) == ITEMS
    changes = 0
    for item in found:
        history = store.work_history(item.id)
        changes += len(history)
        holder = ""
        for each in history:
            if each.what is WorkEvent.CLAIMED:
                assert (holder, each.holder) == ("", each.by)
            holder = each.holder
        assert (holder != "") is (item.state is WorkState.CLAIMED)
        assert holder == item.claimed_by
    assert changes > 2 * ITEMS
    # what the killed ones had is free once their leases are over
    duty = DeskDuty(store)
    duty.attend(NOW + timedelta(days=400))
    assert {item.state for item in store.work(WorkFilter(), 100)} == {WorkState.OPEN}
    store.close()
