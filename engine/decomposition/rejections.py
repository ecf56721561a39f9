"""Orders that the design refuses: `reject "…" on Spec when …`, held against every line of the order."""

from __future__ import annotations

from orderloom.engine.decomposition.work import Work
from orderloom.engine.expressions import NOTHING, Scope, Snapshot
from orderloom.engine.expressions.order import account_values, order_values
from orderloom.models.fulfillment import ProblemKind
from orderloom.models.inventory import Inventory


def reject(work: Work, inventory: Inventory) -> None:
    """Adds a problem for every rejection that holds."""
    network = work.program.rejections
    if not network.rules:
        return
    messages = {rejection.id: rejection.message for rejection in work.program.design.rejections}
    scope = Scope(
        order=order_values(work.order),
        account=account_values(work.order.account),
        collections=Snapshot(work.program.specs, work.lines.values(), inventory),
    )
    for line in work.lines.values():
        if line.context:
            continue
        scope.line = line
        scope.parent = work.lines.get(line.parent, NOTHING)
        scope.root = work.lines.get(line.root, NOTHING)
        scope.asset = work.assets.get(line.asset, NOTHING)
        for place in network.match(scope):
            work.problem(ProblemKind.REJECTED, line.id, messages[network.rules[place].id])
