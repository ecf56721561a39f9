"""What an order has to wait for before it is taken up: orders that it names, orders of its account that its design
wants before it, orders that change the same products or share technical items with it.

Only orders that were submitted before it or have started count, so no two wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from orderloom.engine.change import baseline
from orderloom.engine.program import Program
from orderloom.models.catalog import Action, Level
from orderloom.models.design import Design
from orderloom.models.inventory import Inventory
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.records import Gate, GateKind
from orderloom.runtime.worker.sharing import may_share, stake_in_hand, stake_of


def gates_of(store: Store, program: Program, state: OrderState, inventory: Callable[[], Inventory]) -> tuple[Gate, ...]:
    """One gate an order at most, by the order waited for: the strictest. `inventory` reads what the account has."""
    return _gates(store, program, state.order, _Earlier(store, state), inventory)


def gates_of_new(store: Store, program: Program, order: ProductOrder, inventory: Inventory) -> tuple[Gate, ...]:
    """What an order that is not in the store yet would have to wait for if it were submitted now."""
    return _gates(store, program, order, _AllOpen(store, order.account.id), lambda: inventory)


def _gates(
    store: Store, program: Program, order: ProductOrder, before: _Before, inventory: Callable[[], Inventory]
) -> tuple[Gate, ...]:
    found: dict[str, Gate] = {}
    for gate in (
        *_same_products(order, before, inventory),
        *_shared(program, order, before, inventory),
        *_related(store, order),
        *_in_sequence(program.design, order, before),
    ):
        found.setdefault(gate.waits_for, gate)
    return tuple(found[each] for each in sorted(found))


def conflicts_of(
    store: Store, program: Program, state: OrderState, wanted: ProductOrder, inventory: Inventory
) -> tuple[str, ...]:
    """Why an order that has started cannot have this content now, in words: others in flight have to do with what it
    would come to have to do with. `inventory` is what the account has."""
    if not store.others_open(state.order.id):
        return ()
    id = state.order.id
    others = [each for each in (*store.earlier_states(id), *store.later_started(id)) if each.tasks]
    held = baseline(state, inventory)
    parents = {asset.id: asset.parent for asset in inventory.assets.values()}
    for other in others:
        parents.update(_made(other))
    before, after = ({_root(each, parents) for each in _named(order)} for order in (state.order, wanted))
    now, then = stake_of(program, state), stake_in_hand(program, wanted, held)
    reasons = []
    for other in others:
        touched = {_root(each, parents) for each in (*_named(other.order), *_made(other))}
        stake = stake_of(program, other)
        if common := sorted((after - before) & touched):
            reasons.append(f"order `{other.order.id}` is changing product `{common[0]}` and is not done")
        elif (shared := then.meets(stake)) and not now.meets(stake):
            reasons.append(f"order `{other.order.id}` has to do with `{shared}` too and is not done")
    return tuple(reasons)


class _Before(Protocol):
    """The orders of the account that go before an order, oldest first; read when first asked for."""

    @property
    def names(self) -> Sequence[str]:
        """Those that were submitted before it."""

    @property
    def states(self) -> Sequence[OrderState]:
        """All of them."""


class _Earlier:
    """Those that were submitted before it and, for one whose content has changed while it waited, those that have
    started meanwhile."""

    def __init__(self, store: Store, state: OrderState) -> None:
        self._store = store
        self._state = state

    @cached_property
    def names(self) -> Sequence[str]:
        return self._store.earlier_open(self._state.order.id)

    @cached_property
    def states(self) -> Sequence[OrderState]:
        id = self._state.order.id
        later = self._store.later_started(id) if self._state.revision else []
        return [*self._store.earlier_states(id), *later]


class _AllOpen:
    """Those that are open, for an order that would be the latest."""

    def __init__(self, store: Store, account: str) -> None:
        self._store = store
        self._account = account

    @cached_property
    def names(self) -> Sequence[str]:
        return [state.order.id for state in self.states]

    @cached_property
    def states(self) -> Sequence[OrderState]:
        return self._store.account_open(self._account)


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


def _in_sequence(design: Design, order: ProductOrder, before: _Before) -> Iterator[Gate]:
    """The one before it is enough: that one waits for its own."""
    if design.account_sequence and (earlier := before.names):
        reason = f"orders of account `{order.account.id}` go one after the other: `{earlier[-1]}` is not done"
        yield Gate(waits_for=earlier[-1], kind=GateKind.SEQUENCE, reason=reason)


def _same_products(order: ProductOrder, before: _Before, inventory: Callable[[], Inventory]) -> Iterator[Gate]:
    wanted = set(_named(order))
    if not wanted or not (earlier := before.states):
        return
    parents = {asset.id: asset.parent for asset in inventory().assets.values()}
    for other in earlier:
        parents.update(_made(other))
    roots = {_root(product, parents): product for product in sorted(wanted)}
    for other in earlier:
        shared = sorted({_root(product, parents) for product in (*_named(other.order), *_made(other))} & roots.keys())
        if shared:
            reason = f"order `{other.order.id}` is changing product `{roots[shared[0]]}` and is not done"
            yield Gate(waits_for=other.order.id, kind=GateKind.PRODUCT, reason=reason)


def _shared(
    program: Program, order: ProductOrder, before: _Before, inventory: Callable[[], Inventory]
) -> Iterator[Gate]:
    """The last one of those before it is enough, since all is looked at anew when that is done."""
    if not may_share(program, order) or not before.states:
        return
    stake = stake_in_hand(program, order, inventory())
    for other in reversed(before.states):
        if common := stake.meets(stake_of(program, other)):
            reason = f"order `{other.order.id}` has to do with `{common}` too and is not done"
            yield Gate(waits_for=other.order.id, kind=GateKind.SHARED, reason=reason)
            return


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
