"""The states of a task and the edges between them.

pending ─▶ ready ─▶ running ─▶ waiting ─▶ completed        the usual way
running | waiting ─▶ failed ─▶ scheduled ─▶ ready           another attempt, by policy
failed ─▶ fallout ─▶ ready | completed | skipped            a person decides
running ◀─▶ held                                            the connector is offline
… ─▶ frozen ─▶ …                                            an amendment or cancellation is being weighed
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from orderloom.engine.lifecycle.edges import check
from orderloom.models.plan import Task, TaskState

_S = TaskState

#: from each state to those that may follow
TASK_EDGES: Mapping[TaskState, frozenset[TaskState]] = {
    # fallout: what it waits for can no longer come
    _S.PENDING: frozenset((_S.SCHEDULED, _S.READY, _S.SKIPPED, _S.FALLOUT, _S.HELD, _S.FROZEN, _S.DISCARDED)),
    _S.SCHEDULED: frozenset((_S.READY, _S.HELD, _S.FROZEN, _S.CANCELLED, _S.DISCARDED)),
    _S.READY: frozenset((_S.RUNNING, _S.SKIPPED, _S.HELD, _S.FROZEN, _S.CANCELLED, _S.DISCARDED)),
    _S.RUNNING: frozenset((_S.WAITING, _S.COMPLETED, _S.FAILED, _S.HELD, _S.FROZEN, _S.CANCELLED)),
    _S.WAITING: frozenset((_S.COMPLETED, _S.FAILED, _S.SKIPPED, _S.FROZEN, _S.CANCELLED)),
    # completed: the design says that this error is none
    _S.FAILED: frozenset((_S.SCHEDULED, _S.FALLOUT, _S.COMPLETED)),
    _S.FALLOUT: frozenset((_S.READY, _S.COMPLETED, _S.SKIPPED, _S.FROZEN, _S.CANCELLED, _S.DISCARDED)),
    _S.HELD: frozenset((_S.READY, _S.RUNNING, _S.FROZEN, _S.CANCELLED, _S.DISCARDED)),
    _S.FROZEN: frozenset(
        (
            _S.PENDING,
            _S.SCHEDULED,
            _S.READY,
            _S.RUNNING,
            _S.WAITING,
            _S.FALLOUT,
            _S.HELD,
            _S.CANCELLED,
            _S.DISCARDED,
        )
    ),
    # done work is only ever undone or redone deliberately
    _S.COMPLETED: frozenset((_S.AMENDED, _S.CANCELLED)),
    _S.AMENDED: frozenset((_S.CANCELLED,)),
    # a change may no longer ask for what was not needed
    _S.SKIPPED: frozenset((_S.DISCARDED,)),
    _S.CANCELLED: frozenset(),
    _S.DISCARDED: frozenset(),
}


def move(task: Task, to: TaskState, at: datetime) -> None:
    """Takes the task along one legal edge and stamps the times that follow from it.

    Raises IllegalTransition, with the task unchanged.
    """
    check(TASK_EDGES, f"task `{task.id}`", task.state, to)
    task.state = to
    if to is _S.READY:
        task.ready_at = at
    elif to is _S.RUNNING and task.started_at is None:
        task.started_at = at
    elif to.final:
        task.finished_at = at
