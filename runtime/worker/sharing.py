"""What orders of one account have to do with each other beyond the products that they name: technical items with a
scope broader than the bundle, and products that exclude, require or rely on each other wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from orderloom.engine.decomposition import decompose
from orderloom.engine.program import Program
from orderloom.models.catalog import Action, RelationKind, Scope
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Inventory
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState, PlanState

#: one item of such a scope may belong to products of several orders
_BROAD = frozenset((Scope.RELATION, Scope.KEY, Scope.ORDER, Scope.ACCOUNT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What an order makes, changes or looks at that other orders may have to do with as well."""

    #: shared items that its products have to do with, by inventory id, with their specs
    items: dict[str, str]
    #: specs of which it may come to make or change any shared item
    possible: frozenset[str]
    #: the product specs that it is about, with what they extend
    products: frozenset[str]
    #: product specs that these exclude or need
    beside: frozenset[str]

    def meets(self, other: Stake) -> str:
        """What both have to do with: an inventory id or a spec; "" for nothing."""
        found = [
            *sorted(self.items.keys() & other.items.keys()),
            *sorted(self.possible & (other.possible | set(other.items.values()))),
            *sorted(other.possible & set(self.items.values())),
            *sorted(self.beside & other.products),
            *sorted(other.beside & self.products),
        ]
        return found[0] if found else ""


def may_share(program: Program, order: ProductOrder) -> bool:
    """Whether there is anything about the order that another one could have to do with; cheap."""
    sharing = _sharing(program)
    return any(item.spec in sharing.concerned for item in order.items)


def stake_of(program: Program, state: OrderState) -> Stake:
    """Of an order that is at work what its lines say, of one that waits whatever it may come to."""
    if state.plan is PlanState.NOT_STARTED:
        return _whatever(program, state.order)
    return _of_lines(program, state.order, state.lines.values())


def stake_in_hand(program: Program, order: ProductOrder, inventory: Inventory) -> Stake:
    """Of an order that is to be taken up: what its lines would be now."""
    found = decompose(program, order, inventory)
    # what it lacks may be what another order is about to make
    return _whatever(program, order) if found.problems else _of_lines(program, order, found.lines.values())


def _whatever(program: Program, order: ProductOrder) -> Stake:
    below = _sharing(program).below
    possible = frozenset(each for item in order.items for each in below.get(item.spec, ()))
    if not any(item.product or item.relations for item in order.items):
        # products that are new share no item of another order
        possible -= {each for each in possible if program.specs[each].scope is Scope.ORDER}
    return Stake(items={}, possible=possible, products=_products(program, order), beside=_beside(program, order))


def _of_lines(program: Program, order: ProductOrder, lines: Iterable[Line]) -> Stake:
    below = _sharing(program).below
    own = [line for line in lines if not line.context]
    return Stake(
        items={line.asset: line.spec for line in own if line.scope in _BROAD},
        possible=frozenset(
            each for line in own if _is_staged(program, line) for each in below.get(line.spec, frozenset())
        ),
        products=_products(program, order),
        beside=_beside(program, order),
    )


def _products(program: Program, order: ProductOrder) -> frozenset[str]:
    return frozenset(each for item in order.items for each in program.lineage(item.spec))


def _beside(program: Program, order: ProductOrder) -> frozenset[str]:
    """What the order's products exclude, and what they need and the order neither adds nor names."""
    sharing = _sharing(program)
    added = {each for item in order.items if item.action is Action.ADD for each in program.lineage(item.spec)}
    found: set[str] = set()
    for item in order.items:
        found |= sharing.excludes.get(item.spec, frozenset())
        if not any(each.product for each in item.relations):
            found |= sharing.needs.get(item.spec, frozenset()) - added
    return frozenset(found)


def _is_staged(program: Program, line: Line) -> bool:
    """Whether a rule may fire for the line, or fill in what is made of it, once a task has supplied an attribute."""
    spec = program.specs.get(line.spec)
    later = spec.supplied_later if spec else frozenset()
    return bool(line.missing) or any(
        (name in program.asking or name in program.giving) and line.attributes.get(name) is None for name in later
    )


class _Sharing:
    """What follows from a design alone."""

    def __init__(self, program: Program) -> None:
        specs = program.specs
        #: spec -> specs of a broad scope among what its lines are made into, itself included
        self.below = {name: frozenset(self._closure(program, name)) for name in specs}
        #: product spec -> those that it excludes, and that it needs
        self.excludes = {name: _related(program, name, RelationKind.EXCLUDES) for name in specs}
        self.needs = {
            name: _related(program, name, RelationKind.RELIES_ON) | _related(program, name, RelationKind.REQUIRES)
            for name in specs
        }
        looks = {name for name in specs if self.below[name] or self.excludes[name] or self.needs[name]}
        looked_at = {each for name in specs for each in self.excludes[name] | self.needs[name]}
        self.concerned = frozenset(
            name for name in specs if name in looks or looked_at.intersection(program.lineage(name))
        )

    @staticmethod
    def _closure(program: Program, start: str) -> Iterator[str]:
        seen, todo = {start}, [start]
        while todo:
            name = todo.pop()
            spec = program.specs[name]
            if spec.scope in _BROAD:
                yield name
            below = [rule.rule.target for rule in program.firing_by_source.get(name, ())]
            contained = {each.spec for each in spec.contains}
            below += (
                [each for each in program.specs if contained.intersection(program.lineage(each))] if contained else []
            )
            for each in below:
                if each not in seen:
                    seen.add(each)
                    todo.append(each)


def _related(program: Program, name: str, kind: RelationKind) -> frozenset[str]:
    """The specs that this one names so, or what it extends does."""
    return frozenset(each.spec for each in program.specs[name].relations if each.kind is kind)


_KNOWN: WeakKeyDictionary[Program, _Sharing] = WeakKeyDictionary()


def _sharing(program: Program) -> _Sharing:
    known = _KNOWN.get(program)
    if known is None:
        known = _KNOWN[program] = _Sharing(program)
    return known
