"""Resolves what a task comes after: from definitions and reaches to the ids of tasks.

A dependency's condition is decided here, on the attributes that are there. Where it is unknown and reads an attribute
of the line that a task supplies later, the dependency holds: a task may then wait longer than it must, but never starts
too early. Where a task stands for those of several lines (`once per …`), it comes after what each of them would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.instances import Stand
from orderloom.engine.orchestration.reaches import Reaches
from orderloom.engine.orchestration.reads import reads
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.program import Program
from orderloom.models.expression import Formula, Root
from orderloom.models.fulfillment import Line
from orderloom.models.tasks import Dependency, Reach


class Dependencies:
    """Finds what tasks come after: `after`, `needs` and `elsewhere`.

    Tasks are found once they were filed. Where lines are found under other keys than before, their stands are filed
    anew.
    """

    def __init__(
        self, program: Program, related: Sequence[str], lines: Mapping[str, Line], reaches: Reaches, scopes: Scopes
    ) -> None:
        self._program = program
        self._related = related
        self._definitions = definitions(program)
        self._lines = lines
        self._reaches = reaches
        self._scopes = scopes
        self._found: dict[tuple[str, Reach, str], dict[str, None]] = {}
        self._parts: dict[tuple[str, str], str] = {}

    def file(self, stands: Iterable[Stand]) -> None:
        """Files tasks under the keys of the reaches that some dependency looks for them in."""
        wanted = self._definitions.looked_for
        for stand in stands:
            task = stand.task
            if task.within:
                self._parts[task.within, stand.definition.id] = task.id
            for reach in wanted.get(stand.definition.id, ()):
                for key in self._reaches.member(stand.line, reach):
                    self._found.setdefault((stand.definition.id, reach, key), {})[task.id] = None

    def resolve(self, stands: Iterable[Stand]) -> None:
        """Sets the dependencies of each task that stands somewhere, in place."""
        stands = tuple(stands)
        after: dict[str, set[str]] = {}
        elsewhere: dict[str, set[tuple[str, str]]] = {}
        for stand in stands:
            task = stand.task
            for dependency in self.holding(stand):
                if dependency.attribute:
                    if task.line == stand.line.id and dependency.attribute not in task.needs:
                        task.needs = (*task.needs, dependency.attribute)
                elif dependency.reach is Reach.RELATED_ORDER:
                    elsewhere.setdefault(task.id, set()).update(self.related(dependency))
                else:
                    after.setdefault(task.id, set()).update(self.firsts(stand, dependency))
        for stand in stands:
            before = after.pop(stand.task.id, None)
            if before:
                before.discard(stand.task.id)
                stand.task.after = tuple(sorted(before))
            if stand.task.id in elsewhere:
                stand.task.elsewhere = tuple(sorted(elsewhere.pop(stand.task.id)))

    def holding(self, stand: Stand) -> Iterator[Dependency]:
        """The dependencies of a stand whose conditions hold."""
        return (each for each in stand.definition.after if self.holds(each, stand))

    def holds(self, dependency: Dependency, stand: Stand) -> bool:
        """Whether the condition of the stand's dependency holds."""
        return dependency.when is None or self._holds(dependency.when, stand.line)

    def related(self, dependency: Dependency) -> Iterator[tuple[str, str]]:
        """What a dependency looks for in related orders: (order, id of a task definition)."""
        if dependency.reach is Reach.RELATED_ORDER:
            yield from ((order, name) for order in self._related for name in dependency.tasks)

    def firsts(self, stand: Stand, dependency: Dependency) -> Iterable[str]:
        """The tasks that a stand comes after by this dependency on tasks."""
        reach = dependency.reach
        for name in dependency.tasks:
            part = self.part(stand, name) if reach is Reach.LINE else ""
            if part:
                yield part
                continue
            keys = self._reaches.seen(stand.line, reach)
            if reach is Reach.LINE and self.beyond(stand, name):
                keys = self._reaches.connected(stand.line)
            for key in keys:
                yield from self._found.get((name, reach, key), ())

    def part(self, stand: Stand, name: str) -> str:
        """The task of this definition in the same subplan, which is meant before any other of the line; "" for none."""
        compiled = self._definitions.tasks.get(name)
        if stand.task.within and compiled and compiled.plan.name == stand.plan.name:
            return self._parts.get((stand.task.within, name), "")
        return ""

    def beyond(self, stand: Stand, name: str) -> bool:
        """Whether tasks of this definition stand at other lines than this one, those that it is made from or feeds."""
        compiled = self._definitions.tasks.get(name)
        return compiled is not None and self._foreign(compiled.plan.spec, stand.line)

    def _foreign(self, spec: str, line: Line) -> bool:
        return spec not in self._program.lineage(line.spec)

    def _holds(self, when: Formula, line: Line) -> bool:
        value = self._program.expression(when).evaluate(self._scopes.of(line))
        return value is True or (value is None and self._comes_later(when, line))

    def _comes_later(self, when: Formula, line: Line) -> bool:
        for read in reads(when):
            subject = {Root.LINE: line.id, Root.PARENT: line.parent, Root.ROOT: line.root}.get(read.root or Root.ORDER)
            if subject is None or subject not in self._lines:
                continue
            spec = self._program.specs.get(self._lines[subject].spec)
            if spec and read.name in spec.supplied_later and self._lines[subject].attributes.get(read.name) is None:
                return True
        return False
