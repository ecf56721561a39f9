"""Staged decomposition: what the rules make of an attribute that arrives while the order is being carried out.

Only rules that ask for the attribute and have not fired are looked at; what they ask for joins a line that is there, or
becomes a line of its own, and decomposes further down the levels. Nothing is taken away: that is left to an amendment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orderloom.engine.decomposition.actions import action_of, held_by, item_of, settle, unheld, wanted_line
from orderloom.engine.decomposition.deriving import Supplied, takes_over
from orderloom.engine.decomposition.levels import Levels
from orderloom.engine.decomposition.merging import Group, merge_values
from orderloom.engine.decomposition.surroundings import Surroundings
from orderloom.engine.decomposition.work import Work
from orderloom.engine.expressions import Scope
from orderloom.engine.firing import Asking, FiringRule
from orderloom.engine.inventory import state_after
from orderloom.engine.program import Program
from orderloom.engine.readings import QUANTITY
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line, LineSource, Origin, Problem, Provenance
from orderloom.models.inventory import Asset, AssetState, Inventory
from orderloom.models.order import TAKEN_BACK, ProductOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What an attribute brings about. With problems nothing of it is to be used."""

    #: new lines, sources before what they feed
    added: tuple[Line, ...] = ()
    #: lines that gain sources, as they are then
    joined: tuple[Line, ...] = ()
    #: what the joined lines are given by that
    values: tuple[Supplied, ...] = ()
    problems: tuple[Problem, ...] = ()


def decompose_further(
    program: Program,
    order: ProductOrder,
    lines: Mapping[str, Line],
    line: str,
    attribute: str,
    around: Surroundings | None = None,
    *,
    replaces: bool = False,
) -> Staged:
    """What the rules make of an attribute of a line that has just got its value; `lines` are not changed.

    `around` are the surroundings of `lines`, where they are known. Where the value `replaces` another one, and rules
    have made of that what they would not make now, nothing is made: an amendment sees to it, with what is to go.
    """
    asking = program.asking.get(attribute)
    if asking is None:
        return Staged()
    around = around or Surroundings(program, lines)
    if replaces and _lets_go(program, order, asking, line, around):
        return Staged()
    return decompose_arrived(program, order, ((line, attribute),), around)


def decompose_arrived(
    program: Program,
    order: ProductOrder,
    arrived: Iterable[tuple[str, str]],
    around: Surroundings,
) -> Staged:
    """What the rules make of several values that have arrived, each named by its line and its attribute.

    `around` are the surroundings of the lines of the order.
    """
    touched: dict[str, set[str]] = {}
    for line, attribute in arrived:
        asking = program.asking.get(attribute)
        for each, rules in _touched(asking, line, around) if asking else ():
            touched.setdefault(each.id, set()).update(rules)
    if not touched:
        return Staged()
    firing = list(_firing(program, order, touched, around))
    if not firing:
        return Staged()
    work = Work(program, order, around.holdings, around.lines, around.by_asset)
    further = _Further(work, around.inventory, around.fed)
    further.go(firing)
    if work.problems:
        return Staged(problems=tuple(work.problems))
    return Staged(added=tuple(further.made), joined=tuple(further.joined.values()), values=tuple(further.values))


def _lets_go(program: Program, order: ProductOrder, asking: Asking, line: str, around: Surroundings) -> bool:
    """Whether a rule that asks for the attribute has fired, and would not any more."""
    for each, looking in around.looking(asking, line):
        fired = {rule.id for rule in looking if (each.id, rule.id) in around.fired}
        if fired and not fired <= {
            program.firing[place].id for place in program.decompositions.match(around.scope(order, each))
        }:
            return True
    return False


def _touched(asking: Asking, line: str, around: Surroundings) -> Iterator[tuple[Line, frozenset[str]]]:
    """The lines whose rules may ask for the attribute, with those of the rules that have not fired for them."""
    fired = around.fired
    for each, looking in around.looking(asking, line):
        found = frozenset(rule.id for rule in looking if (each.id, rule.id) not in fired)
        if found:
            yield each, found


def _firing(
    program: Program,
    order: ProductOrder,
    touched: Mapping[str, Collection[str]],
    around: Surroundings,
) -> Iterator[tuple[Line, Scope, list[FiringRule]]]:
    """The lines with those of the rules that fire now, and what these see."""
    for line, rules in ((around.lines[id], rules) for id, rules in touched.items()):
        scope = around.scope(order, line)
        fired = [program.firing[place] for place in program.decompositions.match(scope)]
        found = [rule for rule in fired if rule.id in rules]
        if found:
            yield line, scope, found


class _Further(Levels):
    """The descent from lines that are there already."""

    def __init__(self, work: Work, inventory: Inventory, fed: Mapping[str, Sequence[str]]) -> None:
        super().__init__(work, inventory)
        #: the lines made from each of those that are there
        self._fed = fed
        self.made: list[Line] = []
        self.joined: dict[str, Line] = {}
        self.values: list[Supplied] = []

    def go(self, firing: Iterable[tuple[Line, Scope, list[FiringRule]]]) -> None:
        """Fires the rules that are named, and all rules of what they make."""
        for line, scope, rules in firing:
            for rule in rules:
                self._contribute(rule, line, scope, True)
        while self._groups:
            stratum = min(self._groups)
            made = [line for line in self._join(stratum) if line is not None]
            self._fire(stratum, made)
            self._releases.clear()
            self.made += made

    def _join(self, stratum: int) -> Iterator[Line | None]:
        work = self._work
        groups = list(self._groups.pop(stratum).values())
        for group, asset in zip(groups, held_by(work, groups), strict=True):
            new = item_of(group)
            there = work.by_asset.get(asset.id if asset else new)
            if there is not None and there.action is Action.DELETE:
                # what goes is not brought back: a new item takes its place, or has done so already
                asset, there = None, work.by_asset.get(unheld(work, new))
            if there is not None and there.state in TAKEN_BACK:
                there = None
            if there is None:
                line = wanted_line(work, group, asset)
                if line is not None:
                    settle(work, line)
                yield line
            else:
                self._extend(group, there, asset)

    def _extend(self, group: Group, there: Line, asset: Asset | None) -> None:
        """The sources join a line: what it lacks they give, and what they set by a higher priority."""
        work = self._work
        users = frozenset(each.source.asset for each in group.contributions)
        gained = users - (asset.users if asset else frozenset())
        if there.written:
            # inventory was told already that they no longer use it
            gained |= users & there.users_removed
        idle = state_after(there, work.lines) is AssetState.SUSPENDED
        line = replace(
            there,
            attributes=dict(there.attributes),
            sources=(*there.sources, *(LineSource(each.source.id, each.rule.id) for each in group.contributions)),
            users_added=there.users_added | gained,
            users_removed=there.users_removed - users,
            quantity=self._quantity(group, there),
        )
        self.joined[line.id] = line
        work.add(line)
        work.active.add(line.id)
        if line.quantity != there.quantity:
            by = Provenance(origin=Origin.RULE, by=group.rule.id)
            self.values.append(Supplied(line.id, QUANTITY, line.quantity, by))
        values, provenance = merge_values(work, line.id, group.contributions)
        for name, value in values.items():
            if takes_over(self._program, provenance[name], there, name):
                self.values.append(Supplied(line.id, name, value, provenance[name]))
                line.attributes[name] = value
        if there.action in (Action.NO_CHANGE, Action.SUSPEND):
            # what all that use it suspend is not suspended once something joins that does not
            line.action = action_of(work, line)
        if idle and state_after(line, work.lines) is not AssetState.SUSPENDED:
            self._keep_in_use(line.id)

    def _keep_in_use(self, above: str) -> None:
        """What is made from a line that stays in use is not suspended either, nor is what is added for it."""
        work = self._work
        todo, seen = [above], {above}
        while todo:
            for id in self._fed.get(todo.pop(), ()):
                there = work.lines[id]
                if there.action in (Action.ADD, Action.SUSPEND) and id not in seen:
                    line = replace(there)
                    work.add(line)
                    work.active.add(id)
                    if there.action is Action.SUSPEND:
                        line.action = action_of(work, line)
                    if state_after(line, work.lines) is not AssetState.SUSPENDED:
                        self.joined[id] = line
                        todo.append(id)
                        seen.add(id)

    def _quantity(self, group: Group, there: Line) -> int:
        """The units that a line is for with what its new sources ask for."""
        asked = [each.quantity for each in group.contributions if each.quantity is not None]
        if not asked:
            return there.quantity
        known = self._program.firing_by_id
        counted = any(each.rule in known and known[each.rule].quantity for each in there.sources)
        return sum(asked) + (there.quantity if counted else 0)
