"""Fourth stage: from products down the levels, stratum by stratum.

When a stratum's turn comes, every line that may feed it is done: its groups of contributions become lines, lines that
lost a source are released, and the new lines fire in their turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orderloom.engine.decomposition.actions import differs, held_by, released_line, settle, wanted_line
from orderloom.engine.decomposition.anchors import Anchors
from orderloom.engine.decomposition.merging import Contribution, Group
from orderloom.engine.decomposition.work import Work
from orderloom.engine.expressions import NOTHING, Scope, Snapshot, Subject
from orderloom.engine.expressions.order import account_values, order_values
from orderloom.engine.expressions.scope import LineSubject
from orderloom.engine.firing import FiringRule
from orderloom.engine.program import Program
from orderloom.models.catalog import Action, Level
from orderloom.models.fulfillment import Line, ProblemKind
from orderloom.models.inventory import Asset, Inventory
from orderloom.models.order import TAKEN_BACK
from orderloom.models.values import Value

#: source actions whose lines give up what they no longer ask for
_RELEASING = frozenset((Action.MODIFY, Action.DELETE))
#: those that do so where something else of the line differs as well
_IDLE = frozenset((Action.SUSPEND, Action.RESUME))


def seen(program: Program, lines: Mapping[str, Line], stratum: int) -> Iterator[Line]:
    """The lines that rules for lines of a stratum see: those that are there when its turn comes, and that stay."""
    strata = program.strata
    for line in lines.values():
        gone = line.action is Action.DELETE or line.state in TAKEN_BACK
        if not gone and strata.get(line.spec, 0) <= stratum:
            yield line


class _AsNew:
    """A line as its rules would see it if it were added."""

    __slots__ = ("action", "attributes", "id", "quantity", "spec")

    def __init__(self, line: LineSubject) -> None:
        self.id = line.id
        self.spec = line.spec
        self.quantity = line.quantity
        self.attributes = line.attributes
        self.action = Action.ADD


class Levels:
    """The descent through the strata."""

    def __init__(self, work: Work, inventory: Inventory) -> None:
        self._work = work
        self._program = work.program
        self._inventory = inventory
        self._anchors = Anchors(work)
        self._order = order_values(work.order)
        self._account = account_values(work.order.account)
        #: by stratum: groups by (target, anchor), and assets with a source that may give them up or ask otherwise
        self._groups: dict[int, dict[tuple[str, str], Group]] = {}
        self._releases: dict[int, list[tuple[Asset, Line]]] = {}
        self._above: frozenset[str] | None = None

    def descend(self) -> None:
        """Makes all technical lines."""
        strata = self._program.strata
        products: dict[int, list[Line]] = {}
        for line in self._work.lines.values():
            products.setdefault(strata.get(line.spec, 0), []).append(line)
        while products or self._groups or self._releases:
            stratum = min((*products, *self._groups, *self._releases))
            lines = products.pop(stratum, [])
            lines += self._settle(stratum)
            self._fire(stratum, lines)

    def _settle(self, stratum: int) -> list[Line]:
        """The technical lines of the stratum, with their actions."""
        work = self._work
        made: list[Line] = []
        groups = list(self._groups.pop(stratum, {}).values())
        releases = self._releases.pop(stratum, [])
        releasing: dict[str, list[Line]] = {}
        for held, source in releases:
            releasing.setdefault(held.id, []).append(source)
        for group, asset in zip(groups, held_by(work, groups), strict=True):
            line = wanted_line(work, group, asset, releasing.get(asset.id, ()) if asset else ())
            if line is not None:
                made.append(line)
        for asset, source in releases:
            known = work.by_asset.get(asset.id)
            if known is None:
                known = released_line(work, asset, source)
                made.append(known)
            if all(each.line != source.id for each in known.sources):
                known.users_removed |= {source.asset}
                work.active.add(known.id)
        for line in made:
            settle(work, line)
        return made

    def _fire(self, stratum: int, lines: list[Line]) -> None:
        """Fires the rules of the lines, and notes what the lines may give up."""
        work = self._work
        match = self._program.decompositions.match
        firing = self._program.firing
        collections = Snapshot(self._program.specs, seen(self._program, work.lines, stratum), self._inventory)
        scope = Scope(order=self._order, account=self._account, collections=collections)
        for line in lines:
            if line.action is not Action.DELETE and (line.sources or line.level is Level.PRODUCT):
                scope.line = line
                scope.parent = work.lines.get(line.parent, NOTHING)
                scope.root = work.lines.get(line.root, NOTHING)
                held = work.assets.get(line.asset, NOTHING)
                scope.asset = held
                fired: Iterable[int] = match(scope)
                if self._program.asks_for_action and line.action is not Action.ADD:
                    fired = self._kept(line, scope, fired)
                live = line.id in work.active
                for place in fired:
                    self._contribute(firing[place], line, scope, live or self._reached(firing[place], line))
            for asset in work.used_by.get(line.asset, ()):
                if self._releasing(line) or self._reconsidered(line, asset):
                    turn = max(self._program.strata.get(asset.spec, 0), stratum + 1)
                    self._releases.setdefault(turn, []).append((asset, line))

    def _kept(self, line: Line, scope: Scope, fired: Iterable[int]) -> Iterable[int]:
        """The rules that fire, with those that would if the line were new and whose target it uses already.

        Tests of the action decide only what is made; of an exclusive group the rule counts that made the target.
        """
        used = {asset.spec for asset in self._work.used_by.get(line.asset, ())}
        if not used:
            return fired
        parent, root = scope.parent, scope.root
        scope.line, scope.parent, scope.root = _AsNew(line), _AsNew(parent), _AsNew(root)
        places = self._program.decompositions.match(scope)
        scope.line, scope.parent, scope.root = line, parent, root
        firing = self._program.firing
        kept = {place for place in places if firing[place].target.name in used}
        settled = {firing[place].rule.group for place in kept} - {""}
        return sorted(kept | {place for place in fired if firing[place].rule.group not in settled})

    def _releasing(self, line: Line) -> bool:
        """Whether the line itself may ask for something else than before."""
        if line.action in _IDLE:
            return differs(line, self._work.assets[line.asset])
        return line.action in _RELEASING

    def _reconsidered(self, line: Line, asset: Asset) -> bool:
        """Whether some rule that may have asked for the item on behalf of the line looks at what the order touches."""
        rules = self._program.firing_by_source.get(line.spec, ())
        return any(rule.target.name == asset.spec and self._reached(rule, line) for rule in rules)

    def _reached(self, rule: FiringRule, line: Line) -> bool:
        """Whether what the rule looks at beyond its line is touched by the order."""
        looks, active = rule.readings, self._work.active
        return looks.beyond and (
            (looks.parent and line.parent in active)
            or (looks.root and line.root in active)
            or (looks.children and line.id in self._parents())
            or (looks.lines and bool(active))
            or (looks.relations and self._anchors.regrouped(line))
        )

    def _parents(self) -> frozenset[str]:
        """The lines that a product stands under which the order touches."""
        if self._above is None:
            products = (line for line in self._work.lines.values() if line.level is Level.PRODUCT)
            self._above = frozenset(line.parent for line in products if line.id in self._work.active)
        return self._above

    def _staged_key(self, rule: FiringRule, line: Line) -> bool:
        """Whether a task supplies what the key of the rule's target lacks."""
        spec = self._program.specs[line.spec]
        absent = {name for name in spec.supplied_later if line.attributes.get(name) is None}
        return not absent.isdisjoint(rule.readings.asks)

    def _contribute(self, rule: FiringRule, line: Line, scope: Scope, live: bool) -> None:
        anchor = self._anchors.of(line, rule, scope)
        if rule.reads_asset:
            scope.asset = self._held(line, rule, anchor)
        target: dict[str, Value] = {}
        scope.target = target
        for mapping in rule.mappings:
            value = mapping.value.evaluate(scope)
            if value is not None:
                target[mapping.attribute] = value
        quantity = None
        if rule.quantity is not None:
            found = rule.quantity.evaluate(scope)
            if isinstance(found, int):
                if found < 0 and live:
                    self._work.problem(
                        ProblemKind.BAD_VALUE,
                        line.id,
                        f"rule `{rule.id}` asks for {found} units; expected 0 or more from `{rule.quantity.text}`",
                    )
                if found <= 0:
                    return
                quantity = found
        if anchor is None and (not live or self._staged_key(rule, line)):
            return
        if anchor is None:
            self._work.problem(
                ProblemKind.MISSING_VALUE,
                line.id,
                f"rule `{rule.id}` cannot tell which `{rule.target.name}` is meant: "
                f"its key `{rule.key.text if rule.key else ''}` is absent",
            )
            return
        groups = self._groups.setdefault(self._program.strata[rule.target.name], {})
        group = groups.get((rule.target.name, anchor))
        if group is None:
            group = groups[rule.target.name, anchor] = Group(rule, anchor, [])
        group.contributions.append(Contribution(line, rule, target, quantity, live))

    def _held(self, line: Line, rule: FiringRule, anchor: str | None) -> Subject:
        """What inventory holds for the line that the rule asks for, as far as this source tells which that is."""
        if anchor is None:
            return NOTHING
        alone = Group(rule, anchor, [Contribution(line, rule, {}, None, True)])
        return held_by(self._work, [alone])[0] or NOTHING
