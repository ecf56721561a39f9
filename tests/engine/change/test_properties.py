"""What must hold whatever is changed, and whenever: amending equals ordering, cancelling is clean, no step is wrong."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, event, given
from hypothesis import strategies as st

from orderloom.engine.advance import Refused, replay
from orderloom.engine.change import assess
from orderloom.engine.orchestration.definitions import CompiledTask, definitions
from orderloom.engine.orchestration.remedies import base
from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.change import ChangePlan, TaskVerdict
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.journal import AmendmentRequested, CancellationRequested, ChangeRequest, EntryKind
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskRole, TaskState
from tests.engine.change.designs import items, ordered, programs
from tests.engine.change.world import World


def start(program: Program, data: st.DataObject) -> tuple[World, Inventory]:
    """An order that is somewhere on its way, on top of what a first order has left."""
    inventory = EMPTY
    if data.draw(st.booleans(), "customer has something"):
        first = World(program, ordered(data.draw(items()), "O1"), EMPTY)
        assume(first.state.status is not OrderStatus.REJECTED)
        first.finish()
        assert first.state.status is OrderStatus.COMPLETED
        inventory = first.inventory
    content = data.draw(items(inventory))
    assume(content)
    world = World(program, ordered(content), inventory)
    assume(world.state.status is not OrderStatus.REJECTED)
    return world, inventory


def go_on(world: World, data: st.DataObject, most: int = 12) -> None:
    for _ in range(data.draw(st.integers(0, most), "steps")):
        live = world.live()
        if not live or world.state.status.final:
            return
        world.apply(data.draw(st.sampled_from(live)))


def amendment(world: World, data: st.DataObject, inventory: Inventory) -> AmendmentRequested:
    content = data.draw(items(inventory), "amended")
    assume(content)
    return AmendmentRequested(order=ordered(content), inventory=world.inventory, by="ana")


def tell(plan: ChangePlan) -> None:
    for verdict in {each.verdict for each in plan.tasks}:
        event(f"task: {verdict}")
    for found in {each.verdict for each in plan.lines}:
        event(f"line: {found}")


def applied(world: World) -> bool:
    """Whether the last change that was weighed was applied."""
    stages = [e.data["stage"] for step in world.steps for e in step.entries if e.kind is EntryKind.CHANGE]
    return [each for each in stages if each in ("applied", "refused")][-1] == "applied"


def same_outside(world: World, once: World) -> None:
    """Inventory and the tasks that are done are those of ordering it at once."""
    assert world.state.status is once.state.status is OrderStatus.COMPLETED
    there, wanted = world.left(), once.left()
    assert set(there) == set(wanted), sorted(set(there) ^ set(wanted))
    for name, asset in wanted.items():
        assert there[name] == asset, f"{there[name]}\n{asset}"
    assert world.done() == once.done(), sorted(world.done() ^ once.done())


@given(program=programs(), data=st.data())
def test_amending_equals_ordering(program: Program, data: st.DataObject) -> None:
    world, inventory = start(program, data)
    for _ in range(data.draw(st.integers(1, 3), "amendments")):
        go_on(world, data)
        assume(not world.state.status.final)
        request = amendment(world, data, inventory)
        plan = assess(program, world.copy(), request)
        assume(not plan.problems)
        tell(plan)
        world.apply(request)
    world.finish()
    assert applied(world)
    once = World(program, request.order, inventory)
    once.finish()
    same_outside(world, once)


@given(program=programs(), data=st.data())
def test_cancelling_is_clean(program: Program, data: st.DataObject) -> None:
    world, inventory = start(program, data)
    go_on(world, data)
    if data.draw(st.booleans(), "amended first") and not world.state.status.final:
        request = amendment(world, data, inventory)
        assume(not assess(program, world.copy(), request).problems)
        world.apply(request)
        go_on(world, data)
    assume(not world.state.status.final)
    world.apply(CancellationRequested(inventory=world.inventory, by="ana"))
    world.finish()
    assert world.state.status is OrderStatus.CANCELLED
    assert world.left() == dict(inventory.assets)
    undone_once(world)


def undone_once(world: World) -> None:
    """Every completed call with an undo was taken back exactly once, and only after what came after it."""
    tasks = world.state.tasks
    known = definitions(world.program).tasks
    undos = [task for task in tasks.values() if task.role is TaskRole.UNDO and task.of]
    assert all(task.state is TaskState.COMPLETED for task in undos)
    runs = Counter(
        call.task
        for call in world.answered
        if tasks[call.task].role in (TaskRole.PLANNED, TaskRole.AMEND)
        and _undo(known[base(tasks[call.task].definition)])
    )
    taken = Counter(tasks[each.of].of or each.of for each in undos)
    event(f"undone: {min(taken.total(), 4)}")
    assert runs == taken
    by_run = {task.of: task for task in undos}
    for run, undo in by_run.items():
        for later, later_undo in by_run.items():
            if run in tasks[later].after and later_undo.finished_at and undo.started_at:
                assert later_undo.finished_at <= undo.started_at, (run, later)


def _undo(compiled: CompiledTask) -> str:
    return compiled.definition.undo or compiled.definition.undo_plan


@given(program=programs(), data=st.data())
def test_whatever_is_changed_whenever(program: Program, data: st.DataObject) -> None:
    """Faults, changes on top of changes, partial cancellations: every step legal, an end, and the same on replay."""
    world, inventory = start(program, data)
    order = world.state.order
    world.outcome = lambda: data.draw(st.sampled_from((Outcome.COMPLETED, Outcome.COMPLETED, Outcome.FATAL)))
    for _ in range(data.draw(st.integers(1, 4), "changes")):
        go_on(world, data, 8)
        if world.state.status.final:
            break
        kind = data.draw(st.sampled_from(("amend", "amend", "items", "cancel")))
        request: ChangeRequest
        if kind == "amend":
            request = amendment(world, data, inventory)
        else:
            names = [each.id for each in world.state.order.items]
            some = tuple(sorted(data.draw(st.sets(st.sampled_from(names))))) if kind == "items" else ()
            request = CancellationRequested(inventory=world.inventory, by="ana", items=some)
        try:
            world.apply(request)
        except Refused:
            event("not possible")
            continue
        event(f"changed: {kind}")
    world.finish()
    assert world.state.status in (OrderStatus.COMPLETED, OrderStatus.CANCELLED)
    event(f"ended {world.state.status}")
    again = replay(program, order, world.happened)
    assert repr(again) == repr(world.state)


@given(program=programs(), data=st.data())
def test_a_dry_run_tells_the_truth(program: Program, data: st.DataObject) -> None:
    world, inventory = start(program, data)
    go_on(world, data)
    assume(not world.state.status.final)
    request: ChangeRequest = amendment(world, data, inventory)
    if data.draw(st.booleans(), "cancel"):
        request = CancellationRequested(inventory=world.inventory, by="ana")
    before = repr(world.state)
    plan = assess(program, world.state, request)
    assert repr(world.state) == before
    if any(each.verdict is TaskVerdict.FINISH_FIRST for each in plan.tasks):
        event("finishes first")
        return
    calling = any(task.state is TaskState.RUNNING and task.kind == "call" for task in world.state.tasks.values())
    assume(not calling)
    states = {id: task.state for id, task in world.state.tasks.items()}
    step = world.apply(request)
    assert applied(world) is not plan.refused
    if plan.refused:
        event("refused")
        assert {id: task.state for id, task in world.state.tasks.items()} == states
        return
    tell(plan)
    told = {e.subject: (e.data["verdict"], e.data["to"]) for e in step.entries if e.kind is EntryKind.TASK_CHANGED}
    meant = {
        each.task: (each.verdict.value, each.after.value)
        for each in plan.tasks
        if each.verdict is not TaskVerdict.KEEP and each.before is not None
    }
    assert told == meant
    assert {each.task for each in plan.tasks} <= set(world.state.tasks)
    for each in plan.tasks:
        task = world.state.tasks[each.task]
        if each.after.final:
            assert task.state is each.after or each.verdict is TaskVerdict.UNDO
