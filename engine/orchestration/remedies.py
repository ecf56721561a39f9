"""Tasks that a change adds to a plan: what takes a task back, changes it, looks after it, or decides a conflict.

They are made from the definitions of the tasks that they are for: a design says only `undo …`, `cancel …` or
`amend with …`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orderloom.models.catalog import Attribute
from orderloom.models.design import DEFAULT_FALLOUT_QUEUE
from orderloom.models.plan import Task
from orderloom.models.tasks import PlanDefinition, TaskDefinition, TaskKind
from orderloom.models.values import BOOLEAN

UNDO = "/undo"
CANCEL = "/cancel"
AMEND = "/amend"
RESOLVE = "/resolve"
CONFLICT = "/conflict"
#: form field of a conflict: whether what the change wants holds, else what was delivered stays
TAKE_AMENDED = "amended"


def base(definition: str) -> str:
    """The id of the designed task that a definition is, or was made from."""
    return definition.partition("/")[0]


def remedies(plan: PlanDefinition, definition: TaskDefinition) -> Iterator[TaskDefinition]:
    """The definitions that changes may need for tasks of this definition."""
    title = definition.title or definition.name
    if definition.undo:
        yield TaskDefinition(
            id=definition.id + UNDO,
            name=f"undo {definition.name}",
            title=f"Undo: {title}",
            kind=TaskKind.CALL,
            operation=definition.undo,
            fallout=definition.fallout,
        )
    elif definition.undo_plan:
        yield _subplan(definition, UNDO, f"Undo: {title}", definition.undo_plan)
    if definition.cancel:
        yield TaskDefinition(
            id=definition.id + CANCEL,
            name=f"cancel {definition.name}",
            title=f"Cancel: {title}",
            kind=TaskKind.CALL,
            operation=definition.cancel,
        )
    if definition.amend_plan:
        amend = _subplan(definition, AMEND, f"Amend: {title}", definition.amend_plan)
        # what is no longer needed is not amended either
        yield replace(amend, when=definition.when)
    yield TaskDefinition(
        id=definition.id + RESOLVE,
        name=f"resolve {definition.name}",
        title=f"Look after what is left of: {title}",
        kind=TaskKind.MANUAL,
        queue=definition.fallout or DEFAULT_FALLOUT_QUEUE,
    )


def cancel_task(task: Task) -> str:
    """The id of the task that cancels the attempt that this one has under way."""
    return f"{task.id}{CANCEL}~{task.attempts}"


#: for tasks whose definition a version of the design no longer has
GENERAL = (
    TaskDefinition(
        id=RESOLVE,
        name="resolve",
        title="Look after what is left of a task that the design no longer has",
        kind=TaskKind.MANUAL,
        queue=DEFAULT_FALLOUT_QUEUE,
    ),
    TaskDefinition(
        id=CONFLICT,
        name="conflict",
        title="Decide whether what the change wants holds, or what was delivered",
        kind=TaskKind.MANUAL,
        queue=DEFAULT_FALLOUT_QUEUE,
        form=(Attribute(name=TAKE_AMENDED, title="Take what the change wants", type=BOOLEAN, required=True),),
    ),
)

#: the plan that the general ones stand in
NOWHERE = PlanDefinition(name="", title="", spec="", actions=(), tasks=GENERAL)


def _subplan(definition: TaskDefinition, suffix: str, title: str, plan: str) -> TaskDefinition:
    name = f"{suffix[1:]} {definition.name}"
    return TaskDefinition(id=definition.id + suffix, name=name, title=title, kind=TaskKind.SUBPLAN, plan=plan)
