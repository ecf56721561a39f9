"""Random days of a few items, second by second: whatever is done and whenever a worker looks, clocks tell the same."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orderloom.engine.scheduling import Promise, Terms
from orderloom.models.plan import OrderState
from orderloom.models.tasks import AssignMode, AssignRule, Due, Escalation
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.calendars import Standing
from orderloom.runtime.store.codec import loads, micros
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from tests.engine.scheduling.test_clocks import terms

SECOND = timedelta(seconds=1)
START = datetime(2026, 6, 1, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Rules:
    """Of a queue, in seconds."""

    term: int | None = None
    warn: int = 0
    #: (seconds after the breach, queue)
    steps: tuple[tuple[int, str], ...] = ()


#: odd seconds, so that nothing that people do on the minute falls on what clocks do
QUEUES = {
    "a": Rules(134, 50, ((0, "b"), (60, "d"))),
    "b": Rules(71, 0, ((0, "c"), (203, "d"))),
    "c": Rules(),
    "d": Rules(),
    "e": Rules(314, 50, ((97, "a"),)),
}


class Reckoned:
    """The same as designs would say it."""

    def task_term(self, design: str, definition: str) -> Due | None:
        return None

    def queue_term(self, design: str, queue: str) -> Due | None:
        found = QUEUES[queue].term
        return None if found is None else Due(span=found * SECOND)

    def promise(self, design: str, queue: str, term: Due) -> Promise:
        steps = tuple(Escalation(queue=to, after=Due(span=after * SECOND)) for after, to in QUEUES[queue].steps)
        return Promise(term=term, warn_at=QUEUES[queue].warn, escalations=steps)

    def terms(self, design: str, standing: Standing) -> Terms:
        return terms()

    def rule(self, design: str, state: OrderState | None, task: str, queue: str) -> AssignRule:
        return AssignRule(mode=AssignMode.PULL)


@dataclass
class Item:
    """What is to become of an item, by counting seconds."""

    number: int
    place: str
    queue: str = ""
    elapsed: int = 0
    stage: int = 0
    step: int = 0
    paused: bool = False
    story: list[tuple[int, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.enter(self.place)

    def enter(self, queue: str) -> None:
        self.place = queue
        if QUEUES[queue].term is not None:
            self.queue, self.elapsed, self.stage, self.step = queue, 0, 0, 0

    def tick(self, second: int) -> None:
        if self.paused or not self.queue:
            return
        self.elapsed += 1
        rules = QUEUES[self.queue]
        assert rules.term is not None
        if rules.warn and self.elapsed * 100 == rules.term * rules.warn:
            self.stage = 1
            self.story.append((second, "warned", self.place))
        if self.elapsed == rules.term:
            self.stage = 2
            self.story.append((second, "breached", self.place))
        while self.stage == 2 and self.step < len(QUEUES[self.queue].steps):
            after, queue = QUEUES[self.queue].steps[self.step]
            if self.elapsed != QUEUES[self.queue].term + after:  # type: ignore[operator]
                break
            self.step += 1
            if queue != self.place:
                self.enter(queue)
                self.story.append((second, "escalated", queue))


@cache
def template() -> Path:
    """An empty store; making one anew takes long."""
    path = Path(tempfile.mkdtemp()) / "empty.db"
    store = open_store(str(path))
    with store._database.transaction() as writer:
        writer.execute("INSERT INTO bundles VALUES ('d', 'days', '1.0.0', x'', 0, 1)")
    store.close()
    return path


class Days(RuleBasedStateMachine):
    """People and the time on a real store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(template(), self.folder / "days.db")
        self.store = self.opened()
        self.second = 0
        self.items: dict[int, Item] = {}
        self.over: list[Item] = []

    def opened(self) -> SqliteStore:
        return open_store(str(self.folder / "days.db"))

    def now(self) -> datetime:
        return START + self.second * SECOND

    def tend(self) -> None:
        while self.store.tend_clocks(Reckoned(), self.now()):
            pass

    @initialize(queues=st.lists(st.sampled_from("abe"), min_size=1, max_size=3))
    def begin(self, queues: list[str]) -> None:
        self.tend()
        for queue in queues:
            self.opens(queue)

    @rule(queue=st.sampled_from(sorted(QUEUES)))
    def comes(self, queue: str) -> None:
        self.opens(queue)

    def opens(self, queue: str) -> None:
        with self.store._database.transaction() as writer:
            number = writer.execute(
                "INSERT INTO work (order_id, task, kind, queue, title, form, priority, state, claimed_by, code, "
                "message, opened_at) "
                "VALUES ('', 'watch:days.' || ?1, 'manual', ?2, 'T', x'5b5d', 4, 'open', '', '', '', ?3)",
                (len(self.items) + len(self.over), queue, micros(self.now())),
            ).lastrowid
            assert number is not None
            self._tell(writer, number, "opened", "")
        self.items[number] = Item(number, queue)
        self.tend()

    def _tell(self, writer: object, number: int, what: str, who: str) -> None:
        writer.execute(  # type: ignore[attr-defined]
            "INSERT INTO work_history (work, order_id, at, what, who, holder, queue, reason) "
            "SELECT id, '', ?, ?, ?, '', queue, '' FROM work WHERE id = ?",
            (micros(self.now()), what, who, number),
        )

    @rule(minutes=st.integers(1, 12), looks=st.booleans())
    def passes(self, minutes: int, looks: bool) -> None:
        """The worker looks once in a while, or only in the end."""
        for minute in range(minutes):
            for _ in range(60):
                self.second += 1
                for item in self.items.values():
                    item.tick(self.second)
            if looks or minute == minutes - 1:
                self.tend()

    @precondition(lambda self: any(item.queue for item in self.items.values()))
    @rule(data=st.data())
    def pauses_or_resumes(self, data: st.DataObject) -> None:
        item = self.items[data.draw(st.sampled_from([n for n, item in self.items.items() if item.queue]))]
        deed = Deed(at=self.now(), who="ada", what="clock", kind="work", subject=str(item.number))
        if item.paused:
            self.store.resume_clock(item.number, self.now(), Reckoned(), deed)
        else:
            self.store.pause_clock(item.number, "waiting", self.now(), Reckoned(), deed)
        item.paused = not item.paused

    @precondition(lambda self: self.items)
    @rule(data=st.data(), queue=st.sampled_from(sorted(QUEUES)))
    def hands_over(self, data: st.DataObject, queue: str) -> None:
        item = self.items[data.draw(st.sampled_from(sorted(self.items)))]
        if item.place == queue:
            return
        with self.store._database.transaction() as writer:
            writer.execute("UPDATE work SET queue = ? WHERE id = ?", (queue, item.number))
            self._tell(writer, item.number, "handedOver", "ada")
        item.enter(queue)
        self.tend()

    @precondition(lambda self: self.items)
    @rule(data=st.data())
    def is_done(self, data: st.DataObject) -> None:
        item = self.items.pop(data.draw(st.sampled_from(sorted(self.items))))
        self.over.append(item)
        with self.store._database.transaction() as writer:
            self._tell(writer, item.number, "done", "ada")
            writer.execute("UPDATE work SET state = 'done' WHERE id = ?", (item.number,))

    @rule()
    def restarts(self) -> None:
        self.store.close()
        self.store = self.opened()

    @rule(hours=st.integers(1, 5))
    def is_set_back(self, hours: int) -> None:
        self.store.tend_clocks(Reckoned(), self.now() - timedelta(hours=hours))

    @rule()
    def calendars_change(self) -> None:
        with self.store._database.transaction() as writer:
            writer.execute("UPDATE clocks SET outdated = 1 WHERE ended_at IS NULL")

    @invariant()
    def all_is_told_once(self) -> None:
        found: dict[int, list[tuple[int, str, str]]] = {}
        with self.store._database.snapshot() as reader:
            rows = reader.execute("SELECT kind, data FROM published ORDER BY sequence").fetchall()
        for kind, data in rows:
            told = loads(data)
            if kind in ("work.warned", "work.breached", "work.escalated"):
                second = (datetime.fromisoformat(told["at"]) - START) // SECOND
                found.setdefault(told["item"], []).append((second, kind.removeprefix("work."), told["queue"]))
        for item in (*self.items.values(), *self.over):
            assert found.get(item.number, []) == item.story

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)


def test_days(deep: bool) -> None:
    Days.TestCase.settings = settings(max_examples=200 if deep else 8, stateful_step_count=20, deadline=None)
    Days.TestCase("runTest").runTest()
