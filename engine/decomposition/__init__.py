"""From a product order to lines of all levels, stage by stage: intake, structure, relations, rejections, levels.

Pure and deterministic: the same design, order and inventory give the same lines, in the same order.
"""

from __future__ import annotations

from orderloom.engine.decomposition import intake, relations, structure
from orderloom.engine.decomposition.deriving import Supplied, derived, takes_over, turned, units
from orderloom.engine.decomposition.levels import Levels
from orderloom.engine.decomposition.pruning import prune
from orderloom.engine.decomposition.rejections import reject
from orderloom.engine.decomposition.staged import Staged, decompose_arrived, decompose_further
from orderloom.engine.decomposition.surroundings import Surroundings
from orderloom.engine.decomposition.work import Holdings, Work
from orderloom.engine.program import Program
from orderloom.models.fulfillment import Decomposition
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import ProductOrder

__all__ = [
    "Staged",
    "Supplied",
    "Surroundings",
    "decompose",
    "decompose_arrived",
    "decompose_further",
    "derived",
    "takes_over",
    "turned",
    "units",
]


def decompose(program: Program, order: ProductOrder, inventory: Inventory = EMPTY) -> Decomposition:
    """All lines of an order with their provenance, or all problems found.

    `inventory` is what the order's account has, terminated items left out. What is wrong with the items keeps the
    technical levels from being derived; their own problems come once the items are right.
    """
    work = decomposing(program, order, inventory)
    return Decomposition(order=order.id, lines=prune(work), problems=tuple(work.problems))


def decomposing(program: Program, order: ProductOrder, inventory: Inventory) -> Work:
    """`decompose` with all of its context still there."""
    work = Work(program, order, Holdings(inventory))
    intake.take_in(work)
    structure.complete(work)
    structure.check(work)
    relations.relate(work)
    if not work.problems:
        reject(work, inventory)
    if not work.problems:
        Levels(work, inventory).descend()
    return work
