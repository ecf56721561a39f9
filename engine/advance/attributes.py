"""Sets attributes of lines, and follows what hangs on them: dependencies, conditions, staged lines."""

from __future__ import annotations

from collections import deque

from orderloom.engine.advance.turn import Turn
from orderloom.engine.advance.weaving import take_up, weave
from orderloom.engine.decomposition import Supplied, derived, takes_over, units
from orderloom.engine.readings import QUANTITY
from orderloom.models.conversion import to_json
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.journal import EntryKind
from orderloom.models.order import OrderStatus
from orderloom.models.values import Value


def set_attribute(turn: Turn, line: Line, name: str, value: Value, provenance: Provenance) -> None:
    """Gives an attribute a value, with its provenance; what rules derive from it follows."""
    work: deque[tuple[Line, str, Value, Provenance]] = deque(((line, name, value, provenance),))
    while work:
        each, attribute, wanted, by = work.popleft()
        late: tuple[Supplied, ...] = ()
        if attribute == QUANTITY:
            # counted anew, since sources and values may have come since it was given
            count = units(turn.program, turn.state.order, each, turn.index.around)
            if count is None or count == each.quantity:
                continue
            _count(turn, each, count)
        elif each.attributes.get(attribute) == wanted and attribute not in each.missing:
            _confirm(turn, each, attribute, by)
            continue
        elif by.origin is Origin.RULE and not takes_over(turn.program, by, each, attribute):
            # another value has come before it
            continue
        else:
            replaces = each.attributes.get(attribute) is not None and by.origin is not Origin.RULE
            _write(turn, each, attribute, wanted, by)
            if wanted is not None:
                late = weave(turn, each, attribute, replaces=replaces).values
        if by.origin is Origin.RULE:
            take_up(turn, each)
        late += _derived(turn, each, attribute)
        work.extend((turn.state.lines[one.line], one.attribute, one.value, one.provenance) for one in late)


def _derived(turn: Turn, line: Line, attribute: str) -> tuple[Supplied, ...]:
    return tuple(derived(turn.program, turn.state.order, line.id, attribute, turn.index.around))


def _count(turn: Turn, line: Line, quantity: int) -> None:
    turn.note(EntryKind.NOTE, line.id, {"text": f"{quantity} units are asked for instead of {line.quantity}"})
    if turn.index.definitions.once:
        turn.index.weft = None
    line.quantity = quantity
    _changed(turn, line)


def _confirm(turn: Turn, line: Line, name: str, by: Provenance) -> None:
    """A task has delivered what was there already: it counts as delivered from now on, whatever else it came from."""
    there = line.provenance.get(name)
    if by.origin is Origin.TASK and there is not None and there.origin not in (Origin.TASK, Origin.PERSON):
        line.provenance[name] = by
        turn.lines.add(line.id)


def _write(turn: Turn, line: Line, name: str, value: Value, provenance: Provenance) -> None:
    data = {
        "attribute": name,
        "from": to_json(line.attributes.get(name)),
        "to": to_json(value),
        "origin": provenance.origin.value,
        "by": provenance.by,
        "text": provenance.text,
    }
    line.attributes[name] = value
    line.provenance[name] = provenance
    if value is not None and name in line.missing:
        line.missing = tuple(each for each in line.missing if each != name)
    _changed(turn, line)
    turn.note(EntryKind.ATTRIBUTE_SET, line.id, data)
    index = turn.index
    if name in index.definitions.once_reads:
        # another task may stand for those of the line from now on
        index.weft = None
    if value is not None:
        for task in index.needing.pop((line.id, name), ()):
            release(turn, task)
    turn.recheck.extend(index.watching(line.id, name))


def _changed(turn: Turn, line: Line) -> None:
    turn.lines.add(line.id)
    turn.index.values.pop(line.id, None)
    if line.state is OrderStatus.COMPLETED:
        # a staged line without tasks of its own ended before the value came: inventory is told again
        turn.ended[line.id] = line


def release(turn: Turn, task: str) -> None:
    """One thing that a pending task waited for is there."""
    remaining = turn.index.remaining
    if task in remaining:
        remaining[task] -= 1
        if not remaining[task]:
            turn.agenda.append(turn.state.tasks[task])
