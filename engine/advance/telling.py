"""What the journal tells of lines and tasks that are made."""

from __future__ import annotations

from orderloom.models.conversion import Json, to_json
from orderloom.models.fulfillment import Line
from orderloom.models.plan import Task


def line_data(line: Line) -> dict[str, Json]:
    return {
        "spec": line.spec,
        "level": line.level.value,
        "action": line.action.value,
        "quantity": line.quantity,
        "asset": line.asset,
        "attributes": {name: to_json(value) for name, value in line.attributes.items()},
        "sources": [source.line for source in line.sources],
        "missing": list(line.missing),
    }


def task_data(task: Task) -> dict[str, Json]:
    data: dict[str, Json] = {
        "definition": task.definition,
        "kind": task.kind.value,
        "line": task.line,
        "after": list(task.after),
        "needs": list(task.needs),
    }
    if task.elsewhere:
        data["elsewhere"] = [f"{name} of {order}" for order, name in task.elsewhere]
    return data
