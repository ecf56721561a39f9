"""Products that take the place of others: moved to another site, or replaced by another product.

A move is two lines: the product as it was is deleted, and the same product is added with the characteristics of the new
site. What stands under it moves with it, unless the order deletes it. A replacement is an added item with the relation
`replaces`; the product that it names is deleted. Both pairs are tied by relations; what relied on the one relies on the
other. A product that moves keeps the order that it came with, one that replaces another came with its own.
"""

from __future__ import annotations

from orderloom.engine.decomposition.products import product_line
from orderloom.engine.decomposition.work import Work
from orderloom.models.catalog import Action, Level, RelationKind
from orderloom.models.fulfillment import Line, LineRelation, Origin, ProblemKind, Provenance
from orderloom.models.inventory import Asset, AssetState
from orderloom.models.order import OrderItem

_FROM_INVENTORY = Provenance(origin=Origin.INVENTORY)
#: item actions whose product moves with the product that it stands under
_CARRIED = frozenset((Action.MOVE, Action.MODIFY, Action.NO_CHANGE))


def moving(work: Work) -> dict[str, OrderItem | None]:
    """The products that move, by asset id, parents first, with the items that are about them."""
    items = {item.product: item for item in work.order.items if item.product}
    todo = [item.product for item in work.order.items if item.action is Action.MOVE and item.product in work.assets]
    if not todo:
        return {}
    children: dict[str, list[str]] = {}
    for id in sorted(work.assets):
        if work.assets[id].level is Level.PRODUCT:
            children.setdefault(work.assets[id].parent, []).append(id)
    found: dict[str, OrderItem | None] = {}
    for id in todo:
        item = items.get(id)
        if id in found or (item is not None and item.action is Action.DELETE):
            continue
        if item is not None and item.action not in _CARRIED:
            work.problem(
                ProblemKind.BAD_VALUE,
                item.id,
                f"the action is `{item.action}`, but the product it stands under moves; do one in an order of its own",
            )
            continue
        found[id] = item
        todo.extend(children.get(id, ()))
    return found


def moved_lines(work: Work, asset: Asset, item: OrderItem | None) -> tuple[Line, Line]:
    """The line that deletes a product at its former site, and the one that adds it at the new one."""
    id = item.id if item else f"moved {asset.id}"
    if asset.state is AssetState.SUSPENDED:
        work.problem(ProblemKind.INVENTORY, id, f"the product `{asset.id}` is suspended; resume it before it moves")
    spec = work.program.specs[asset.spec]
    old = _deleted(work, asset)
    kept = {name: value for name, value in asset.attributes.items() if name not in spec.supplied_later}
    new = Line(
        id=id,
        spec=asset.spec,
        level=Level.PRODUCT,
        action=Action.ADD,
        quantity=asset.quantity if item is None or item.action is Action.NO_CHANGE else item.quantity,
        attributes=kept,
        parent=item.parent if item else "",
        root="",
        asset=f"{work.order.id}:{id}",
        ordered=asset.ordered,
        provenance=dict.fromkeys(kept, _FROM_INVENTORY),
    )
    tie(work, new, old, RelationKind.MOVED_FROM, RelationKind.MOVED_TO)
    return old, new


def replace_products(work: Work) -> None:
    """Deletes the products that items replace, and ties them to what takes their place."""
    for item in work.order.items:
        line = work.lines.get(item.id)
        for relation in item.relations if line is not None else ():
            if relation.kind is not RelationKind.REPLACES or line is None:
                continue
            old = work.lines.get(relation.item) if relation.item else work.by_asset.get(relation.product)
            asset = work.assets.get(relation.product)
            if old is None and asset is not None and asset.level is Level.PRODUCT:
                old = _deleted(work, asset)
                work.add(old)
                work.active.add(old.id)
            if old is None:
                # that nothing has the id is told where relations are read
                continue
            if line.action is not Action.ADD or old.action is not Action.DELETE:
                work.problem(
                    ProblemKind.RELATION,
                    line.id,
                    f"only an added item can replace, and only a product that is deleted: `{line.id}` is "
                    f"`{line.action}`, `{old.id}` is `{old.action}`",
                )
                continue
            other = work.successors.get(old.asset)
            if other is not None and other is not line:
                work.problem(
                    ProblemKind.RELATION,
                    line.id,
                    f"one product takes the place of another: `{other.id}` takes that of `{old.asset}` already",
                )
                continue
            tie(work, line, old, RelationKind.REPLACES, RelationKind.REPLACED_BY)


def tie(work: Work, new: Line, old: Line, forth: RelationKind, back: RelationKind) -> None:
    """Ties a product and the one that it takes the place of."""
    new.relations += (LineRelation(forth, old.id),)
    old.relations += (LineRelation(back, new.id),)
    work.successors[old.asset] = new
    work.predecessors[new.asset] = old


def _deleted(work: Work, asset: Asset) -> Line:
    id = asset.id if asset.id not in work.lines else f"inventory {asset.id}"
    return product_line(asset, id=id, action=Action.DELETE, parent="", context=False)
