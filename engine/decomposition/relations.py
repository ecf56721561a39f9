"""Third stage: what products rely on, require and exclude, with the order carried out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from orderloom.engine.decomposition.work import Work
from orderloom.models.catalog import Action, Level, Relation, RelationKind
from orderloom.models.fulfillment import Line, LineRelation, ProblemKind
from orderloom.models.order import OrderItem

#: how many candidates are looked at and named
_FEW = 5


def relate(work: Work) -> None:
    """Ties the lines as items and inventory say, and by the catalog where only one product can be meant."""
    for item in work.order.items:
        line = work.lines.get(item.id)
        if line is not None and not line.context:
            _stated(work, line, item)
    for line in work.lines.values():
        _inherited(work, line)
    there = _Products(work)
    for line in list(work.lines.values()):
        spec = work.program.specs.get(line.spec)
        if spec is None or line.action is Action.DELETE or (line.context and not work.active):
            continue
        for relation in spec.relations:
            _hold(work, line, relation, there)
    _check_deleted(work)


def _hold(work: Work, line: Line, relation: Relation, there: _Products) -> None:
    if relation.kind is RelationKind.RELIES_ON:
        _rely(work, line, relation.spec, there)
        return
    found = there.anywhere(relation.spec, but=line)
    # what was wrong before is not this order's fault
    caused = not line.context or there.loses(relation.spec)
    if relation.kind is RelationKind.REQUIRES and not found and caused:
        work.problem(
            ProblemKind.RELATION,
            line.id,
            f"a `{line.spec}` requires a `{relation.spec}`; neither the order nor the account has one",
        )
    if line.context:
        found = [id for id in found if id in work.active]
    if relation.kind is RelationKind.EXCLUDES and found:
        work.problem(
            ProblemKind.RELATION,
            line.id,
            f"a `{line.spec}` excludes a `{relation.spec}`; with this order there is one: `{found[0]}`",
        )


class _Products:
    """The products that there will be when the order is carried out: ids of their lines, else of their assets."""

    def __init__(self, work: Work) -> None:
        self._anywhere: dict[str, list[str]] = {}
        self._in_bundle: dict[tuple[str, str], list[str]] = {}
        self._lost: set[str] = set()
        for line in work.lines.values():
            if line.action is Action.DELETE:
                self._lost.update(work.program.lineage(line.spec))
            else:
                for spec in work.program.lineage(line.spec):
                    self._anywhere.setdefault(spec, []).append(line.id)
                    self._in_bundle.setdefault((spec, line.root), []).append(line.id)
        for key in sorted(work.assets):
            asset = work.assets[key]
            if asset.level is Level.PRODUCT and key not in work.by_asset:
                for spec in work.program.lineage(asset.spec):
                    self._anywhere.setdefault(spec, []).append(key)

    def anywhere(self, spec: str, *, but: Line) -> list[str]:
        """The first few of the spec, without the line itself."""
        return _few(self._anywhere.get(spec, ()), but)

    def loses(self, spec: str) -> bool:
        """Whether the order deletes one of the spec."""
        return spec in self._lost

    def in_bundle(self, spec: str, *, of: Line) -> list[str]:
        """The first few of the spec in the line's bundle, without the line itself."""
        return _few(self._in_bundle.get((spec, of.root), ()), of)


def _few(ids: Iterable[str], but: Line) -> list[str]:
    return list(islice((id for id in ids if id != but.id), _FEW))


def _tie(line: Line, kind: RelationKind, other: str) -> None:
    relation = LineRelation(kind, other)
    if relation not in line.relations:
        line.relations += (relation,)


def _inherited(work: Work, line: Line) -> None:
    """What inventory says that the line relies on, or that the product did whose place it takes.

    Whatever relied on a product relies on the one that takes its place: a line that says so is of the order.
    """
    former = work.predecessors.get(line.asset)
    moved = former is not None and any(each.kind is RelationKind.MOVED_TO for each in former.relations)
    held = work.assets.get(former.asset if former and moved else line.asset)
    for asset in sorted(held.relies_on) if held else ():
        target = work.by_asset.get(asset)
        if line.action is not Action.DELETE and asset in work.successors:
            target = work.successors[asset]
            line.context = False
        _tie(line, RelationKind.RELIES_ON, target.id if target else asset)


def _stated(work: Work, line: Line, item: OrderItem) -> None:
    for relation in item.relations:
        if relation.kind is RelationKind.REPLACES:
            known = relation.item in work.lines or relation.product in work.by_asset
            if known:
                continue
        target = work.lines.get(relation.item) if relation.item else work.by_asset.get(relation.product)
        if target is not None and line.action is not Action.DELETE:
            target = work.successors.get(target.asset, target)
        if target is not None:
            _tie(line, relation.kind, target.id)
        elif relation.product in work.assets:
            _tie(line, relation.kind, relation.product)
        else:
            named = f"item `{relation.item}`" if relation.item else f"product `{relation.product}`"
            where = "the order" if relation.item else f"the account `{work.order.account.id}`"
            work.problem(ProblemKind.RELATION, line.id, f"it names the {named}, which {where} does not have")


def _rely(work: Work, line: Line, spec: str, there: _Products) -> None:
    """Ties the line to what it relies on: as stated, else the only one of its bundle, else the only one there is."""
    if any(each.kind is RelationKind.RELIES_ON and _is(work, each.line, spec) for each in line.relations):
        return
    found = there.anywhere(spec, but=line)
    for choice in (there.in_bundle(spec, of=line), found):
        if len(choice) == 1:
            _tie(line, RelationKind.RELIES_ON, choice[0])
            return
    if line.context:
        return
    said = f"there are several: {', '.join(f'`{id}`' for id in found)}; say which" if found else "there is none"
    work.problem(ProblemKind.RELATION, line.id, f"a `{line.spec}` relies on a `{spec}`; {said}")


def _is(work: Work, id: str, spec: str) -> bool:
    """Whether the line, or asset, is of the spec."""
    found = work.lines.get(id) or work.assets.get(id)
    return found is not None and spec in work.program.lineage(found.spec)


def _check_deleted(work: Work) -> None:
    for line in work.lines.values():
        if line.action is Action.DELETE:
            continue
        for relation in line.relations:
            other = work.lines.get(relation.line)
            if relation.kind is RelationKind.RELIES_ON and other is not None and other.action is Action.DELETE:
                work.problem(
                    ProblemKind.RELATION,
                    other.id,
                    f"it is deleted, but `{line.id}` (`{line.spec}`) relies on it; delete that too, or neither",
                )
