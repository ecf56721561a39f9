"""Staged decomposition: what the rules make of an attribute that arrives while the order is being carried out.

Only rules that ask for the attribute and have not fired are looked at; what they ask for joins a line that is there, or
becomes a line of its own, and decomposes further down the levels. Nothing is taken away: that is left to an amendment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from orderloom.engine.decomposition.actions import held_by, settle, wanted_line
from orderloom.engine.decomposition.levels import TAKEN_BACK, Levels, seen
from orderloom.engine.decomposition.merging import Group, merge_values
from orderloom.engine.decomposition.work import Work
from orderloom.engine.expressions import NOTHING, Scope, Snapshot
from orderloom.engine.expressions.order import account_values, order_values
from orderloom.engine.firing import Asking, FiringRule
from orderloom.engine.program import Program
from orderloom.engine.readings import Readings
from orderloom.models.catalog import Action, Level
from orderloom.models.fulfillment import Line, LineSource, Origin, Problem, Provenance
from orderloom.models.inventory import Asset, AssetState, Inventory
from orderloom.models.order import ProductOrder
from orderloom.models.values import Value


@dataclass(frozen=True, slots=True)
class Supplied:
    """A value that a new source gives to a line that is there already."""

    line: str
    attribute: str
    value: Value
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What an attribute brings about. With problems nothing of it is to be used."""

    #: new lines, sources before what they feed
    added: tuple[Line, ...] = ()
    #: lines that gain sources, as they are then
    joined: tuple[Line, ...] = ()
    values: tuple[Supplied, ...] = ()
    problems: tuple[Problem, ...] = ()


class Surroundings:
    """What the lines of an order are to each other, found in one pass when first asked for.

    Values of the lines may change meanwhile; other lines, sources and actions need other surroundings.
    """

    def __init__(self, program: Program, lines: Mapping[str, Line]) -> None:
        self._program = program
        self._lines = lines
        self._collections: dict[int, Snapshot] = {}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Of each line, its place in the order."""
        return {id: place for place, id in enumerate(self._lines)}

    @cached_property
    def below(self) -> Mapping[str, Sequence[str]]:
        """The lines that stand right under each line."""
        return _grouped((line.parent, line.id) for line in self._lines.values() if line.parent)

    @cached_property
    def within(self) -> Mapping[str, Sequence[str]]:
        """The lines that have each line as their root."""
        return _grouped((line.root, line.id) for line in self._lines.values() if line.root)

    def looking(self, asking: Asking, line: str) -> Iterator[tuple[Line, Sequence[FiringRule]]]:
        """The lines whose rules may look at an attribute of a line, with these rules."""
        at = self._lines[line]
        near = {line}
        if asking.parent:
            near.update(self.below.get(line, ()))
        if asking.root:
            near.update(self.within.get(line, ()))
        if asking.children and at.parent in self._lines:
            near.add(at.parent)
        if asking.lines:
            near.update(each for spec in asking.by_spec for each in self.by_spec.get(spec, ()))
        for each in (self._lines[id] for id in (sorted(near, key=self.places.__getitem__) if len(near) > 1 else near)):
            rules = asking.by_spec.get(each.spec)
            if rules is None or each.action is Action.DELETE or each.state in TAKEN_BACK:
                continue
            if each.level is not Level.PRODUCT and not each.sources:
                continue
            found = [rule for rule in rules if each.id == line or _looks(rule.readings, each, at)]
            if found:
                yield each, found

    @cached_property
    def fired(self) -> frozenset[tuple[str, str]]:
        """The lines and rules that other lines were made by, which are still wanted."""
        live = (line for line in self._lines.values() if line.state not in TAKEN_BACK)
        return frozenset((source.line, source.rule) for line in live for source in line.sources)

    @cached_property
    def inventory(self) -> Inventory:
        """Inventory as the order found it, as far as its lines know."""
        return Inventory(assets=_assets(self._lines))

    @cached_property
    def by_spec(self) -> Mapping[str, Sequence[str]]:
        """The lines of each spec."""
        return _grouped((line.spec, line.id) for line in self._lines.values())

    def collections(self, spec: str) -> Snapshot:
        """What the quantifiers of rules for lines of a spec range over: the same as when the order was decomposed."""
        stratum = self._program.strata.get(spec, 0)
        found = self._collections.get(stratum)
        if found is None:
            lines = seen(self._program, self._lines, stratum)
            found = self._collections[stratum] = Snapshot(self._program.specs, lines, self.inventory)
        return found


def _looks(looks: Readings, source: Line, at: Line) -> bool:
    """Whether a rule that looks as `looks` sees the line `at` from its source."""
    return (
        looks.lines
        or (looks.parent and source.parent == at.id)
        or (looks.root and source.root == at.id)
        or (looks.children and at.parent == source.id)
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, id in pairs:
        found.setdefault(key, []).append(id)
    return found


def decompose_further(
    program: Program,
    order: ProductOrder,
    lines: Mapping[str, Line],
    line: str,
    attribute: str,
    around: Surroundings | None = None,
) -> Staged:
    """What the rules make of an attribute of a line that has just got its value; `lines` are not changed.

    `around` are the surroundings of `lines`, where they are known.
    """
    if attribute not in program.asking:
        return Staged()
    return decompose_arrived(program, order, lines, ((line, attribute),), around or Surroundings(program, lines))


def decompose_arrived(
    program: Program,
    order: ProductOrder,
    lines: Mapping[str, Line],
    arrived: Iterable[tuple[str, str]],
    around: Surroundings,
) -> Staged:
    """What the rules make of several values that have arrived, each named by its line and its attribute."""
    touched: dict[str, set[str]] = {}
    for line, attribute in arrived:
        asking = program.asking.get(attribute)
        for each, rules in _touched(asking, lines, line, around) if asking else ():
            touched.setdefault(each.id, set()).update(rules)
    if not touched:
        return Staged()
    firing = list(_firing(program, order, lines, touched, around))
    if not firing:
        return Staged()
    work = Work(program, order, around.inventory)
    for each in lines.values():
        work.add(each)
    further = _Further(work, around.inventory)
    further.go(firing)
    if work.problems:
        return Staged(problems=tuple(work.problems))
    return Staged(added=tuple(further.made), joined=tuple(further.joined.values()), values=tuple(further.values))


def _touched(
    asking: Asking, lines: Mapping[str, Line], line: str, around: Surroundings
) -> Iterator[tuple[Line, frozenset[str]]]:
    """The lines whose rules may ask for the attribute, with those of the rules that have not fired for them."""
    for each, looking in around.looking(asking, line):
        fired = around.fired
        found = frozenset(rule.id for rule in looking if (each.id, rule.id) not in fired)
        if found:
            yield each, found


def _firing(
    program: Program,
    order: ProductOrder,
    lines: Mapping[str, Line],
    touched: Mapping[str, Collection[str]],
    around: Surroundings,
) -> Iterator[tuple[Line, Scope, list[FiringRule]]]:
    """The lines with those of the rules that fire now, and what these see."""
    known, account = order_values(order), account_values(order.account)
    for line, rules in ((lines[id], rules) for id, rules in touched.items()):
        scope = Scope(
            line=line,
            parent=lines.get(line.parent, NOTHING),
            root=lines.get(line.root, NOTHING),
            asset=around.inventory.assets.get(line.asset, NOTHING),
            order=known,
            account=account,
            collections=around.collections(line.spec),
        )
        fired = [program.firing[place] for place in program.decompositions.match(scope)]
        found = [rule for rule in fired if rule.id in rules]
        if found:
            yield line, scope, found


def _assets(lines: Mapping[str, Line]) -> dict[str, Asset]:
    """Inventory as the order found it, as far as its lines know."""
    found = {line.asset: line.held for line in lines.values() if line.held is not None}
    for line in lines.values():
        if line.context:
            found[line.asset] = Asset(
                id=line.asset,
                spec=line.spec,
                level=line.level,
                account="",
                state=AssetState.ACTIVE,
                attributes=line.before,
                quantity=line.quantity,
                ordered=line.ordered,
            )
    return found


class _Further(Levels):
    """The descent from lines that are there already."""

    def __init__(self, work: Work, inventory: Inventory) -> None:
        super().__init__(work, inventory)
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
            target = group.rule.target
            id = asset.id if asset else f"{target.name}@{target.scope}:{group.anchor}"
            there = work.by_asset.get(id)
            if there is not None and there.action is Action.DELETE:
                # what goes is not brought back: a new item takes its place
                there = asset = None
            elif there is not None and there.state in TAKEN_BACK:
                there = None
            if there is None:
                line = wanted_line(work, group, asset, frozenset())
                if line is not None:
                    settle(work, line)
                yield line
            else:
                self._extend(group, there, asset)

    def _extend(self, group: Group, there: Line, asset: Asset | None) -> None:
        """The sources join a line: what it lacks they give, and what they set by a higher priority."""
        users = frozenset(each.source.asset for each in group.contributions)
        line = replace(
            self.joined.get(there.id, there),
            sources=(*there.sources, *(LineSource(each.source.id, each.rule.id) for each in group.contributions)),
            users_added=there.users_added | (users - (asset.users if asset else frozenset())),
            users_removed=there.users_removed - users,
            quantity=self._quantity(group, self.joined.get(there.id, there)),
        )
        self.joined[line.id] = line
        self._work.add(line)
        values, provenance = merge_values(self._work, line.id, group.contributions)
        for name, value in values.items():
            if line.attributes.get(name) is None or self._outranks(provenance[name], line.provenance.get(name)):
                self.values.append(Supplied(line.id, name, value, provenance[name]))

    def _outranks(self, late: Provenance, there: Provenance | None) -> bool:
        """Whether a rule's value takes the place of the one that is there: what a task or a person set stays."""
        if there is None or there.origin in (Origin.DEFAULT, Origin.INVENTORY):
            return True
        priorities = {rule.id: rule.rule.priority for rule in self._program.firing}
        return there.origin is Origin.RULE and priorities[late.by] > priorities.get(there.by, 0)

    def _quantity(self, group: Group, there: Line) -> int:
        """The units that a line is for with what its new sources ask for."""
        asked = [each.quantity for each in group.contributions if each.quantity is not None]
        if not asked:
            return there.quantity
        rules = {each.rule for each in there.sources}
        counted = any(rule.quantity and rule.id in rules for rule in self._program.firing)
        return sum(asked) + (there.quantity if counted else 0)
