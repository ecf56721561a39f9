"""Schedules against the longest path found by recursion, on random plans that are partly carried out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderloom.engine.advance import advance
from orderloom.engine.program import Program
from orderloom.engine.scheduling import schedule, terms_of
from orderloom.models.calendar import Calendar, Hours
from orderloom.models.callout import Outcome
from orderloom.models.expression import Root
from orderloom.models.fulfillment import LineSource
from orderloom.models.journal import CalloutAnswered
from orderloom.models.plan import OrderState, Task, TaskState
from orderloom.models.tasks import Due
from tests.engine.building import ref, rule

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
OFFICE = Calendar(name="office", time_zone="Europe/Berlin", week=((Hours(480, 720), Hours(780, 1020)),) * 5 + ((), ()))
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

terms = st.one_of(
    st.none(),
    st.integers(1, 3000).map(lambda n: Due(span=n * MINUTE)),
    st.integers(1, 4).map(lambda n: Due(business_days=n)),
    st.integers(1, 20).map(lambda n: Due(business_time=n * HOUR, calendar="office")),
)
Plan = list[tuple[list[int], Due | None]]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Each task comes after some of those before it."""
    count = draw(st.integers(1, 12))
    return [(sorted(draw(st.sets(st.integers(0, n - 1), max_size=3))) if n else [], draw(terms)) for n in range(count)]


def program(kit: Any, plan: Plan, **fields: Any) -> Program:
    tasks = [
        kit.task("call", f"P.t{n}", after=[f"P.t{each}" for each in after], duration=term)
        for n, (after, term) in enumerate(plan)
    ]
    made: Program = kit.program([kit.spec("S")], [kit.plan("P", "S", *tasks)], calendars={"office": OFFICE}, **fields)
    return made


class Reference:
    """The definitions, without regard to cost."""

    def __init__(self, design: Program, state: OrderState, plan: Plan, at: datetime) -> None:
        self.terms = terms_of(design)
        self.state, self.plan, self.at = state, plan, at

    def task(self, n: int) -> Task:
        return self.state.tasks[f"1/P.t{n}"]

    def start(self, n: int) -> datetime:
        known = self.task(n).started_at
        start = self.state.order.requested_start or self.at
        return known or max([self.at, start, *(self.finish(each) for each in self.plan[n][0])])

    def finish(self, n: int) -> datetime:
        task, term = self.task(n), self.plan[n][1]
        if task.finished_at is not None:
            return task.finished_at
        end = self.terms.after(self.start(n), term) if term else self.start(n)
        return max(end, self.at) if task.started_at else end

    def latest_finish(self, n: int, target: datetime) -> datetime:
        after = [each for each, (first, _) in enumerate(self.plan) if n in first]
        return min([target, *(self.latest_start(each, target) for each in after)])

    def latest_start(self, n: int, target: datetime) -> datetime:
        end, term = self.latest_finish(n, target), self.plan[n][1]
        return self.terms.before(end, term) if term else end


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_earliest_and_latest_times_are_those_of_the_longest_paths(data: st.DataObject, kit: Any) -> None:
    plan = data.draw(plans())
    wanted = data.draw(st.none() | st.integers(-20, 400).map(lambda n: AT + n * HOUR))
    design = program(kit, plan)
    state, _ = kit.begin(design, kit.line("1", "S"), order=kit.order(requested_completion=wanted))
    at = AT
    for _ in range(data.draw(st.integers(0, len(plan)))):
        running = [task for task in state.tasks.values() if task.state is TaskState.RUNNING]
        if not running:
            break
        at += data.draw(st.integers(0, 2000)) * MINUTE
        task = data.draw(st.sampled_from(running))
        advance(design, state, CalloutAnswered(task=task.id, attempt=1, outcome=Outcome.COMPLETED), at)
    at += data.draw(st.integers(0, 2000)) * MINUTE
    found = schedule(design, state, at)
    reference = Reference(design, state, plan, at)
    expected = max(reference.finish(n) for n in range(len(plan)))
    assert found.expected == expected
    assert found.target == (wanted or expected)
    for n in range(len(plan)):
        task = found.tasks[f"1/P.t{n}"]
        assert (task.earliest_start, task.earliest_finish) == (reference.start(n), reference.finish(n))
        assert found.target is not None
        assert task.latest_finish == reference.latest_finish(n, found.target)
        assert task.latest_start == reference.latest_start(n, found.target)
        if task.slack is not None:
            assert task.slack == task.latest_finish - task.earliest_finish
            assert wanted is not None or task.slack >= timedelta(0)
    open_tasks = [task for task in state.tasks.values() if not task.state.final]
    last = found.critical[-1] if found.critical else None
    late = any(found.tasks[task.id].earliest_finish == expected for task in open_tasks)
    assert (last is not None and found.tasks[last].earliest_finish == expected) is late
    for first, then in zip(found.critical, found.critical[1:], strict=False):
        assert first in state.tasks[then].after
        assert found.tasks[first].earliest_finish == found.tasks[then].earliest_start


def test_a_subplan_lasts_as_long_as_its_parts(kit: Any) -> None:
    inner = kit.plan(
        "Q",
        "S",
        kit.task("call", "Q.a", duration=Due(span=2 * HOUR)),
        kit.task("call", "Q.b", after=["Q.a"], duration=Due(span=3 * HOUR)),
        actions=(),
    )
    outer = kit.plan(
        "P",
        "S",
        kit.task("call", "P.first", duration=Due(span=HOUR)),
        kit.task("subplan", "P.inner", plan="Q", after=["P.first"]),
        kit.task("call", "P.last", after=["P.inner"], duration=Due(span=HOUR)),
    )
    design = kit.program([kit.spec("S")], [outer, inner])
    order = kit.order(requested_completion=AT + 10 * HOUR)
    state, _ = kit.begin(design, kit.line("1", "S"), order=order)
    found = schedule(design, state, AT)
    whole = found.tasks["1/P.inner"]
    assert (whole.earliest_start, whole.earliest_finish) == (AT + HOUR, AT + 6 * HOUR)
    assert (whole.latest_start, whole.latest_finish) == (AT + 4 * HOUR, AT + 9 * HOUR)
    assert found.tasks["1/P.inner/Q.b"].earliest_start == AT + 3 * HOUR
    assert (found.expected, found.tasks["1/P.last"].slack) == (AT + 7 * HOUR, 3 * HOUR)
    assert found.lines["1"].expected == AT + 7 * HOUR


def test_a_task_that_needs_an_attribute_comes_after_the_one_that_sets_it(kit: Any) -> None:
    plan = kit.plan(
        "P",
        "S",
        kit.task("call", "P.a", duration=Due(span=2 * HOUR), sets=(kit.sets("x", kit.constant("done")),)),
        kit.task("call", "P.b", after=(kit.needs("x"),), duration=Due(span=HOUR)),
    )
    design = kit.program([kit.spec("S", kit.attribute("x"))], [plan])
    state, _ = kit.begin(design, kit.line("1", "S"))
    found = schedule(design, state, AT)
    assert found.tasks["1/P.b"].earliest_start == AT + 2 * HOUR
    assert found.critical == ("1/P.a", "1/P.b")


def test_a_task_that_needs_what_rules_make_of_an_attribute_comes_after_the_one_that_sets_that(kit: Any) -> None:
    sets = (kit.sets("x", kit.constant("done")),)
    visit = kit.plan("P", "S", kit.task("call", "P.a", duration=Due(span=2 * HOUR), sets=sets))
    light = kit.plan("Q", "T", kit.task("call", "Q.b", after=(kit.needs("y"),), duration=Due(span=HOUR)))
    lit = kit.plan("R", "U", *(kit.task("call", f"R.{task}", after=(kit.needs(name),)) for task, name in ("cz", "dy")))
    rules = (
        rule("S", "T", sets={"y": ref("x")}),
        rule("T", "U", sets={"y": ref("y"), "z": ref("x", root=Root.PARENT)}),
    )
    specs = [kit.spec(name, *map(kit.attribute, "xyz")) for name in "STU"]
    design = kit.program(specs, [visit, light, lit], rules=rules)
    lines = (
        kit.line("1", "S"),
        replace(kit.line("2", "T", parent="1"), sources=(LineSource("1", "S->T"),)),
        replace(kit.line("3", "U", parent="2"), sources=(LineSource("2", "T->U"),)),
    )
    state, _ = kit.begin(design, *lines)
    found = schedule(design, state, AT)
    assert found.tasks["2/Q.b"].earliest_start == AT + 2 * HOUR
    assert found.critical == ("1/P.a", "2/Q.b")
    assert found.tasks["3/R.c"].earliest_start == found.tasks["3/R.d"].earliest_start == AT + 2 * HOUR
    assert found.tasks["1/P.a"].latest_start == AT


def test_attributes_that_tasks_supply_each_other_are_no_order_among_them(kit: Any) -> None:
    plan = kit.plan(
        "P",
        "S",
        kit.task("call", "P.a", after=(kit.needs("y"),), sets=(kit.sets("x", kit.constant("1")),)),
        kit.task("call", "P.b", after=(kit.needs("x"),), sets=(kit.sets("y", kit.constant("1")),)),
        kit.task("call", "P.c", duration=Due(span=HOUR)),
    )
    design = kit.program([kit.spec("S", kit.attribute("x"), kit.attribute("y"))], [plan])
    state, _ = kit.begin(design, kit.line("1", "S"))
    assert schedule(design, state, AT).expected == AT + HOUR


def test_the_cost_grows_with_tasks_and_dependencies_only(kit: Any) -> None:
    count = 4000
    plan: Plan = [([n - 1] if n else [], Due(span=MINUTE)) for n in range(count)]
    design = program(kit, plan)
    state, _ = kit.begin(design, kit.line("1", "S"), order=kit.order(requested_completion=AT + count * MINUTE))
    found = schedule(design, state, AT)
    assert found.expected == AT + count * MINUTE
    assert len(found.critical) == count
    assert {each.slack for each in found.tasks.values()} == {timedelta(0)}
