"""How far a dependency looks: the keys under which the tasks of a line are found, by reach.

| reach  | a line finds the tasks of                                                                     |
|--------|-----------------------------------------------------------------------------------------------|
| line   | itself; for a task of another spec, of all lines that it is made from or that are made from it  |
| parent | the lines that stand under the same line, and that line                                        |
| bundle | all lines of its bundle; a line that several bundles feed belongs to each of them             |
| order  | all lines                                                                                     |

Related orders are out of its sight: what is done there is told to the order, see `Task.elsewhere`.

Where several lines merged into one, that one stands under each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from orderloom.engine.orchestration.feeding import made_from
from orderloom.models.catalog import Level
from orderloom.models.fulfillment import Line
from orderloom.models.tasks import Reach

_ORDER = ("",)


class Reaches:
    """The reaches of one order's lines; sources come before what they feed.

    `lines` may grow: what is new is to be told with `add`, what has other sources with `join`.
    """

    def __init__(self, lines: Mapping[str, Line]) -> None:
        self._lines = lines
        self._fed: dict[str, list[str]] = {}
        self._roots: dict[str, tuple[str, ...]] = {}
        self._connected: dict[str, tuple[str, ...]] = {}
        for line in lines.values():
            self._place(line)

    def add(self, line: Line) -> None:
        """Takes in a line that nothing is made from yet."""
        self._place(line)
        self._forget((), line)

    def join(self, line: Line, sources: Iterable[str]) -> list[str]:
        """Takes in that a line has these sources too; the lines that are found under other keys now."""
        sources = tuple(sources)
        for source in sources:
            self._fed.setdefault(source, []).append(line.id)
        below = [line.id, *self._closure(line.id, self._targets)]
        for each in below:
            gained = sources if each == line.id else self._sources(each)
            roots = dict.fromkeys(self._roots[each])
            for source in gained:
                roots.update(dict.fromkeys(self._roots.get(source, ())))
            self._roots[each] = tuple(roots)
        self._forget(below, line)
        return below

    def _forget(self, below: Iterable[str], line: Line) -> None:
        """What was found to be connected is found anew where the line is among it."""
        if self._connected:
            for each in (*below, line.id, *self._closure(line.id, self._sources)):
                self._connected.pop(each, None)

    def _place(self, line: Line) -> None:
        roots = {line.root or line.id: None}
        for source in self._sources(line.id):
            self._fed.setdefault(source, []).append(line.id)
            roots.update(dict.fromkeys(self._roots.get(source, ())))
        self._roots[line.id] = tuple(roots)

    def home(self, line: Line, reach: Reach) -> str:
        """The one key that `once per …` counts by."""
        match reach:
            case Reach.LINE:
                return line.id
            case Reach.PARENT:
                return line.parent or line.id
            case Reach.BUNDLE:
                return line.root or line.id
            case Reach.ORDER | Reach.RELATED_ORDER:
                return ""

    def member(self, line: Line, reach: Reach) -> tuple[str, ...]:
        """The keys under which the line's tasks are found."""
        match reach:
            case Reach.LINE:
                return (line.id,)
            case Reach.PARENT:
                return (*self._above(line), line.id)
            case Reach.BUNDLE:
                return self._roots[line.id]
            case Reach.ORDER:
                return _ORDER
            case Reach.RELATED_ORDER:
                return ()

    def seen(self, line: Line, reach: Reach) -> tuple[str, ...]:
        """The keys under which the line looks for tasks."""
        match reach:
            case Reach.LINE:
                return (line.id,)
            case Reach.PARENT:
                return self._above(line) or (line.id,)
            case Reach.BUNDLE:
                return self._roots[line.id]
            case Reach.ORDER:
                return _ORDER
            case Reach.RELATED_ORDER:
                return ()

    def connected(self, line: Line) -> tuple[str, ...]:
        """The lines that this one is made from and those made from it, through any number of rules."""
        found = self._connected.get(line.id)
        if found is None:
            up = self._closure(line.id, self._sources)
            down = self._closure(line.id, self._targets)
            found = self._connected[line.id] = tuple(dict.fromkeys((*up, *down)))
        return found

    def _above(self, line: Line) -> tuple[str, ...]:
        above = dict.fromkeys((line.parent,)) if line.parent else {}
        above.update(dict.fromkeys(made_from(line)))
        return tuple(above)

    def _sources(self, id: str) -> list[str]:
        """The lines that this one is made from; for one that nothing asks for any more, the line that gave it up."""
        line = self._lines[id]
        if not line.sources and line.level is not Level.PRODUCT:
            return [line.parent] if line.parent in self._lines else []
        return [source.line for source in line.sources if source.line in self._lines]

    def _targets(self, line: str) -> list[str]:
        return self._fed.get(line, [])

    def _closure(self, start: str, following: Callable[[str], list[str]]) -> list[str]:
        found: dict[str, None] = {}
        todo = [start]
        while todo:
            for line in following(todo.pop()):
                if line not in found:
                    found[line] = None
                    todo.append(line)
        return list(found)
