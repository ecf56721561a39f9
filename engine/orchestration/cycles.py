"""Finds tasks that wait for each other: the reach of a dependency can bring that about in one order and not another."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.models.plan import Task


def cycle(tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Ids of tasks each of which waits for the next, and the last for the first; empty where there are none.

    A task of a subplan waits for its subplan to start; the subplan's end waits for all of its tasks.
    """
    wholes = {task.within for task in tasks.values()}
    before = {
        task.id: [_END + each if each in wholes else each for each in task.after if each in tasks]
        for task in tasks.values()
    }
    for task in tasks.values():
        if task.within:
            before[task.id].append(task.within)
            before.setdefault(_END + task.within, [task.within]).append(task.id)
    behind: dict[str, list[str]] = {}
    for node, firsts in before.items():
        for first in firsts:
            behind.setdefault(first, []).append(node)
    waiting = {node: len(firsts) for node, firsts in before.items()}
    free = [node for node, count in waiting.items() if not count]
    while free:
        node = free.pop()
        del waiting[node]
        for each in behind.get(node, ()):
            waiting[each] -= 1
            if not waiting[each]:
                free.append(each)
    return _walk(before, waiting) if waiting else ()


#: marks the end of a subplan, as its own node beside its start
_END = "\0"


def _walk(before: Mapping[str, list[str]], waiting: Mapping[str, int]) -> tuple[str, ...]:
    node = next(iter(waiting))
    path: dict[str, None] = {}
    while node not in path:
        path[node] = None
        node = next(first for first in before[node] if first in waiting)
    nodes = list(path)
    return tuple(dict.fromkeys(each.removeprefix(_END) for each in nodes[nodes.index(node) :]))
