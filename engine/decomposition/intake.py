"""First stage: order items become product lines. All that is wrong with them is found, not just the first."""

from __future__ import annotations

from orderloom.engine.decomposition.products import product_line
from orderloom.engine.decomposition.succession import moved_lines, moving, replace_products
from orderloom.engine.decomposition.work import LONGEST, Work
from orderloom.models.catalog import Action, Level, Spec
from orderloom.models.conversion import from_json
from orderloom.models.fulfillment import Line, Origin, ProblemKind, Provenance
from orderloom.models.inventory import Asset
from orderloom.models.order import OrderItem
from orderloom.models.values import Value

_FROM_ORDER = Provenance(origin=Origin.ORDER)
_FROM_DEFAULT = Provenance(origin=Origin.DEFAULT)


def take_in(work: Work) -> None:
    """Makes a line of every order item that names a product spec and, where it changes something, a product."""
    if not work.order.items:
        work.problem(ProblemKind.CARDINALITY, "", "the order has no items; expected at least one")
    moves = moving(work)
    for item in work.order.items:
        if item.id in work.lines:
            work.problem(ProblemKind.RELATION, item.id, f"two items have the id `{item.id}`; expected unique ids")
            continue
        for line in _moved(work, item) if item.product in moves else _line(work, item):
            _take(work, line)
    for asset, named in moves.items():
        if named is None:
            for line in moved_lines(work, work.assets[asset], None):
                _take(work, line)
    replace_products(work)


def _take(work: Work, line: Line) -> None:
    work.add(line)
    if line.action is not Action.NO_CHANGE:
        work.active.add(line.id)


def _line(work: Work, item: OrderItem) -> tuple[Line, ...]:
    if item.quantity < 1:
        work.problem(ProblemKind.BAD_VALUE, item.id, f"the quantity is {item.quantity}; expected at least 1")
    line = _added(work, item) if item.action is Action.ADD else _changed(work, item)
    return () if line is None else (line,)


def _moved(work: Work, item: OrderItem) -> tuple[Line, ...]:
    asset = _product(work, item)
    spec = _product_spec(work, item, asset.spec) if asset else None
    if asset is None or spec is None:
        return ()
    if item.action is Action.NO_CHANGE:
        _check_unchanged(work, item, spec, asset)
        return moved_lines(work, asset, item)
    old, new = moved_lines(work, asset, item)
    _change(work, item, spec, new)
    return old, new


def _added(work: Work, item: OrderItem) -> Line | None:
    spec = _product_spec(work, item, item.spec)
    if spec is None:
        return None
    _check_validity(work, item, spec)
    if item.product:
        work.problem(
            ProblemKind.INVENTORY,
            item.id,
            f"an added item names the product `{item.product}`; expected none, or another action",
        )
    given = _given(work, item, spec)
    attributes: dict[str, Value] = {name: value for name, value in given.items() if value is not None}
    provenance = dict.fromkeys(attributes, _FROM_ORDER)
    for name, attribute in spec.attributes.items():
        if name not in given and attribute.default is not None:
            attributes[name] = attribute.default
            provenance[name] = _FROM_DEFAULT
    return Line(
        id=item.id,
        spec=spec.name,
        level=Level.PRODUCT,
        action=Action.ADD,
        quantity=item.quantity,
        attributes=attributes,
        parent=item.parent,
        root="",
        asset=f"{work.order.id}:{item.id}",
        missing=_missing(work, item, spec, attributes),
        ordered=work.order.id,
        provenance=provenance,
    )


def _changed(work: Work, item: OrderItem) -> Line | None:
    asset = _product(work, item)
    if asset is None:
        return None
    spec = _product_spec(work, item, asset.spec)
    if spec is None:
        return None
    line = product_line(asset, id=item.id, action=item.action, parent=item.parent, context=False)
    if item.action is Action.MODIFY:
        line.quantity = item.quantity
        _change(work, item, spec, line)
    elif item.action is not Action.DELETE:
        _check_unchanged(work, item, spec, asset)
    return line


def _change(work: Work, item: OrderItem, spec: Spec, line: Line) -> None:
    for name, value in _given(work, item, spec).items():
        if value is None:
            line.attributes.pop(name, None)
            line.provenance.pop(name, None)
        else:
            line.attributes[name] = value
            line.provenance[name] = _FROM_ORDER
    line.missing = _missing(work, item, spec, line.attributes)


def _product_spec(work: Work, item: OrderItem, name: str) -> Spec | None:
    spec = work.program.specs.get(name)
    if spec is None:
        products = (each.name for each in work.program.specs.values() if each.level is Level.PRODUCT)
        work.problem(
            ProblemKind.UNKNOWN_SPEC,
            item.id,
            f"the catalog has no product `{name[:LONGEST]}`{work.nearest(name, products)}",
        )
    elif spec.level is not Level.PRODUCT:
        work.problem(
            ProblemKind.UNKNOWN_SPEC,
            item.id,
            f"`{name}` is not a product and cannot be ordered; its level is {spec.level}",
        )
        spec = None
    return spec


def _check_validity(work: Work, item: OrderItem, spec: Spec) -> None:
    day = work.order.order_date.date()
    if spec.valid_from is not None and day < spec.valid_from:
        work.problem(
            ProblemKind.UNKNOWN_SPEC,
            item.id,
            f"`{spec.name}` can be ordered from {spec.valid_from} on; the order is of {day}",
        )
    if spec.valid_until is not None and day > spec.valid_until:
        work.problem(
            ProblemKind.UNKNOWN_SPEC,
            item.id,
            f"`{spec.name}` could be ordered until {spec.valid_until}; the order is of {day}",
        )


def _product(work: Work, item: OrderItem) -> Asset | None:
    """The product that the item changes, if it is one of the account's and of the item's spec."""
    wanted = f"an item with the action `{item.action}` names the product that it is about"
    if not item.product:
        work.problem(ProblemKind.INVENTORY, item.id, f"the item names no product; {wanted}")
        return None
    asset = work.assets.get(item.product)
    account = work.order.account.id
    if asset is None or asset.level is not Level.PRODUCT or asset.account != account:
        products = (each.id for each in work.assets.values() if each.level is Level.PRODUCT and each.account == account)
        work.problem(
            ProblemKind.INVENTORY,
            item.id,
            f"the account `{account}` has no product `{item.product[:LONGEST]}`{work.nearest(item.product, products)}",
        )
        return None
    if item.spec and item.spec not in work.program.lineage(asset.spec):
        work.problem(
            ProblemKind.INVENTORY,
            item.id,
            f"the product `{asset.id}` is a `{asset.spec}`; the item says it is a `{item.spec[:LONGEST]}`",
        )
        return None
    if asset.id in work.by_asset and work.by_asset[asset.id].id != item.id:
        work.problem(
            ProblemKind.INVENTORY,
            item.id,
            f"the items `{work.by_asset[asset.id].id}` and `{item.id}` are about the same product `{asset.id}`",
        )
        return None
    return asset


def _given(work: Work, item: OrderItem, spec: Spec) -> dict[str, Value]:
    """The characteristics of the item that are what the spec says, read as values."""
    given: dict[str, Value] = {}
    for name, found in item.attributes.items():
        attribute = spec.attributes.get(name)
        if attribute is None:
            work.problem(
                ProblemKind.UNKNOWN_ATTRIBUTE,
                item.id,
                f"`{spec.name}` has no attribute `{name[:LONGEST]}`{work.nearest(name, spec.attributes)}",
            )
            continue
        wanted = attribute.type if attribute.required else attribute.type.maybe()
        try:
            given[name] = from_json(found, wanted, work.program.design.enums)
        except ValueError as error:
            work.problem(ProblemKind.BAD_VALUE, item.id, f"attribute `{name}` of `{spec.name}`: {error}")
            given[name] = None
    return given


def _missing(work: Work, item: OrderItem, spec: Spec, attributes: dict[str, Value]) -> tuple[str, ...]:
    """The required attributes that a task will supply; those that none will are problems."""
    staged = []
    for name in work.program.required(spec.name):
        if name in attributes:
            continue
        if name in spec.supplied_later:
            staged.append(name)
        elif name not in item.attributes:
            work.problem(
                ProblemKind.MISSING_VALUE, item.id, f"`{spec.name}` needs a value for the attribute `{name}`; give one"
            )
    return tuple(staged)


def _check_unchanged(work: Work, item: OrderItem, spec: Spec, asset: Asset) -> None:
    for name, value in _given(work, item, spec).items():
        if value != asset.attributes.get(name):
            work.problem(
                ProblemKind.INVENTORY,
                item.id,
                f"the item changes `{name}`, but its action is `{item.action}`; use `modify`",
            )
