"""From tasks to lines, from lines to the order: states roll up by counters, never by looking at everything.

A line is in progress from the start of its first task or of one of a line made from it, and completed when all of its
tasks are done and all lines made from it are completed. The order is completed when all of its lines are; it is pending
while all that is open waits for a person, an event or an instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orderloom.engine.advance.turn import Turn
from orderloom.engine.inventory import change_for, over, state_after, taken_back, writes
from orderloom.engine.orchestration.feeding import made_from
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import AssetChange, AssetState
from orderloom.models.journal import WriteInventory
from orderloom.models.order import TAKEN_BACK, OrderStatus
from orderloom.models.plan import PlanState, Task


def task_started(turn: Turn, task: Task) -> None:
    """The task's line is in progress, and with it the lines it is made from."""
    todo = [task.line]
    lines = turn.state.lines
    while todo:
        line = lines[todo.pop()]
        if line.context or line.state is not OrderStatus.ACKNOWLEDGED:
            continue
        turn.move_line(line, OrderStatus.IN_PROGRESS)
        turn.started[line.id] = line
        todo.extend(source for source in made_from(line) if source in lines)


def task_ended(turn: Turn, task: Task) -> None:
    """The task no longer keeps its line open."""
    index = turn.index
    index.line_open[task.line] -= 1
    if not index.line_open[task.line]:
        lines_ended(turn, (turn.state.lines[task.line],))


def lines_ended(turn: Turn, lines: Iterable[Line]) -> None:
    """Completes lines that nothing keeps open, then those that they kept open."""
    index = turn.index
    todo = [line for line in lines if not line.state.final and not line.context and not index.line_open[line.id]]
    while todo:
        line = todo.pop()
        if line.state.final:
            continue
        if line.state is OrderStatus.PENDING_CANCELLATION:
            turn.move_line(line, OrderStatus.CANCELLED)
            turn.taken_back[line.id] = line
        else:
            started = line.state is OrderStatus.ACKNOWLEDGED
            turn.move_line(line, *((OrderStatus.IN_PROGRESS,) if started else ()), OrderStatus.COMPLETED)
            turn.ended[line.id] = line
        index.lines_open -= 1
        for source in made_from(line):
            if source in index.line_open:
                index.line_open[source] -= 1
                if not index.line_open[source] and not turn.state.lines[source].context:
                    todo.append(turn.state.lines[source])


def roll_up(turn: Turn) -> None:
    """Takes the order to the state that follows from its lines and tasks. A held order stays held until released."""
    state, index = turn.state, turn.index
    if state.status.final or turn.held or state.plan is PlanState.NOT_STARTED:
        return
    if turn.freezing or (index.lines_open and state.status is OrderStatus.PENDING_CANCELLATION):
        return
    if not index.lines_open and state.status is OrderStatus.PENDING_CANCELLATION:
        turn.move_order(OrderStatus.CANCELLED, why="everything is taken back")
        turn.move_plan(PlanState.CANCELLED, why="everything is taken back")
    elif not index.lines_open:
        status = outcome(line.state for line in state.lines.values() if not line.context)
        turn.move_order(status, why="all lines are final")
        turn.move_plan(PlanState.COMPLETED, why="all tasks are done")
    elif index.active or not (index.waiting or turn.early):
        turn.move_order(OrderStatus.IN_PROGRESS, why="work goes on")
    else:
        turn.move_order(OrderStatus.PENDING, why="all that is open waits for a person, an event or an instant")


def outcome(states: Iterable[OrderStatus]) -> OrderStatus:
    """The state of an order whose lines are all final: of one kind that kind, else partial (TMF622).

    Lines that a change has taken back do not count, as they are no longer wanted.
    """
    found = set(states) - {OrderStatus.CANCELLED}
    if found <= {OrderStatus.COMPLETED}:
        return OrderStatus.COMPLETED
    return OrderStatus.FAILED if found == {OrderStatus.FAILED} else OrderStatus.PARTIAL


def write_inventory(turn: Turn) -> None:
    """Reserves what lines that started will add; records what lines that ended have changed or taken back."""
    lines, order = turn.state.lines, turn.state.order
    changes: list[AssetChange] = []
    # a change in the same step may have put other rows in the place of lines
    for line in (lines[each] for each in turn.started if each not in turn.ended):
        if line.action is Action.ADD and line.state is OrderStatus.IN_PROGRESS:
            line.written = True
            changes.append(change_for(line, lines, order, AssetState.RESERVED))
    for line in (lines[each] for each in turn.ended):
        if line.state is OrderStatus.COMPLETED:
            former = _others(turn, line.asset)
            # where it was written before it was joined, what inventory was told then does not hold any more
            changed = writes(line, lines) or (line.written and not former)
            change = change_for(line, lines, order, state_after(line, lines)) if changed else None
            if former and (line.written or any(each.written for each in former)):
                change = over(line, change, former)
            line.written = line.written or changed
            if change:
                changes.append(change)
    for line in turn.taken_back.values():
        others = _others(turn, line.asset)
        # of several lines of an asset the last one to go takes back what all of them have written
        if not _live(turn, line.asset) and (line.written or any(each.written for each in others)):
            changes.append(taken_back(line, others, order.account.id))
    for line in (*turn.ended.values(), *turn.taken_back.values()):
        changes.extend(_left_behind(turn, line.id))
    if changes:
        turn.tell(WriteInventory(changes=tuple(changes)))
    turn.started, turn.ended, turn.taken_back = {}, {}, {}


def _left_behind(turn: Turn, line: str) -> Iterator[AssetChange]:
    """Takes back what former versions of the line have written of items that no line of the order is about any more."""
    if turn.state.revision:
        for version in turn.index.left_behind.get(line, ()):
            others = _others(turn, version.asset)
            if not _live(turn, version.asset) and any(each.written for each in others):
                yield taken_back(version, others, turn.state.order.account.id)


def _others(turn: Turn, asset: str) -> Sequence[Line]:
    """What inventory may have been told by versions and lines of an asset that changes have taken out of the order."""
    if not turn.state.revision:
        return ()
    gone = (each for each in turn.index.sharing.get(asset, ()) if each.state in TAKEN_BACK)
    return (*turn.index.superseded.get(asset, ()), *gone)


def _live(turn: Turn, asset: str) -> bool:
    """Whether a line of the order still makes or changes the asset."""
    sharing = turn.index.sharing.get(asset, ())
    return any(not each.context and each.state is not OrderStatus.CANCELLED for each in sharing)
