"""The tasks of a plan that runs within a task which a change adds: what amends, or takes back."""

from __future__ import annotations

from collections.abc import Iterator

from orderloom.engine.orchestration.cycles import cycle
from orderloom.engine.program import Program
from orderloom.models.plan import Task
from orderloom.models.tasks import Dependency, Reach, TaskDefinition, TaskKind


def parts_of(program: Program, plan: str, whole: Task) -> dict[str, Task]:
    """The tasks of the plan, and of the plans within it, by id; they come after each other as the plan says."""
    instead: set[tuple[str, str]] = set()
    parts = {part.id: part for part in _parts(program, plan, whole, (plan,), instead)}
    if instead and cycle({whole.id: whole, **parts}):
        for part in parts.values():
            part.after = tuple(each for each in part.after if (part.id, each) not in instead)
    return parts


def _parts(
    program: Program, plan: str, whole: Task, chain: tuple[str, ...], instead: set[tuple[str, str]]
) -> Iterator[Task]:
    """Puts into `instead` the tasks with what they come after in place of an attribute that they need."""
    tasks = program.design.plans[plan].tasks
    names = {each.id: f"{whole.id}/{each.id}" for each in tasks}
    for each in tasks:
        after: dict[str, None] = {}
        needs: dict[str, None] = {}
        for dependency in each.after:
            if dependency.reach is Reach.RELATED_ORDER:
                continue
            after.update(dict.fromkeys(names[name] for name in dependency.tasks if name in names))
            if dependency.attribute and whole.version:
                # nothing of a former version of a line is set any more: the order in which it would be stays
                givers = [names[other.id] for other in tasks if _gives(other, dependency, each)]
                instead.update((names[each.id], giver) for giver in givers if giver not in after)
                after.update(dict.fromkeys(givers))
            elif dependency.attribute and dependency.when is None:
                needs[dependency.attribute] = None
        part = Task(
            id=names[each.id],
            definition=each.id,
            kind=each.kind,
            line=whole.line,
            within=whole.id,
            after=tuple(sorted(after)),
            needs=tuple(needs),
            role=whole.role,
            version=whole.version,
        )
        yield part
        if each.kind is TaskKind.SUBPLAN and each.plan not in chain:
            yield from _parts(program, each.plan, part, (*chain, each.plan), instead)


def _gives(other: TaskDefinition, dependency: Dependency, task: TaskDefinition) -> bool:
    """Whether it sets the attribute that the task depends on."""
    return other.id != task.id and any(each.attribute == dependency.attribute for each in other.sets)
