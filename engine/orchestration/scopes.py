"""What the expressions of plans and tasks can see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from orderloom.engine.expressions import NOTHING, Collections, Scope, Snapshot, Subject
from orderloom.engine.expressions.order import account_values, order_values
from orderloom.engine.program import Program
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import TAKEN_BACK, ProductOrder
from orderloom.models.values import Value


@dataclass(frozen=True, slots=True)
class Held:
    """What inventory held for a line before the order, as an expression's `asset`."""

    id: str
    spec: str
    quantity: int
    attributes: Mapping[str, Value]


def held(line: Line) -> Subject:
    """What inventory held for a line before the order."""
    return Held(line.asset, line.spec, line.quantity, line.before) if line.before else NOTHING


class Scopes:
    """Makes the scope of a line. Attributes are read as they are at evaluation, never as they were here.

    Quantifiers pass over lines that a change of the order has taken back.
    The account's inventory is known at orchestration only: later, quantifiers over `assets` find nothing.
    """

    def __init__(
        self, program: Program, order: ProductOrder, lines: Mapping[str, Line], inventory: Inventory = EMPTY
    ) -> None:
        self._lines = lines
        self._program = program
        self._inventory = inventory
        self.renew()
        self.order = order_values(order)
        self.account = account_values(order.account)

    def renew(self, lines: Mapping[str, Line] | None = None) -> None:
        """There are other lines now."""
        if lines is not None:
            self._lines = lines
        self._collections: Collections = Snapshot(self._program.specs, self._there(self._lines), self._inventory)

    def _there(self, lines: Mapping[str, Line]) -> Iterator[Line]:
        """The lines that are not taken back, sources before what they feed. They are gone through only if asked for."""
        strata = self._program.strata
        there = (line for line in lines.values() if line.state not in TAKEN_BACK)
        yield from sorted(there, key=lambda line: strata.get(line.spec, 0))

    def of(
        self,
        line: Line,
        *,
        response: Mapping[str, Value] = NOTHING.attributes,
        event: Mapping[str, Value] = NOTHING.attributes,
        form: Mapping[str, Value] = NOTHING.attributes,
    ) -> Scope:
        """The surroundings of an expression of the line's plan."""
        return Scope(
            line=line,
            parent=self._lines.get(line.parent) or NOTHING,
            root=self._lines.get(line.root) or NOTHING,
            asset=held(line),
            order=self.order,
            account=self.account,
            response=response,
            event=event,
            form=form,
            collections=self._collections,
        )
