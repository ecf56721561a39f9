"""What tasks and people have found out meanwhile adds lines to the wanted content, as it did to the order.

The content is decomposed as if it were ordered at once, so the rules that waited for a finding have not fired in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from orderloom.engine.change.content import Wanted
from orderloom.engine.change.lines import Merge
from orderloom.engine.decomposition import Staged, Supplied, Surroundings, decompose_arrived, derived
from orderloom.engine.orchestration import orchestrate
from orderloom.engine.program import Program
from orderloom.models.fulfillment import Line
from orderloom.models.plan import OrderState
from orderloom.models.values import Value

#: a line and an attribute of it that has a value
Arrival = tuple[str, str]


def with_findings(program: Program, state: OrderState, content: Wanted, lost: frozenset[str]) -> Wanted:
    """The content with the lines that rules make of what was delivered, but for what the tasks in `lost` delivered.

    Rules that cannot be reconciled with the content are left out, as they are when a finding arrives.
    """
    lines = dict(content.lines)
    findings_of: frozenset[str] = frozenset()
    looked: set[tuple[Arrival, Value]] = set()
    late: list[Arrival] = []
    while True:
        merged = Merge(program, state, replace(content, lines=lines)).lines(lost)
        arrived = []
        for each in dict.fromkeys((*_arrived(program, lines, merged), *late)):
            seen = each, merged[each[0]].attributes.get(each[1])
            if seen not in looked:
                looked.add(seen)
                arrived.append(each)
        if not arrived:
            break
        found_by = frozenset(by.by for line in merged.values() for by in line.provenance.values() if by.by)
        late = []
        for supplied in _derived(program, content, merged, arrived):
            findings_of |= found_by
            late.append((supplied.line, supplied.attribute))
            lines[supplied.line] = replace(lines[supplied.line])
            for line in (lines[supplied.line], merged[supplied.line]):
                supplied.put(line)
        for staged in _stages(program, content, merged, arrived):
            if staged.added or staged.joined:
                findings_of |= found_by
                _take_in(lines, staged)
                late += ((each.line, each.attribute) for each in staged.values)
    if not findings_of:
        return content
    strata = program.strata
    lines = {each.id: each for each in sorted(lines.values(), key=lambda each: strata.get(each.spec, 0))}
    plan = orchestrate(program, content.order, lines, content.inventory)
    tasks = {task.id: task for task in plan.tasks}
    return replace(content, lines=lines, tasks=tasks, problems=plan.problems, findings_of=findings_of)


def _arrived(program: Program, lines: Mapping[str, Line], merged: Mapping[str, Line]) -> Iterator[Arrival]:
    """The values that rules ask for and that the content lacks by itself."""
    for line in merged.values():
        before = lines[line.id].attributes
        for name, value in line.attributes.items():
            looked_at = name in program.asking or name in program.giving
            if looked_at and value is not None and before.get(name) != value:
                yield line.id, name


def _derived(
    program: Program, content: Wanted, merged: Mapping[str, Line], arrived: Sequence[Arrival]
) -> Iterator[Supplied]:
    """The values that rules give once these have arrived; each is to be in its place before the next is asked for."""
    around = Surroundings(program, merged)
    for line, attribute in arrived:
        yield from derived(program, content.order, line, attribute, around)


def _stages(program: Program, content: Wanted, merged: dict[str, Line], arrived: Sequence[Arrival]) -> Iterator[Staged]:
    """What the values bring about, all together; where they do not get on, one after the other."""
    together = decompose_arrived(program, content.order, arrived, Surroundings(program, merged))
    if not together.problems:
        yield together
        return
    for each in arrived:
        alone = decompose_arrived(program, content.order, (each,), Surroundings(program, merged))
        if not alone.problems:
            yield alone
            _take_in(merged, alone)


def _take_in(lines: dict[str, Line], staged: Staged) -> None:
    for line in staged.added:
        lines[line.id] = line
    for line in staged.joined:
        lines[line.id] = replace(
            lines[line.id],
            sources=line.sources,
            users_added=line.users_added,
            users_removed=line.users_removed,
            quantity=line.quantity,
            action=line.action,
        )
    for late in staged.values:
        line = lines[late.line] = replace(lines[late.line])
        late.put(line)
