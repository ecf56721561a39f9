"""In which order what was done is taken back: only after everything that came after it and is taken back too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orderloom.engine.orchestration.definitions import Definitions
from orderloom.engine.orchestration.reads import reads
from orderloom.models.expression import Root
from orderloom.models.fulfillment import Line, Origin
from orderloom.models.plan import Task, TaskRole


class Aftermath:
    """For each task, which of those that are taken back came after it."""

    def __init__(self, tasks: Mapping[str, Task], lines: Mapping[str, Line], known: Definitions) -> None:
        self._tasks = tasks
        self._parts: dict[str, list[str]] = {}
        self._next: dict[str, list[str]] = {}
        for task in tasks.values():
            for first in task.after:
                self._next.setdefault(first, []).append(task.id)
            if task.within:
                self._parts.setdefault(task.within, []).append(task.id)
        for task in tasks.values():
            if task.role is TaskRole.FORMER and task.of in self._next:
                # while an earlier run is still to be taken back, what is done came after that run
                self._next.setdefault(task.id, []).extend(self._next[task.of])
        by_attribute = [
            (provider, task.id)
            for task in tasks.values()
            if task.attempts
            for name in task.needs
            for provider in providers(lines, known, task.line, name)
            if provider in tasks and provider != task.id
        ]
        for provider, task_id in by_attribute:
            self._next.setdefault(provider, []).append(task_id)
        if by_attribute and self._circular():
            # an attribute that was set again later tells nothing of what came first
            for provider, task_id in by_attribute:
                self._next[provider].remove(task_id)

    def nearest(self, taken_back: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """For each task in `taken_back` (task -> what takes it back): what has to take back others first."""
        found: dict[str, frozenset[str]] = {}
        for start in taken_back:
            stack = [start]
            while stack:
                task = stack[-1]
                if task in found:
                    stack.pop()
                    continue
                below = self._after(task)
                open_ones = [each for each in below if each not in found]
                if open_ones:
                    stack.extend(open_ones)
                    continue
                stack.pop()
                result: set[str] = set()
                for each in below:
                    result |= set(taken_back[each]) if each in taken_back else found[each]
                found[task] = frozenset(result)
        return {task: tuple(sorted(found[task])) for task in taken_back}

    def _after(self, task: str) -> list[str]:
        """What may start once the task is done, or has started in the case of a subplan."""
        after = [*self._next.get(task, ()), *self._parts.get(task, ())]
        whole = self._tasks[task].within if task in self._tasks else ""
        while whole:
            after.extend(self._next.get(whole, ()))
            whole = self._tasks[whole].within if whole in self._tasks else ""
        return list(dict.fromkeys(each for each in after if each != task))

    def _circular(self) -> bool:
        counts = dict.fromkeys(self._tasks, 0)
        after = {task: [each for each in self._after(task) if each in counts] for task in self._tasks}
        for following in after.values():
            for each in following:
                counts[each] += 1
        free = [task for task, count in counts.items() if not count]
        for task in free:
            for each in after[task]:
                counts[each] -= 1
                if not counts[each]:
                    free.append(each)
        return len(free) < len(counts)


def providers(lines: Mapping[str, Line], known: Definitions, line_id: str, name: str) -> Iterable[str]:
    """The tasks that delivered an attribute, also through lines that this one is made from."""
    todo, seen = [(line_id, name)], set()
    while todo:
        place = todo.pop()
        line = lines.get(place[0])
        provenance = line.provenance.get(place[1]) if line else None
        if provenance is None or place in seen:
            continue
        seen.add(place)
        if provenance.origin is Origin.TASK:
            yield provenance.by
        elif provenance.origin is Origin.RULE and provenance.by in known.rules:
            for mapping in known.rules[provenance.by].mappings:
                if mapping.attribute == place[1]:
                    names = (read.name for read in reads(mapping.value) if read.root is Root.LINE)
                    todo.extend((provenance.source, each) for each in names)
