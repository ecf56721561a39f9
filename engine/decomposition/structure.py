"""Second stage: the tree of products, completed from inventory, and what it may look like."""

from __future__ import annotations

from collections.abc import Iterator

from orderloom.engine.decomposition.products import product_line
from orderloom.engine.decomposition.work import Work
from orderloom.models.catalog import Action, Level, Scope
from orderloom.models.fulfillment import Line, ProblemKind
from orderloom.models.inventory import Asset

#: scopes whose technical lines may be shared with products outside the bundles that an order names
_BROAD = frozenset((Scope.RELATION, Scope.KEY, Scope.ORDER, Scope.ACCOUNT))


def complete(work: Work) -> None:
    """Adds the products of inventory that the order implies or that share something with it; links parents and roots.

    What stands under a deleted product is deleted with it. Products that the order does not name become context: all
    of the account's where the design has a scope broader than the bundle, else those of the bundles at hand and those
    that rely on what is deleted.
    """
    products = [asset for _, asset in sorted(work.assets.items()) if asset.level is Level.PRODUCT]
    if products:
        _join(work, products)
    for line in work.lines.values():
        if not line.parent:
            former = work.predecessors.get(line.asset)
            held = work.assets.get(former.asset if former else line.asset)
            above = work.by_asset.get(held.parent) if held else None
            if above and former:
                above = work.successors.get(above.asset, above)
            line.parent = above.id if above else ""
    _set_roots(work)


def _join(work: Work, products: list[Asset]) -> None:
    children: dict[str, list[Asset]] = {}
    for asset in products:
        children.setdefault(asset.parent, []).append(asset)
    for line in [line for line in work.lines.values() if line.action is Action.DELETE]:
        for asset in _below(children, line.asset):
            if asset.id not in work.by_asset:
                _add(work, asset, Action.DELETE)
    known = {asset.id: asset for asset in products}
    broad = any(spec.scope in _BROAD for spec in work.program.specs.values())
    roots = {_root(known, line.asset) for line in work.lines.values()}
    for line in work.lines.values():
        if line.parent in work.lines:
            roots.add(_root(known, work.lines[line.parent].asset))
    gone = {line.asset for line in work.lines.values() if line.action is Action.DELETE}
    for asset in products:
        if asset.id not in work.by_asset and (
            broad or _root(known, asset.id) in roots or not gone.isdisjoint(asset.relies_on)
        ):
            _add(work, asset, Action.NO_CHANGE)


def _add(work: Work, asset: Asset, action: Action) -> None:
    id = asset.id if asset.id not in work.lines else f"inventory {asset.id}"
    line = product_line(asset, id=id, action=action, parent="", context=action is Action.NO_CHANGE)
    work.add(line)
    if action is not Action.NO_CHANGE:
        work.active.add(line.id)


def _below(children: dict[str, list[Asset]], top: str) -> Iterator[Asset]:
    stack, seen = [top], {top}
    while stack:
        for asset in children.get(stack.pop(), ()):
            if asset.id not in seen:
                seen.add(asset.id)
                stack.append(asset.id)
                yield asset


def _root(known: dict[str, Asset], asset: str) -> str:
    seen = {asset}
    while asset in known and known[asset].parent in known and known[asset].parent not in seen:
        asset = known[asset].parent
        seen.add(asset)
    return asset


def _set_roots(work: Work) -> None:
    """Follows the parents, once for each line; a line whose parent is missing becomes a root."""
    items = {item.id for item in work.order.items}
    for line in work.lines.values():
        if line.root:
            continue
        path: list[Line] = []
        ids: set[str] = set()
        at = line
        while not at.root:
            path.append(at)
            ids.add(at.id)
            if not at.parent:
                at.root = at.id
            elif at.parent not in work.lines:
                if at.parent not in items:
                    # a parent among the items has a problem of its own
                    work.problem(
                        ProblemKind.RELATION,
                        at.id,
                        f"it stands under the item `{at.parent}`, which the order does not have",
                    )
                at.root = at.id
            elif at.parent in ids:
                work.problem(ProblemKind.RELATION, at.id, f"the item `{at.id}` stands under itself")
                at.root = at.id
            else:
                at = work.lines[at.parent]
        for each in path:
            each.root = at.root


def check(work: Work) -> None:
    """Cardinality of what a product contains, counting quantities, with the order carried out."""
    children: dict[str, list[Line]] = {}
    for line in work.lines.values():
        if line.parent:
            children.setdefault(line.parent, []).append(line)
    for line in work.lines.values():
        below = children.get(line.id, [])
        if line.action is Action.DELETE:
            for child in below:
                if child.action is not Action.DELETE:
                    work.problem(
                        ProblemKind.CARDINALITY,
                        child.id,
                        f"the action is `{child.action}`, but the product it stands under is deleted",
                    )
        elif not line.context or any(child.id in work.active for child in below):
            _check_contents(work, line, [child for child in below if child.action is not Action.DELETE])


def _check_contents(work: Work, line: Line, below: list[Line]) -> None:
    spec = work.program.specs.get(line.spec)
    if spec is None:
        return
    counts = dict.fromkeys((contained.spec for contained in spec.contains), 0)
    for child in below:
        matching = [each for each in work.program.lineage(child.spec) if each in counts]
        for each in matching:
            counts[each] += child.quantity
        if not matching and not child.context:
            allowed = ", ".join(f"`{each}`" for each in counts) or "nothing"
            work.problem(
                ProblemKind.CARDINALITY,
                child.id,
                f"a `{child.spec}` cannot stand under a `{line.spec}`, which contains {allowed}",
            )
    for contained in spec.contains:
        found = counts[contained.spec]
        if found < contained.least or (contained.most is not None and found > contained.most):
            most = "or more" if contained.most is None else f"to {contained.most}"
            work.problem(
                ProblemKind.CARDINALITY,
                line.id,
                f"a `{line.spec}` contains {contained.least} {most} `{contained.spec}`; with this order it has {found}",
            )
