"""What the lines of an order are to each other, for rules that are looked at while it is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from orderloom.engine.decomposition.levels import seen
from orderloom.engine.decomposition.products import product_line
from orderloom.engine.decomposition.work import Holdings
from orderloom.engine.expressions import NOTHING, Scope, Snapshot, Subject
from orderloom.engine.expressions.order import account_values, order_values
from orderloom.engine.firing import Asking, FiringRule
from orderloom.engine.program import Program
from orderloom.engine.readings import Readings
from orderloom.models.catalog import Action, Level, RelationKind
from orderloom.models.fulfillment import Line, LineRelation, LineSource
from orderloom.models.inventory import Asset, Inventory
from orderloom.models.order import TAKEN_BACK, ProductOrder


class Surroundings:
    """What the lines of an order are to each other, found in one pass when first asked for.

    Values of the lines may change meanwhile; that there are other lines, sources or actions is to be told with `grow`.
    """

    def __init__(self, program: Program, lines: Mapping[str, Line]) -> None:
        self._program = program
        #: by id, with products that a change has let go as the context that they are now
        self.lines = _with_let_go(lines)
        self._replaces = self.lines is not lines
        self._collections: dict[int, Snapshot] = {}

    def grow(
        self, lines: Mapping[str, Line], added: Iterable[Line], joined: Mapping[str, Sequence[LineSource]]
    ) -> None:
        """Takes in technical lines that are new, and that lines have these sources too."""
        self.lines = {id: self.lines.get(id, line) for id, line in lines.items()} if self._replaces else lines
        self._collections.clear()
        known = self.__dict__
        gained = [(lines[id], sources) for id, sources in joined.items()]
        for line in added:
            gained.append((line, line.sources))
            if "places" in known:
                self.places[line.id] = self._place(line, len(self.places))
            if "below" in known and line.parent:
                self.below.setdefault(line.parent, []).append(line.id)
            if "within" in known and line.root:
                self.within.setdefault(line.root, []).append(line.id)
            if "by_spec" in known:
                self.by_spec.setdefault(line.spec, []).append(line.id)
            if "by_asset" in known:
                self.by_asset[line.asset] = line
        for line, sources in gained:
            for source in dict.fromkeys(each.line for each in sources) if "fed" in known else ():
                below = self.fed.setdefault(source, [])
                if line.id not in below:
                    below.append(line.id)
                    below.sort(key=self.places.__getitem__)
            if "fired" in known:
                self.fired.update((each.line, each.rule) for each in sources)

    @cached_property
    def places(self) -> dict[str, tuple[int, int]]:
        """Of each line, its place in the order: sources before what they feed."""
        return {line.id: self._place(line, place) for place, line in enumerate(self.lines.values())}

    def _place(self, line: Line, place: int) -> tuple[int, int]:
        return self._program.strata.get(line.spec, 0), place

    @cached_property
    def below(self) -> dict[str, list[str]]:
        """The lines that stand right under each line."""
        return _grouped((line.parent, line.id) for line in self.lines.values() if line.parent)

    @cached_property
    def within(self) -> dict[str, list[str]]:
        """The lines that have each line as their root."""
        return _grouped((line.root, line.id) for line in self.lines.values() if line.root)

    def looking(self, asking: Asking, line: str) -> Iterator[tuple[Line, Sequence[FiringRule]]]:
        """The lines whose rules may look at an attribute of a line, with these rules."""
        at = self.lines[line]
        near = {line}
        if asking.parent:
            near.update(self.below.get(line, ()))
        if asking.root:
            near.update(self.within.get(line, ()))
        if asking.children and at.parent in self.lines:
            near.add(at.parent)
        if asking.lines:
            near.update(each for spec in asking.by_spec for each in self.by_spec.get(spec, ()))
        for each in (self.lines[id] for id in (sorted(near, key=self.places.__getitem__) if len(near) > 1 else near)):
            rules = asking.by_spec.get(each.spec)
            if rules is None or each.action is Action.DELETE or each.state in TAKEN_BACK:
                continue
            if each.level is not Level.PRODUCT and not each.sources:
                continue
            found = [rule for rule in rules if each.id == line or _looks(rule.readings, each, at)]
            if found:
                yield each, found

    def scope(self, order: ProductOrder, line: Line) -> Scope:
        """What the rules for a line see of it and around it."""
        lines = self.lines
        return Scope(
            line=line,
            parent=lines.get(line.parent, NOTHING),
            root=lines.get(line.root, NOTHING),
            asset=self.held(line),
            order=order_values(order),
            account=account_values(order.account),
            collections=self.collections(line.spec),
        )

    def held(self, line: Line) -> Subject:
        """What inventory held for a line before the order."""
        return self.inventory.assets.get(line.asset, NOTHING)

    @cached_property
    def fired(self) -> set[tuple[str, str]]:
        """The lines and rules that other lines were made by, which are still wanted."""
        live = (line for line in self.lines.values() if line.state not in TAKEN_BACK)
        return {(source.line, source.rule) for line in live for source in line.sources}

    @cached_property
    def inventory(self) -> Inventory:
        """Inventory as the order found it, as far as its lines know."""
        return Inventory(assets=_assets(self.lines))

    @cached_property
    def fed(self) -> dict[str, list[str]]:
        """The lines made from each line, each once, sources before what they feed."""
        found = _grouped(
            (source, line.id) for line in self.lines.values() for source in {each.line for each in line.sources}
        )
        for below in found.values():
            below.sort(key=self.places.__getitem__)
        return found

    @cached_property
    def by_asset(self) -> dict[str, Line]:
        """The line of each asset; of several the last."""
        return {line.asset: line for line in self.lines.values()}

    @cached_property
    def holdings(self) -> Holdings:
        """Inventory as the order found it, with what it is found by."""
        return Holdings(self.inventory)

    @cached_property
    def by_spec(self) -> dict[str, list[str]]:
        """The lines of each spec."""
        return _grouped((line.spec, line.id) for line in self.lines.values())

    def collections(self, spec: str) -> Snapshot:
        """What the quantifiers of rules for lines of a spec range over: the same as when the order was decomposed."""
        stratum = self._program.strata.get(spec, 0)
        found = self._collections.get(stratum)
        if found is None:
            lines = seen(self._program, self.lines, stratum)
            found = self._collections[stratum] = Snapshot(self._program.specs, lines, self.inventory)
        return found


def _with_let_go(lines: Mapping[str, Line]) -> Mapping[str, Line]:
    """The lines; in place of those of products that the order no longer touches, the products as inventory has them."""
    gone = {
        line.held.id: line
        for line in lines.values()
        if line.level is Level.PRODUCT and line.held is not None and line.state in TAKEN_BACK
    }
    if not gone:
        return lines
    ids = {asset: line.id for asset, line in gone.items()}
    ids |= {line.asset: line.id for line in lines.values() if line.state not in TAKEN_BACK}
    found = dict(lines)
    for asset, line in gone.items():
        held = line.held
        if held is not None and ids[asset] == line.id:
            parent = ids.get(held.parent, "")
            product = product_line(held, id=line.id, action=Action.NO_CHANGE, parent=parent, context=True)
            product.relations = tuple(
                LineRelation(RelationKind.RELIES_ON, ids.get(each, each)) for each in sorted(held.relies_on)
            )
            found[line.id] = product
    for asset in gone:
        line = top = found[ids[asset]]
        while top.parent in found:
            top = found[top.parent]
        line.root = line.root or top.id
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


def _assets(lines: Mapping[str, Line]) -> dict[str, Asset]:
    """Inventory as the order found it, as far as its lines know."""
    return {line.asset: line.held for line in lines.values() if line.held is not None}
