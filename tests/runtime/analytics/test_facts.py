"""What is counted by hour equals what is reckoned from the journals, however it was counted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderloom.runtime.analytics.counting import count_journal, definition_of
from orderloom.runtime.analytics.figures import read_facts, stretches
from orderloom.runtime.analytics.periods import Span
from orderloom.runtime.analytics.rollup import count_all, count_some
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.errors import ChangeRefused, NotAllowed
from orderloom.runtime.store import histograms
from orderloom.runtime.store.sqlite import SqliteStore
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.analytics.naive import Naive, percentile, reckon
from tests.runtime.face.parcels import FILES, box

START = datetime(2026, 3, 28, 22, tzinfo=UTC)
MEASURES = (
    *("order.submitted", "order.completed", "order.cancelled", "order.rejected", "order.failed", "order.fell"),
    *("order.right", "task.done", "task.fell", "task.skipped", "change.amend", "change.cancel"),
    *("hand.retry", "hand.skip", "hand.complete", "hand.correct", "work.done", "work.in_time", "work.late"),
)
TWO = {
    **FILES,
    "design.loom": FILES["design.loom"] + "\nproduct Crate { }\nservice Haul customer_facing { }\n"
    "decompose Crate into Haul { }\nplan Move for Haul on add { milestone moved { } }\n",
}


def store_of(runtime: SyncRuntime) -> SqliteStore:
    store = runtime._runtime._store
    assert isinstance(store, SqliteStore)
    return store


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def runtime(tmp_path: Path, clock: VirtualClock) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home", clock=clock) as runtime:
        runtime.deploy(TWO)
        yield runtime


def crate() -> dict[str, object]:
    product = {"productSpecification": {"id": "Crate"}}
    return {"billingAccount": {"id": "A-9"}, "productOrderItem": [{"id": "1", "action": "add", "product": product}]}


def live(runtime: SyncRuntime, clock: VirtualClock, data: st.DataObject) -> None:
    """Some days of a small business; now and then something is counted."""
    orders: list[str] = []
    actions = st.sampled_from(("submit", "submit", "crate", "work", "work", "work", "amend", "cancel", "pass", "count"))
    for action in data.draw(st.lists(actions, min_size=10, max_size=40)):
        clock.advance(timedelta(seconds=data.draw(st.sampled_from((0, 0.001, 1, 59, 3600, 5 * 3600)))))
        if action == "submit":
            label = data.draw(st.sampled_from(("books", "forbidden")))
            orders.append(runtime.submit(box(label, account=f"A-{len(orders)}")).id)
        elif action == "crate":
            runtime.submit(crate())
        elif action == "work":
            _work(runtime, data)
        elif action == "pass":
            runtime.publish("parcel.seen", {"tracking": "T-1"})
        elif action == "count":
            count_some(store_of(runtime), data.draw(st.integers(1, 7)))
        elif orders:
            order = data.draw(st.sampled_from(orders))
            try:
                if action == "cancel":
                    runtime.cancel(order, "ada", "not wanted")
                else:
                    account = f"A-{orders.index(order)}"
                    runtime.amend(order, box("others", account=account, size="large", id=order), "ada", "other")
            except (NotAllowed, ChangeRefused):
                continue
        runtime.run_until_idle()


def _work(runtime: SyncRuntime, data: st.DataObject) -> None:
    items = runtime.work(limit=20)
    if not items:
        return
    item = data.draw(st.sampled_from(items))
    if item.kind == "manual":
        runtime.complete(item.id, "ada", {"weight": data.draw(st.sampled_from((3, 30)))})
    else:
        action = data.draw(st.sampled_from(("retry", "skip", "complete", "correct")))
        if action == "retry":
            runtime.retry(item.id, "bo")
        elif action == "skip":
            runtime.skip(item.id, "bo")
        elif action == "complete":
            runtime.complete_by_hand(item.id, "bo", {"tracking": "T-1"})
        else:
            line = item.task.rpartition("/")[0]
            runtime.correct(item.order, line, {"weight": 2}, "bo", "lighter")


def assert_equal(store: SqliteStore, since: datetime, until: datetime, product: str = "") -> None:
    naive = reckon(store, lambda at: since <= at < until, product)
    found = read_facts(store, MEASURES, product, [Span("all", since, until)], 1)
    counts = {name: tally.count for name, tally in found.now.items()}
    assert counts == {name: number for name, number in naive.counts.items() if number}
    for name, spans in naive.spans.items():
        assert found.now[name].total == pytest.approx(sum(spans) * 1e6, abs=1)
        for share in (0.01, 0.5, 0.9, 0.99, 1.0):
            exact = percentile(spans, share)
            assert found.seconds(share, *name) == pytest.approx(exact, rel=histograms.ERROR * 1.001, abs=1e-6)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to be copied."""
    home = tmp_path_factory.mktemp("deployed") / "home"
    with SyncRuntime(home, clock=VirtualClock(START)) as runtime:
        runtime.deploy(TWO)
    return home


@settings(max_examples=settings.default.max_examples // 8 if settings.default else 8)
@given(data=st.data())
def test_facts_equal_a_reckoning_over_the_journal(
    data: st.DataObject, deployed: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = VirtualClock(START)
    home = tmp_path_factory.mktemp("facts") / "home"
    shutil.copytree(deployed, home)
    with SyncRuntime(home, clock=clock) as runtime:
        live(runtime, clock, data)
        store = store_of(runtime)
        while count_some(store, data.draw(st.integers(1, 50))):
            pass
        assert store.uncounted() == 0
        end = clock.now() + timedelta(hours=2)
        assert_equal(store, START, end.replace(minute=0))
        for product in ("Box", "Crate"):
            assert_equal(store, START, end.replace(minute=0), product)
        # any window of whole hours
        hours = data.draw(st.integers(1, 90))
        assert_equal(store, START + timedelta(hours=hours // 3), START + timedelta(hours=hours))
        before = everything(store)
        runtime.rebuild_analytics("root", "to see that it is the same")
        assert everything(store) == before


def everything(store: SqliteStore) -> object:
    with store._database.snapshot() as reader:
        return [
            reader.execute(f"SELECT * FROM {table} ORDER BY {key}").fetchall()
            for table, key in (("facts", "measure, product, hours, hour, subject"), ("unfinished", "order_id"))
        ]


def test_two_that_count_at_once_count_once(runtime: SyncRuntime) -> None:
    runtime.submit(box())
    runtime.run_until_idle()
    store = store_of(runtime)
    found = store.journal_slice(100)
    assert count_all(store, 10)
    counted = count_journal(found)
    before = everything(store)
    assert not store.keep_facts("journal", found.position, found.last, counted.facts, counted.memories, counted.over)
    assert everything(store) == before


def test_a_count_that_fails_midway_leaves_nothing(runtime: SyncRuntime) -> None:
    runtime.submit(box())
    runtime.run_until_idle()
    store = store_of(runtime)
    found = store.journal_slice(100)
    counted = count_journal(found)
    memories = {"O-1": {"not": object()}}
    with pytest.raises(TypeError):
        store.keep_facts("journal", found.position, found.last, counted.facts, memories, ())
    assert everything(store) == [[], []]
    assert count_all(store, 10)
    assert_equal(store, START, START + timedelta(hours=2))


def test_what_is_over_takes_no_room(runtime: SyncRuntime, clock: VirtualClock) -> None:
    for _ in range(3):
        runtime.submit(crate())
        runtime.submit(box("forbidden"))
    open_order = runtime.submit(box()).id
    runtime.run_until_idle()
    store = store_of(runtime)
    assert count_all(store, 10)
    with store._database.snapshot() as reader:
        assert [row[0] for row in reader.execute("SELECT order_id FROM unfinished")] == [open_order]


@pytest.mark.parametrize(
    ("task", "definition"),
    [
        ("Parcel:1/Ship.pack", "Ship.pack"),
        ("Parcel:1/Ship.pack~2", "Ship.pack"),
        ("Parcel:1/Ship.sub/Test.line", "Test.line"),
        ("Parcel:1/Ship.send/undo~1", "Ship.send/undo"),
        ("Parcel:1/Ship.send~1/cancel~2", "Ship.send/cancel"),
        ("Parcel:1/conflict size~1", "conflict"),
    ],
)
def test_the_definition_of_a_task_follows_from_its_id(task: str, definition: str) -> None:
    assert definition_of(task) == definition


@given(st.lists(st.integers(0, 10**16), min_size=1, max_size=200), st.floats(0, 1))
def test_percentiles_of_bins_are_within_the_error(spans: list[int], share: float) -> None:
    bins: histograms.Bins = {}
    for start in range(0, len(spans), 7):
        part: histograms.Bins = {}
        for span in spans[start : start + 7]:
            number = histograms.bin_of(span)
            part[number] = part.get(number, 0) + 1
        histograms.add(bins, histograms.unpacked(histograms.packed(part)))
    exact = percentile([float(span) for span in spans], share)
    assert histograms.percentile(bins, share) == pytest.approx(exact, rel=histograms.ERROR * 1.000001)


@given(start=st.integers(0, 100), lengths=st.lists(st.integers(0, 80), min_size=1, max_size=6))
def test_stretches_cover_each_hour_once(start: int, lengths: list[int]) -> None:
    edges = [START + timedelta(hours=start + sum(lengths[:number])) for number in range(len(lengths) + 1)]
    spans = [Span("", one, other) for one, other in pairwise(edges)]
    covered = [hour for part in stretches(spans) for hour in range(part.first, part.end)]
    first = int(edges[0].timestamp()) // 3600
    assert covered == list(range(first, first + sum(lengths)))
    starts = {int(span.start.timestamp()) // 3600 for span in spans}
    for part in stretches(spans):
        assert part.first % part.hours == part.end % part.hours == 0
        # no day reaches over the edge of a span
        assert part.hours == 1 or all(hour % 24 == 0 for hour in starts if part.first < hour < part.end)


def test_there_is_no_percentile_of_nothing() -> None:
    assert histograms.percentile({}, 0.5) is None
    assert Naive().counts == {}
