"""What an order has to wait for before it is taken up: orders that it names, orders of its account that its design
wants before it, orders that change the same products. Only orders submitted before it count, so no two wait for each
other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orderloom.models.catalog import Action, Level
from orderloom.models.design import Design
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.records import Gate, GateKind


def gates_of(store: Store, design: Design, order: ProductOrder) -> tuple[Gate, ...]:
    """One gate an order at most, by the order waited for."""
    found: dict[str, Gate] = {}
    for gate in (*_related(store, order), *_in_sequence(store, design, order), *_same_products(store, order)):
        found.setdefault(gate.waits_for, gate)
    return tuple(found[each] for each in sorted(found))


def _related(store: Store, order: ProductOrder) -> Iterator[Gate]:
    if not order.depends_on:
        return
    states = store.statuses(order.depends_on)
    for other in order.depends_on:
        state = states.get(other)
        if state is None or state is OrderStatus.COMPLETED:
            continue
        if state.final:
            reason = f"depends on order `{other}`, which ended {state}; a person decides whether to start it"
            yield Gate(waits_for=other, kind=GateKind.ENDED, reason=reason)
        else:
            yield Gate(waits_for=other, kind=GateKind.RELATED, reason=f"waits until order `{other}` is completed")


def _in_sequence(store: Store, design: Design, order: ProductOrder) -> Iterator[Gate]:
    """The one before it is enough: that one waits for its own."""
    if design.account_sequence and (earlier := store.earlier_open(order.id)):
        reason = f"orders of account `{order.account.id}` go one after the other: `{earlier[-1]}` is not done"
        yield Gate(waits_for=earlier[-1], kind=GateKind.SEQUENCE, reason=reason)


def _same_products(store: Store, order: ProductOrder) -> Iterator[Gate]:
    wanted = set(_named(order))
    if not wanted:
        return
    earlier = store.earlier_states(order.id)
    if not earlier:
        return
    parents = {asset.id: asset.parent for asset in store.inventory(order.account.id).assets.values()}
    for other in earlier:
        parents.update(_made(other))
    roots = {_root(product, parents): product for product in sorted(wanted)}
    for other in earlier:
        shared = sorted({_root(product, parents) for product in (*_named(other.order), *_made(other))} & roots.keys())
        if shared:
            reason = f"order `{other.order.id}` is changing product `{roots[shared[0]]}` and is not done"
            yield Gate(waits_for=other.order.id, kind=GateKind.PRODUCT, reason=reason)


def _named(order: ProductOrder) -> Iterator[str]:
    """Products in inventory that an order names."""
    for item in order.items:
        if item.product:
            yield item.product
        yield from (relation.product for relation in item.relations if relation.product)


def _made(state: OrderState) -> dict[str, str]:
    """Products that an order adds, with their parents; also before it is decomposed."""
    if not state.lines:
        added = [item for item in state.order.items if item.action is Action.ADD]
        assets = {item.id: f"{state.order.id}:{item.id}" for item in added}
        return {assets[item.id]: assets.get(item.parent, "") for item in added}
    lines = state.lines
    return {
        line.asset: lines[line.parent].asset if line.parent in lines else ""
        for line in lines.values()
        if line.level is Level.PRODUCT and line.action is Action.ADD and not line.context
    }


def _root(product: str, parents: Mapping[str, str]) -> str:
    seen = {product}
    while (above := parents.get(product, "")) and above not in seen:
        product = above
        seen.add(product)
    return product
