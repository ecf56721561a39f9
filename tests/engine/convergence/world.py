"""A customer over time: orders one after another, and what the final products would be made into at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import event

from orderloom.engine.program import Program
from orderloom.engine.simulation import Person, Script, acts, simulate
from orderloom.models.catalog import Action, Level, RelationKind, Scope
from orderloom.models.conversion import to_json
from orderloom.models.inventory import EMPTY, Asset, AssetState, Inventory
from orderloom.models.journal import AmendmentRequested, CancellationRequested
from orderloom.models.order import Account, ItemRelation, OrderItem, OrderStatus, ProductOrder
from tests.engine.building import ACCOUNT, DAY

#: after minutes the items that are wanted, or ids of those that are cancelled
Change = tuple[int, list[OrderItem] | tuple[str, ...]]


@dataclass(repr=False)
class World:
    """What one account has."""

    program: Program
    account: Account = ACCOUNT
    inventory: Inventory = EMPTY
    #: by definition of a task, the minutes that people take for it; an hour for others
    pace: Mapping[str, int] = field(default_factory=dict)
    #: orders that were carried out
    done: list[ProductOrder] = field(default_factory=list)

    def place(self, items: Iterable[OrderItem], id: str, changes: Sequence[Change] = ()) -> bool:
        """Carries an order out, with changes in flight; False where it is rejected or cancelled as a whole."""
        order = ProductOrder(id=id, account=self.account, items=tuple(items), order_date=DAY)
        happening = [(timedelta(minutes=after), _request(order, wanted)) for after, wanted in changes]
        people = {task: Person(after=timedelta(minutes=minutes)) for task, minutes in self.pace.items()}
        result = simulate(self.program, order, self.inventory, Script(people=people, interventions=tuple(happening)))
        for change in result.changes:
            outcome = "refused" if change.predicted.refused else "waits" if not change.predicted.rows else "applied"
            event(f"{change.predicted.kind}: {outcome}")
        if result.state.status is OrderStatus.REJECTED:
            return False
        if result.state.status is OrderStatus.CANCELLED:
            assert result.inventory.assets == self.inventory.assets
            return False
        assert result.state.status is OrderStatus.COMPLETED
        for line in result.state.lines.values():
            if line.scope is not Scope.LINE and line.level is not Level.PRODUCT:
                shared = "shared" if len(line.sources) > 1 else "alone"
                event(f"{line.scope}: {line.action}, {shared}")
        self.inventory = result.inventory
        self.done.append(result.state.order)
        return True

    def __repr__(self) -> str:
        return self.account.id

    @property
    def products(self) -> list[Asset]:
        return [asset for asset in self.inventory.assets.values() if asset.level is Level.PRODUCT]

    def anew(self) -> World | None:
        """The same products ordered from nothing, with one order for each that some came with; None if rejected."""
        left = World(self.program, self.account)
        names: dict[str, str] = {}
        products = _parents_first(self.products)
        known = {each.id: each for each in products}
        for id in (each.id for each in self.done):
            come = [each for each in products if each.ordered == id]
            above = {each.parent for each in come} & names.keys()
            held = [replace(_about(known[each], names[each], Action.NO_CHANGE), id=each) for each in sorted(above)]
            if any(other not in names and known[other] not in come for each in come for other in each.relies_on):
                # what it relies on was replaced since
                return None
            if come and not left.place([*held, *(self._item(each, names, come) for each in come)], id):
                return None
            names |= {each.id: f"{id}:{each.id}" for each in come}
        idle = [each for each in products if each.state is AssetState.SUSPENDED]
        if idle:
            items = [_about(each, names[each.id], Action.SUSPEND) for each in idle]
            if not left.place(items, "idle"):
                # what was delivered since makes sources contradict each other
                return None
        left.names = {new: old for old, new in names.items()}
        return left

    names: Mapping[str, str] = field(default_factory=dict)

    def _item(self, asset: Asset, names: Mapping[str, str], come: list[Asset]) -> OrderItem:
        together = {each.id for each in come}
        spec = self.program.specs[asset.spec]
        given: dict[str, Any] = {
            name: to_json(asset.attributes.get(name)) for name in spec.attributes if name not in spec.supplied_later
        }
        return OrderItem(
            id=asset.id,
            action=Action.ADD,
            spec=asset.spec,
            quantity=asset.quantity,
            attributes=given,
            parent=asset.parent,
            relations=tuple(
                ItemRelation(kind=RelationKind.RELIES_ON, item=each)
                if each in together
                else ItemRelation(kind=RelationKind.RELIES_ON, product=names[each])
                for each in sorted(asset.relies_on)
            ),
        )


def _request(order: ProductOrder, wanted: list[OrderItem] | tuple[str, ...]) -> acts.Change:
    if isinstance(wanted, tuple):
        return acts.Change(CancellationRequested(items=wanted, inventory=EMPTY, by="somebody"))
    amended = replace(order, items=tuple(wanted))
    return acts.Change(AmendmentRequested(order=amended, inventory=EMPTY, by="somebody"))


def _about(asset: Asset, product: str, action: Action) -> OrderItem:
    return OrderItem(id=f"x{asset.id}", action=action, spec=asset.spec, product=product, quantity=asset.quantity)


def _parents_first(products: list[Asset]) -> list[Asset]:
    known = {each.id: each for each in products}

    def depth(asset: Asset) -> int:
        return 1 + depth(known[asset.parent]) if asset.parent in known else 0

    return sorted(products, key=lambda each: (depth(each), each.id))


def canonical(world: World) -> dict[Any, Any]:
    """Inventory up to the names of what orders made: items are told apart by the products that they serve.

    A product is known by its id, by the names of `world` for one ordered anew; a technical item by its spec and the
    items that use it. Where it stands is left out for technical items, which may stand under any of their users.
    """
    assets = world.inventory.assets
    known: dict[str, Any] = {}

    def name(id: str) -> Any:
        if id not in known:
            asset = assets[id]
            product = asset.level is Level.PRODUCT
            known[id] = world.names.get(id, id) if product else (asset.spec, frozenset(map(name, asset.users)))
        return known[id]

    found: dict[Any, Any] = {}
    for asset in assets.values():
        product = asset.level is Level.PRODUCT
        key = name(asset.id)
        assert key not in found, f"two items serve the same: {key}"
        found[key] = {
            "spec": asset.spec,
            "state": asset.state,
            "quantity": asset.quantity,
            "attributes": dict(asset.attributes),
            "parent": name(asset.parent) if product and asset.parent else None,
            "relies_on": frozenset(map(name, asset.relies_on)),
        }
    return found
