"""Fourth stage: from products down the levels, stratum by stratum.

When a stratum's turn comes, every line that may feed it is done: its groups of contributions become lines, lines that
lost a source are released, and the new lines fire in their turn.
"""

from __future__ import annotations

from orderloom.engine.decomposition.actions import existing, released_line, settle, wanted_line
from orderloom.engine.decomposition.anchors import Anchors
from orderloom.engine.decomposition.merging import Contribution, Group
from orderloom.engine.decomposition.work import Work
from orderloom.engine.expressions import NOTHING, Scope, Snapshot, Subject
from orderloom.engine.expressions.order import account_values, order_values
from orderloom.engine.firing import FiringRule
from orderloom.models.catalog import Action, Level
from orderloom.models.fulfillment import Line, ProblemKind
from orderloom.models.inventory import Asset, Inventory
from orderloom.models.values import Value

#: source actions whose lines give up what they no longer ask for
_RELEASING = frozenset((Action.MODIFY, Action.DELETE))


class Levels:
    """The descent through the strata."""

    def __init__(self, work: Work, inventory: Inventory) -> None:
        self._work = work
        self._program = work.program
        self._inventory = inventory
        self._anchors = Anchors(work)
        self._order = order_values(work.order)
        self._account = account_values(work.order.account)
        #: by stratum: groups by (target, anchor), and assets with a source that may give them up
        self._groups: dict[int, dict[tuple[str, str], Group]] = {}
        self._releases: dict[int, list[tuple[Asset, Line]]] = {}

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
        groups: dict[str, tuple[Group, Asset | None]] = {}
        for group in self._groups.pop(stratum, {}).values():
            asset = existing(work, group)
            key = asset.id if asset else f"{group.rule.target.name} {group.anchor}"
            if key in groups:
                groups[key][0].contributions += group.contributions
            else:
                groups[key] = (group, asset)
        for group, asset in groups.values():
            line = wanted_line(work, group, asset)
            if line is not None:
                made.append(line)
        for asset, source in self._releases.pop(stratum, []):
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
        collections = Snapshot(self._program.specs, work.lines.values(), self._inventory)
        scope = Scope(order=self._order, account=self._account, collections=collections)
        for line in lines:
            if line.action is not Action.DELETE and (line.sources or line.level is Level.PRODUCT):
                scope.line = line
                scope.parent = work.lines.get(line.parent, NOTHING)
                scope.root = work.lines.get(line.root, NOTHING)
                held = work.assets.get(line.asset, NOTHING)
                scope.asset = held
                for place in match(scope):
                    self._contribute(firing[place], line, scope)
                    scope.asset = held
            if line.action in _RELEASING:
                for asset in work.used_by.get(line.asset, ()):
                    turn = max(self._program.strata.get(asset.spec, 0), stratum + 1)
                    self._releases.setdefault(turn, []).append((asset, line))

    def _contribute(self, rule: FiringRule, line: Line, scope: Scope) -> None:
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
                if found < 0:
                    self._work.problem(
                        ProblemKind.BAD_VALUE,
                        line.id,
                        f"rule `{rule.id}` asks for {found} units; expected 0 or more from `{rule.quantity.text}`",
                    )
                if found <= 0:
                    return
                quantity = found
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
        group.contributions.append(Contribution(line, rule, target, quantity))

    def _held(self, line: Line, rule: FiringRule, anchor: str | None) -> Subject:
        """What inventory holds for the line that the rule asks for, as far as this source tells which that is."""
        if anchor is None:
            return NOTHING
        return existing(self._work, Group(rule, anchor, [Contribution(line, rule, {}, None)])) or NOTHING
