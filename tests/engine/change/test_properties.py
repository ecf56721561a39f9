"""What must hold whatever is changed, and whenever: amending equals ordering, cancelling is clean, no step is wrong."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from hypothesis import event, given, note, reject
from hypothesis import strategies as st

from orderloom.engine.advance import Refused, advance, replay
from orderloom.engine.change import assess
from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.remedies import base
from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.change import ChangePlan, LineVerdict, TaskVerdict
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.journal import (
    AmendmentRequested,
    CallbackReceived,
    CalloutAnswered,
    CalloutHeld,
    CalloutReleased,
    CancellationRequested,
    ChangeRequest,
    EntryKind,
    Event,
    FalloutAction,
    LineCorrected,
    MigrationRequested,
    OrderHeld,
    OrderReleased,
    TimerFired,
)
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import OrderState, Task, TaskRole, TaskState
from orderloom.models.tasks import PointOfNoReturn, TaskKind
from tests.engine.change.designs import STAY, newer, programs
from tests.engine.change.orders import contents
from tests.engine.change.world import World

_MOSTLY = (Outcome.COMPLETED,) * 4
_FAULTS = (*_MOSTLY, Outcome.RETRIABLE, Outcome.FATAL)
_OPEN = (OrderStatus.IN_PROGRESS, OrderStatus.PENDING)


def start(program: Program, data: st.DataObject) -> tuple[World, Inventory]:
    """An order that is somewhere on its way, on top of what a first order has left."""
    inventory = EMPTY
    if data.draw(st.booleans(), "customer has something"):
        first = World(program, replace(data.draw(contents()), id="O1"), EMPTY)
        if first.state.status is OrderStatus.REJECTED:
            event(f"first: {first.state.reasons[0][:60]}")
            reject()
        first.finish()
        free(first)
        assert first.state.status is OrderStatus.COMPLETED
        inventory = first.inventory
    world = World(program, data.draw(contents(inventory)), inventory)
    if world.state.status is OrderStatus.REJECTED:
        event(f"order: {world.state.reasons[0][:60]}")
        reject()
    return world, inventory


def go_on(world: World, data: st.DataObject, most: int = 10) -> None:
    """Some of what can happen happens; what keeps the order open stays to the end."""
    for _ in range(data.draw(st.integers(0, most), "steps")):
        live = [each for each in world.live() if STAY not in getattr(each, "task", "")]
        if not live or world.state.status.final:
            return
        world.apply(data.draw(st.sampled_from(live)))


def interfere(world: World, data: st.DataObject) -> None:
    """A connector goes offline, or the order is held, or goes on."""
    found: list[Event] = []
    if world.state.status in _OPEN:
        found.append(OrderHeld(by="ana"))
    if world.state.status is OrderStatus.HELD:
        found.append(OrderReleased(by="ana"))
    tasks = world.state.tasks.values()
    running = [task for task in tasks if task.kind is TaskKind.CALL and task.state is TaskState.RUNNING]
    found += [CalloutHeld(task=task.id, attempt=task.attempts, reason="offline") for task in running]
    if found and data.draw(st.integers(0, 2)) == 0:
        each = data.draw(st.sampled_from(found))
        if isinstance(each, CalloutHeld):
            world.held(each.task)
        world.apply(each)
        event(type(each).__name__)


def faults(world: World, data: st.DataObject) -> None:
    """Calls fail now and then; a person tries them again."""
    world.outcome = lambda: data.draw(st.sampled_from(_FAULTS))


def amendment(world: World, data: st.DataObject, inventory: Inventory) -> AmendmentRequested:
    like = world.state.change.request if world.state.change else None
    former = like.order if isinstance(like, AmendmentRequested) else world.state.order
    content = data.draw(contents(inventory, former), "amended")
    roles = data.draw(st.sampled_from(((), ("boss",))))
    accept = data.draw(st.booleans())
    return AmendmentRequested(order=content, inventory=world.inventory, by="ana", accept=accept, roles=roles)


def of_call(world: World, event: Event) -> bool:
    """Whether a call goes on with it."""
    kinds = (CalloutAnswered, CallbackReceived, CalloutReleased, TimerFired)
    return isinstance(event, kinds) and bool(event.task) and world.state.tasks[event.task].kind is TaskKind.CALL


def weighed(world: World, data: st.DataObject) -> None:
    """Calls under way answer until the change that waits is weighed."""
    while world.state.change:
        live = [each for each in world.live() if of_call(world, each)]
        answers = [each for each in live if isinstance(each, CalloutAnswered)]
        # a call that could not be cancelled finishes first, by its callback or its time limit
        world.apply(data.draw(st.sampled_from(answers or live)))


def valid(program: Program, world: World, request: ChangeRequest) -> ChangePlan:
    plan = assess(program, world.state, request)
    if plan.problems:
        event(f"amended: {plan.problems[0][:60]}")
        reject()
    return plan


def tell(plan: ChangePlan) -> None:
    for verdict in {each.verdict for each in plan.tasks}:
        event(f"task: {verdict}")
    for found in {each.verdict for each in plan.lines}:
        event(f"line: {found}")


def last_change(world: World) -> dict[str, object]:
    """What became of the last change that was weighed."""
    told = [e.data for step in world.steps for e in step.entries if e.kind is EntryKind.CHANGE]
    return dict([each for each in told if each["stage"] in ("applied", "refused")][-1])


def past_return(world: World, kind: PointOfNoReturn) -> set[str]:
    """The tasks of the plan whose points of no return are reached."""
    known = definitions(world.program).tasks
    taken_back = {task.of for task in world.state.tasks.values() if task.role is TaskRole.UNDO}
    found = set()
    for task in world.state.tasks.values():
        compiled = known.get(base(task.definition))
        point = compiled.definition.no_return if compiled else None
        planned = task.role in (TaskRole.PLANNED, TaskRole.AMEND) and task.id not in taken_back
        if point and point.kind is kind and planned and task.state in (TaskState.COMPLETED, TaskState.AMENDED):
            found.add(task.id)
    return found


def carried_through(world: World, data: st.DataObject, request: AmendmentRequested) -> None:
    """The change is weighed; where it is refused for a point of no return, nothing changes, and it is forced."""
    world.apply(request)
    revision = world.state.revision
    weighed(world, data)
    told = last_change(world)
    if told["stage"] == "refused":
        event("refused, then forced")
        assert world.state.revision == revision
        reached = past_return(world, PointOfNoReturn.HARD) | past_return(world, PointOfNoReturn.SOFT)
        reasons = told["reasons"]
        assert isinstance(reasons, list) and reasons
        for reason in reasons:
            named = [each for each in reached if f"task `{each}`" in str(reason)]
            assert named, reason
            at = world.state.tasks[named[0]].finished_at
            assert at and ("past its point" not in str(reason) or f"on {at:%Y-%m-%d %H:%M} UTC" in str(reason))
        if not world.state.status.final:
            world.apply(replace(request, inventory=world.inventory, force=True, accept=True))
            weighed(world, data)
            assert last_change(world)["stage"] == "applied"


def same_outside(world: World, once: World) -> None:
    """Inventory, the tasks that are done and those that nothing supplies are those of ordering it at once."""
    free(world)
    free(once)
    assert world.state.status is once.state.status is OrderStatus.COMPLETED
    stuck, other = world.given_up(), once.given_up()
    event(f"stuck: {bool(stuck)}")
    # what had begun, or was passed over, with an attribute stays so, though what supplied it is not asked for any more
    begun = (other - stuck) & (world.done() | world.passed_over())
    assert stuck == other - begun, sorted(stuck ^ other)
    if begun:
        event("begun with what nothing supplies any more")
    # with a subplan all that runs in it
    begun |= {name for name in world.done() if any(name.startswith(f"{each}/") for each in begun)}
    there, wanted = world.left(begun), once.left(begun)
    assert set(there) == set(wanted), sorted(set(there) ^ set(wanted))
    for name, asset in wanted.items():
        assert there[name] == asset, f"{there[name]}\n{asset}"
    assert world.done() - begun == once.done(), sorted(world.done() ^ once.done())


@given(program=programs(), data=st.data())
def test_amending_equals_ordering(program: Program, data: st.DataObject) -> None:
    world, inventory = start(program, data)
    faults(world, data)
    for _ in range(data.draw(st.integers(1, 3), "amendments")):
        go_on(world, data)
        interfere(world, data)
        if world.state.status.final:
            event("completed before it was changed")
            break
        request = amendment(world, data, inventory)
        tell(valid(program, world, request))
        carried_through(world, data, request)
    world.finish()
    once = World(program, world.state.order, inventory)
    once.finish()
    same_outside(world, once)


@given(program=programs(once=True), data=st.data())
def test_cancelling_is_clean(program: Program, data: st.DataObject) -> None:
    world, inventory = start(program, data)
    faults(world, data)
    world.decide = lambda: data.draw(st.sampled_from(list(FalloutAction)))
    for _ in range(data.draw(st.integers(0, 2), "amended first")):
        go_on(world, data)
        if world.state.status.final:
            break
        request = amendment(world, data, inventory)
        valid(program, world, request)
        world.apply(replace(request, force=True, accept=True))
    go_on(world, data)
    interfere(world, data)
    if world.state.status.final:
        event("completed before it was cancelled")
        return
    world.apply(CancellationRequested(inventory=world.inventory, by="ana", force=True, accept=True))
    weighed(world, data)
    before = len(world.undone)
    go_on(world, data, 6)
    world.finish()
    assert world.state.status is OrderStatus.CANCELLED
    there, was = world.left(), inventory.assets
    assert set(there) == set(was), sorted(set(there) ^ set(was))
    for name, asset in was.items():
        assert there[name] == asset, f"{there[name]}\n{asset}"
    assert not world.left_undone()
    undone = [world.state.tasks[world.state.tasks[each].of] for each in world.undone[before:]]
    event(f"undone: {min(len(undone), 4)}")
    for place, first in enumerate(undone):
        for later in undone[place + 1 :]:
            assert not came_after(world, later, first), f"`{first.id}` is taken back before `{later.id}`"


def came_after(world: World, task: Task, first: Task) -> bool:
    """Whether the task ran after `first` because it depends on it, directly or not."""
    if not (task.started_at and first.finished_at and first.finished_at <= task.started_at):
        return False
    tasks = world.state.tasks
    name, seen, todo = first.of or first.id, {task.id}, deque([task])
    while todo:
        row = todo.popleft()
        for each in (*row.after, *((row.within,) if row.within else ())):
            if each == name:
                return True
            if each in tasks and each not in seen and tasks[each].role in (TaskRole.PLANNED, TaskRole.AMEND):
                seen.add(each)
                todo.append(tasks[each])
    return False


@given(program=programs(once=True), data=st.data())
def test_whatever_is_changed_whenever(program: Program, data: st.DataObject) -> None:
    """Faults, changes on top of changes, partial cancellations: every step legal, an end, and the same on replay."""
    world, inventory = start(program, data)
    order = world.state.order
    versions = {program.design.digest: program}
    faults(world, data)
    world.decide = lambda: data.draw(st.sampled_from(list(FalloutAction)))
    world.takes = lambda: data.draw(st.booleans())
    kinds = ("amend", "amend", "amend", "items", "cancel", "migrate", "correct", "correct")
    for _ in range(data.draw(st.integers(1, 5), "changes")):
        go_on(world, data, 8)
        if world.state.status.final:
            break
        interfere(world, data)
        kind = data.draw(st.sampled_from(kinds))
        former = repr(world.state)
        try:
            change(world, data, kind, inventory, versions)
            event(f"changed: {kind}")
        except Refused as refused:
            event(f"not possible: {kind}")
            note(str(refused))
            assert repr(world.state) == former
    world.finish()
    free(world)
    assert world.state.status in (OrderStatus.COMPLETED, OrderStatus.CANCELLED), world.state.status
    event(f"ended {world.state.status}")
    again = replay(program, order, world.happened, versions)
    assert repr(again) == repr(world.state)
    forgetful(program, order, versions, world)


def forgetful(program: Program, order: ProductOrder, versions: dict[str, Program], world: World) -> None:
    """Whoever takes up each event with nothing but the rows does the same, step by step."""
    state = OrderState(order=order, design=program.design.digest)
    for (each, at), step in zip(world.happened, world.steps, strict=True):
        state.index = None
        goes_to = versions["newer"] if isinstance(each, MigrationRequested) else program
        assert repr(advance(goes_to, state, each, at)) == repr(step), each
        if state.design == goes_to.design.digest:
            program = goes_to
    assert repr(state) == repr(world.state)


def change(world: World, data: st.DataObject, kind: str, inventory: Inventory, versions: dict[str, Program]) -> None:
    force = data.draw(st.booleans(), "force")
    match kind:
        case "amend":
            world.apply(replace(amendment(world, data, inventory), force=force))
        case "items" | "cancel":
            names = [each.id for each in world.state.order.items]
            some = tuple(sorted(data.draw(st.sets(st.sampled_from(names), min_size=1)))) if kind == "items" else ()
            world.apply(
                CancellationRequested(inventory=world.inventory, by="ana", items=some, force=force, accept=force)
            )
        case "correct":
            line = data.draw(st.sampled_from(sorted(world.state.lines)))
            values = {data.draw(st.sampled_from("abde")): data.draw(st.sampled_from("123"))}
            world.apply(LineCorrected(line=line, values=values, by="bo"))
        case _:
            former = world.program
            world.program = versions.setdefault("newer", data.draw(newer(versions["d"])))
            request = MigrationRequested(inventory=world.inventory, design="newer", by="ana", force=force)
            try:
                world.apply(request)
            finally:
                if world.state.design != "newer":
                    world.program = former


def free(world: World) -> None:
    """A person skips what waits for what nothing supplies."""
    world.decide = lambda: FalloutAction.SKIP
    while not world.state.status.final:
        stuck = [each for each in world.state.tasks.values() if each.state is TaskState.FALLOUT]
        assert stuck, (world.state.status, [each for each in world.state.tasks.values() if not each.state.final])
        for task in stuck:
            world.skip(task.id)
        world.finish()


@given(program=programs(), data=st.data())
def test_a_dry_run_tells_the_truth(program: Program, data: st.DataObject) -> None:
    world, inventory = start(program, data)
    faults(world, data)
    go_on(world, data)
    if data.draw(st.booleans(), "changed before") and not world.state.status.final:
        first = amendment(world, data, inventory)
        valid(program, world, first)
        world.apply(replace(first, force=True, accept=True))
        go_on(world, data)
    weighed(world, data)
    quiet(world, data)
    if world.state.status.final:
        event("completed before it was changed")
        return
    request: ChangeRequest = amendment(world, data, inventory)
    if data.draw(st.integers(0, 3), "cancel") == 0:
        force, accept = data.draw(st.booleans()), data.draw(st.booleans())
        request = CancellationRequested(inventory=world.inventory, by="ana", force=force, accept=accept)
    before = repr(world.state)
    plan = assess(program, world.state, request)
    assert repr(world.state) == before
    if plan.problems:
        event(f"amended: {plan.problems[0][:60]}")
    refusals_are_those_of_lines_past_return(world, plan)
    waits = (TaskVerdict.CANCEL_FIRST, TaskVerdict.FINISH_FIRST)
    if not plan.refused and any(each.verdict in waits for each in plan.tasks):
        event("waits for calls that are cancelled, or could not be")
        return
    states = {id: task.state for id, task in world.state.tasks.items()}
    order = world.state.order
    step = world.apply(request)
    assert (last_change(world)["stage"] == "refused") is plan.refused
    if plan.refused:
        event("refused")
        # what had become ready goes on where it was
        assert {id: task.state for id, task in world.state.tasks.items()} == states
        assert world.state.order == order
        return
    tell(plan)
    told = {e.subject: (e.data["verdict"], e.data["to"]) for e in step.entries if e.kind is EntryKind.TASK_CHANGED}
    meant = {
        each.task: (each.verdict.value, each.after.value)
        for each in plan.tasks
        if each.verdict is not TaskVerdict.KEEP and each.before is not None
    }
    assert told == meant
    made = {e.subject for e in step.entries if e.kind is EntryKind.TASK_MADE}
    assert {each.task for each in plan.tasks if each.before is None} <= made
    came_true(world, plan)


def quiet(world: World, data: st.DataObject) -> None:
    """The order comes to rest with all it can be in the middle of: on hold, offline, taken on, failed, or at work."""
    way = data.draw(st.sampled_from(("hold", "offline", "fail", "answer")))
    if way == "hold" and world.state.status in _OPEN:
        world.apply(OrderHeld(by="ana"))
    while calling := [
        each
        for each in world.live()
        if isinstance(each, CalloutAnswered) and world.state.tasks[each.task].state is TaskState.RUNNING
    ]:
        each = calling[0]
        if way == "offline":
            world.held(each.task)
            world.apply(CalloutHeld(task=each.task, attempt=each.attempt, reason="offline"))
        elif way == "fail":
            world.apply(replace(each, outcome=data.draw(st.sampled_from((Outcome.FATAL, Outcome.RETRIABLE)))))
        else:
            world.apply(each)
    event(f"at rest: {way}")


def refusals_are_those_of_lines_past_return(world: World, plan: ChangePlan) -> None:
    """A hard point of no return refuses what touches its line, or its bundle, and nothing else."""
    state = world.state
    reached = past_return(world, PointOfNoReturn.HARD)
    touched = {each.line for each in plan.lines if each.verdict in (LineVerdict.CHANGE, LineVerdict.REMOVE)}
    verdicts = {each.task: each.verdict for each in plan.tasks}
    refused = {each.task for each in plan.refusals}
    known = definitions(world.program).tasks
    assert refused <= reached
    for task in reached if not plan.problems else ():
        row = state.tasks[task]
        point = known[base(row.definition)].definition.no_return
        mates = {line.id for line in state.lines.values() if line.root == state.lines[row.line].root}
        must = row.line in touched or bool(point and point.bundle and mates & touched)
        may = must or verdicts[task] not in (TaskVerdict.KEEP, TaskVerdict.UPDATE) or bool(plan.conflicts)
        assert must <= (task in refused) <= may, task


def came_true(world: World, plan: ChangePlan) -> None:
    """What was foretold happens, if nothing else does."""
    for each in plan.tasks:
        task = world.state.tasks[each.task]
        if each.after.final and each.verdict is not TaskVerdict.UNDO:
            # what starts at once may be done at once, and amend an earlier run
            again = task.role is TaskRole.FORMER and task.state is TaskState.AMENDED
            assert task.state is each.after or (again and each.after is TaskState.COMPLETED), each
    for line in plan.lines:
        now = world.state.lines[line.line]
        if line.verdict is not LineVerdict.REMOVE:
            assert now.action is line.action_after and now.quantity == line.quantity_after
    revision = world.state.revision
    world.finish()
    assert world.state.revision == revision
    tasks = world.state.tasks
    for each in plan.tasks:
        if each.verdict in (TaskVerdict.UNDO, TaskVerdict.UNDO_REDO):
            former = tasks.get(f"{each.task}~{revision}", tasks[each.task])
            assert former.state is TaskState.CANCELLED, each
        for name in each.by:
            assert tasks[name].state is TaskState.COMPLETED, each
        if each.verdict in (TaskVerdict.REDO, TaskVerdict.UNDO_REDO, TaskVerdict.AMEND, TaskVerdict.RESTART):
            assert tasks[each.task].state.done, each
    for conflict in plan.conflicts:
        assert tasks[conflict.task].state is TaskState.COMPLETED
