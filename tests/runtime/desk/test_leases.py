"""Work items under everything that can happen to them at once: none is lost, none is doubled, none is with two people.

A model says what each item is; two handles on one file stand for two processes. What the rules choose is checked to be
somebody who may have the item, and to be somebody wherever there is one.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orderloom.models.journal import CloseWork, OpenWork, WorkCompleted, WorkKind
from orderloom.models.plan import OrderState
from orderloom.models.tasks import AssignMode, AssignRule
from orderloom.runtime.store.assigning import QueueRule
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.desk import Wish
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.identity import Grant, User
from orderloom.runtime.store.records import Batch, Refusal
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.store.views import WorkFilter, WorkItem, WorkState
from orderloom.runtime.store.work import WorkEvent
from tests.runtime.store.making import NOW, batch, deployed, started, step

TASK = "1/P.call"
PEOPLE = ("ada", "bob", "cleo")
#: who works which queue, and what they know
QUEUES = {"field": ("ada", "bob", "cleo"), "desk": ("bob", "cleo")}
SKILLS = {"cleo": "fibre"}
LEASE = timedelta(minutes=30)
UNDONE = (WorkState.OPEN, WorkState.ASSIGNED, WorkState.CLAIMED)

people, queues = st.sampled_from(PEOPLE), st.sampled_from(sorted(QUEUES))
modes = st.sampled_from(AssignMode)
processes = st.integers(0, 1)


@dataclass(slots=True)
class Item:
    """What an item should be."""

    id: int
    order: OrderState = field(repr=False)
    queue: str
    mode: AssignMode
    state: WorkState = WorkState.OPEN
    holder: str = ""
    lease: datetime | None = None
    former: str = ""
    #: number in the inbox of what its holder asked for
    asked: int = 0
    history: list[WorkEvent] = field(default_factory=lambda: [WorkEvent.OPENED])

    @property
    def skills(self) -> tuple[str, ...]:
        return ("fibre",) if self.mode is AssignMode.BY_SKILL else ()

    def free(self, what: WorkEvent) -> None:
        self.state, self.former, self.holder, self.lease, self.asked = WorkState.OPEN, self.holder, "", None, 0
        self.history.append(what)

    def took(self, who: str, until: datetime) -> None:
        if self.state is not WorkState.CLAIMED:
            self.history.append(WorkEvent.CLAIMED)
        self.state, self.holder, self.lease, self.former = WorkState.CLAIMED, who, until, ""
        self.asked = 0

    def given(self, who: str) -> None:
        if self.holder != who:
            self.history.append(WorkEvent.ASSIGNED)
            self.state, self.holder, self.lease, self.former, self.asked = WorkState.ASSIGNED, who, None, "", 0

    def ended(self, what: WorkEvent) -> None:
        self.state, self.lease = WorkState.DONE, None
        self.history.append(what)


def deed(who: str = "mia", kind: str = "work") -> Deed:
    return Deed(at=NOW, who=who, what="test", kind=kind)


class Office(RuleBasedStateMachine):
    """Three people, two queues, two processes."""

    template: Path | None = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="orderloom-desk-"))
        path = self.folder / "orders.db"
        shutil.copy(self._template(), path)
        self.stores = [open_store(f"sqlite:///{path}") for _ in range(2)]
        self.now = NOW
        self.items: dict[int, Item] = {}
        self.away: set[str] = set()
        self.overrides: dict[str, AssignMode] = {}

    @classmethod
    def _template(cls) -> Path:
        if cls.template is None:
            cls.template = Path(tempfile.mkdtemp(prefix="orderloom-desk-")) / "orders.db"
            store = deployed(open_store(f"sqlite:///{cls.template}"))
            for name in PEOPLE:
                grants = [(Grant.QUEUE, queue) for queue, members in QUEUES.items() if name in members]
                skills = [(Grant.SKILL, SKILLS[name])] if name in SKILLS else []
                store.add_user(User(name=name, created_at=NOW), [*grants, *skills], deed(kind="user"))
            store.close()
        return cls.template

    def teardown(self) -> None:
        for store in self.stores:
            store.close()
        shutil.rmtree(self.folder)

    # --- what the model says

    def _mode(self, item: Item) -> AssignMode:
        return self.overrides.get(item.queue, item.mode)

    def _able(self, item: Item) -> set[str]:
        """Who may be given an open item by the rules."""
        needs_skill = self._mode(item) is AssignMode.BY_SKILL
        return {
            name
            for name in QUEUES[item.queue]
            if name not in self.away and name != item.former and (name in SKILLS or not needs_skill)
        }

    def _pending(self, item: Item) -> bool:
        return item.asked > 0

    def _current(self, item: Item) -> None:
        """Leases that have run out are found by whoever touches the item."""
        self.before = replace(item, history=list(item.history))
        if (
            item.state is WorkState.CLAIMED
            and item.lease is not None
            and item.lease <= self.now
            and not self._pending(item)
        ):
            item.free(WorkEvent.LAPSED)

    def _some(self, data: st.DataObject, *states: WorkState) -> Item | None:
        wanted = [item for item in self.items.values() if item.state in (states or UNDONE)]
        return data.draw(st.sampled_from(wanted)) if wanted else None

    def _attempt(self, allowed: bool, act: object) -> bool:
        """Does what the model allows, and sees refused what it does not; then nothing is kept of it, not even that a
        lease was found to have run out."""
        assert callable(act)
        try:
            act()
        except Conflict:
            assert not allowed
            self.items[self.before.id] = self.before
            return False
        assert allowed
        return True

    # --- what happens

    @initialize(count=st.integers(1, 3), data=st.data())
    def begin(self, count: int, data: st.DataObject) -> None:
        for _ in range(count):
            self.open(data.draw(queues), data.draw(modes), data.draw(st.integers(0, 4)))

    @precondition(lambda self: len(self.items) < 12)
    @rule(queue=queues, mode=modes, priority=st.integers(0, 4))
    def open(self, queue: str, mode: AssignMode, priority: int) -> None:
        command = OpenWork(
            task=TASK,
            kind=WorkKind.MANUAL,
            queue=queue,
            title="",
            priority=priority,
            assign=mode,
            skills=("fibre",) if mode is AssignMode.BY_SKILL else (),
        )
        order = started(self.stores[0], command, id=f"ORD-{len(self.items) + 1}")
        (found,) = self.stores[0].work(WorkFilter(order=order.order.id))
        self.items[found.id] = Item(found.id, order, queue, mode)

    @rule(minutes=st.sampled_from([1, 14, 30, 31]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(data=st.data(), who=people, process=processes)
    def claim(self, data: st.DataObject, who: str, process: int) -> None:
        item = self._some(data, *WorkState)
        if item is None:
            return
        self._current(item)
        allowed = item.state in UNDONE and item.holder in ("", who)
        asked = item.asked
        if self._attempt(allowed, lambda: self.stores[process].claim(item.id, who, self.now)):
            item.took(who, self.now + LEASE)
            item.asked = asked

    @rule(who=people, process=processes)
    def claim_next(self, who: str, process: int) -> None:
        skills = frozenset({SKILLS[who]}) if who in SKILLS else frozenset[str]()
        theirs = frozenset(queue for queue, members in QUEUES.items() if who in members)
        wish = Wish(by=who, kinds=(WorkKind.MANUAL,), queues=theirs, skills=skills)
        found = self.stores[process].claim_next(wish, self.now, lambda _item: None)
        rows = {item.id: item for item in self.stores[0].work(WorkFilter())}
        mine = [item for item in self.items.values() if item.state is WorkState.ASSIGNED and item.holder == who]
        free = [
            item
            for item in self.items.values()
            if item.state is WorkState.OPEN
            and item.queue in theirs
            and (self._mode(item) is not AssignMode.BY_SKILL or who in SKILLS)
        ]
        mine = [item for item in mine if item.queue in theirs]
        free.sort(key=lambda item: (item.former == who, rows[item.id].priority, item.id))
        mine.sort(key=lambda item: (rows[item.id].priority, item.id))
        expected = next(iter(mine or free), None)
        assert (found and found.id) == (expected and expected.id)
        if expected is not None:
            expected.took(who, self.now + LEASE)

    @rule(data=st.data(), who=people, process=processes)
    def renew(self, data: st.DataObject, who: str, process: int) -> None:
        item = self._some(data)
        if item is None:
            return
        self._current(item)
        allowed = item.state is WorkState.CLAIMED and item.holder == who
        if self._attempt(allowed, lambda: self.stores[process].renew(item.id, who, self.now)):
            item.lease = self.now + LEASE

    @rule(data=st.data(), who=people, process=processes)
    def release(self, data: st.DataObject, who: str, process: int) -> None:
        item = self._some(data)
        if item is None:
            return
        self._current(item)
        allowed = item.holder == who and not self._pending(item)
        if self._attempt(allowed, lambda: self.stores[process].unclaim(item.id, who, self.now)):
            item.free(WorkEvent.RELEASED)

    @rule(data=st.data(), who=people, process=processes)
    def assign(self, data: st.DataObject, who: str, process: int) -> None:
        item = self._some(data)
        if item is None:
            return
        self._current(item)
        if self._attempt(not self._pending(item), lambda: self.stores[process].assign(item.id, who, self.now, deed())):
            item.given(who)

    @rule(who=people | st.just(""), former=people, process=processes)
    def reassign(self, who: str, former: str, process: int) -> None:
        frozen = [item for item in self.items.values() if item.holder == former and item.state in UNDONE]
        moved = self.stores[process].reassign(
            [item.id for item in frozen], who, self.now, lambda _item: deed(), within=former
        )
        for item, became in zip(frozen, moved, strict=True):
            self._current(item)
            allowed = item.holder == former and not self._pending(item)
            assert bool(became.refused) is not allowed
            if allowed and who:
                item.given(who)
            elif allowed:
                item.free(WorkEvent.RELEASED)

    @rule(data=st.data(), queue=queues, mode=modes, who=people, manager=st.booleans(), process=processes)
    def hand_over(
        self, data: st.DataObject, queue: str, mode: AssignMode, who: str, manager: bool, process: int
    ) -> None:
        item = self._some(data)
        if item is None:
            return
        self._current(item)
        ruled = AssignRule(mode=mode, skills=("fibre",) if mode is AssignMode.BY_SKILL else ())
        allowed = not self._pending(item) and queue != item.queue and (manager or item.holder in ("", who))
        if self._attempt(
            allowed,
            lambda: self.stores[process].pass_on(
                item.id, queue, ruled, WorkEvent.HANDED_OVER, self.now, deed(who), None if manager else who
            ),
        ):
            item.free(WorkEvent.HANDED_OVER)
            item.queue, item.mode, item.former = queue, mode, ""

    @rule(data=st.data(), who=people, process=processes)
    def finish(self, data: st.DataObject, who: str, process: int) -> None:
        item = self._some(data)
        if item is None:
            return
        self._current(item)
        allowed = item.holder in ("", who) and not self._pending(item)
        event = WorkCompleted(task=TASK, by=who)
        numbers: list[int] = []
        if self._attempt(allowed, lambda: numbers.append(self.stores[process].finish(item.id, who, event, self.now))):
            if item.state is not WorkState.CLAIMED:
                item.took(who, self.now + LEASE)
            item.asked = numbers[0]

    @rule(data=st.data(), refused=st.booleans())
    def worker_takes_up(self, data: st.DataObject, refused: bool) -> None:
        """What was asked for is applied, or refused by the core: then its holder goes on with it."""
        waiting = [item for item in self.items.values() if self._pending(item)]
        if not waiting:
            return
        item = data.draw(st.sampled_from(waiting))
        (origin,) = (each for each in self.stores[0].inbox(0, 1000) if each.id == item.asked)
        if refused:
            refusal = Refusal(order=item.order.order.id, origin=origin, message="no")
            self.stores[0].commit(Batch(refused=[refusal]))
        else:
            item.order.version += 1
            done = WorkCompleted(task=TASK, by=item.holder)
            self.stores[0].commit(batch(item.order, step(CloseWork(task=TASK)), done, origin, at=self.now))
            item.ended(WorkEvent.DONE)
        item.asked = 0

    @rule(data=st.data())
    def order_is_cancelled(self, data: st.DataObject) -> None:
        """Whoever has the item; what its holder asked for is refused after that."""
        item = self._some(data)
        if item is None:
            return
        item.order.version += 1
        self.stores[0].commit(batch(item.order, step(CloseWork(task=TASK)), at=self.now))
        item.ended(WorkEvent.CLOSED)
        if item.asked:
            (origin,) = (each for each in self.stores[0].inbox(0, 1000) if each.id == item.asked)
            self.stores[0].commit(Batch(refused=[Refusal(order=item.order.order.id, origin=origin, message="no")]))
            item.asked = 0

    @rule(who=people)
    def comes_or_goes(self, who: str) -> None:
        self.away ^= {who}
        user = User(name=who, away=who in self.away, created_at=NOW)
        self.stores[1].change_user(user, deed(kind="user"))

    @rule(queue=queues, mode=st.none() | modes)
    def rule_is_set(self, queue: str, mode: AssignMode | None) -> None:
        if mode is None and queue in self.overrides:
            self.stores[1].drop_queue_rule(queue, deed())
            del self.overrides[queue]
        elif mode is not None:
            skills = ("fibre",) if mode is AssignMode.BY_SKILL else ()
            found = QueueRule(queue=queue, assign=mode, skills=skills, at=self.now, by="mia")
            self.stores[1].put_queue_rule(found, deed())
            self.overrides[queue] = mode

    @rule(process=processes)
    def duty(self, process: int) -> None:
        store = self.stores[process]
        for item in self.items.values():
            self._current(item)
        store.lapse(self.now)

        def works(person: str, queue: str) -> bool:
            return person not in self.away and person in QUEUES[queue]

        store.seek_again(works, self.now)
        for item in self.items.values():
            if item.state is WorkState.ASSIGNED and not works(item.holder, item.queue):
                item.free(WorkEvent.RELEASED)
        while store.assign_open(self.now):
            pass
        rows = {row.id: row for row in self.stores[1 - process].work(WorkFilter())}
        for item in self.items.values():
            if item.state is not WorkState.OPEN:
                continue
            able, to = self._able(item), rows[item.id].claimed_by
            if self._mode(item) is AssignMode.PULL or not able:
                assert to == ""
            else:
                assert to in able
                item.given(to)

    # --- what holds

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        for store in self.stores:
            rows = {row.id: row for row in store.work(WorkFilter(states=tuple(WorkState)), limit=1000)}
            assert rows.keys() == self.items.keys()
            for id, row in rows.items():
                self._same(row, self.items[id])

    def _same(self, row: WorkItem, item: Item) -> None:
        assert (row.state, row.queue) == (item.state, item.queue)
        if item.state is not WorkState.DONE:
            assert (row.claimed_by, row.lease) == (item.holder, item.lease)
        assert bool(row.claimed_by) or row.state not in (WorkState.ASSIGNED, WorkState.CLAIMED)

    @invariant()
    def the_history_has_one_holder_after_the_other(self) -> None:
        for item in self.items.values():
            history = self.stores[1].work_history(item.id)
            assert [each.what for each in history] == item.history
            holder = ""
            for each in history:
                if each.what is WorkEvent.CLAIMED:
                    assert each.holder == each.by
                    assert holder in ("", each.by)
                holder = each.holder
            assert (history[-1].holder, history[-1].queue) == (item.holder, item.queue)


def test_no_item_is_lost_doubled_or_with_two_people() -> None:
    deep = settings.default is not None and settings.default.max_examples > 1000
    run_state_machine_as_test(
        Office, settings=settings(max_examples=600 if deep else 25, stateful_step_count=60 if deep else 30)
    )
