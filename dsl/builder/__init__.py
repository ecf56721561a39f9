"""The embedded transformer: what each rule of `loom.lark` becomes in the syntax tree.

Each method is called with the children of the rule of its name, all tokens among them, None for what is absent; it
unpacks them in the order of the grammar. What the grammar cannot say (a 31st of February, an unknown escape, nesting
without end) is added to `problems`.
"""

from __future__ import annotations

from orderloom.dsl.builder.catalog import CatalogBuilder
from orderloom.dsl.builder.decomposition import DecompositionBuilder
from orderloom.dsl.builder.expressions import ExpressionBuilder
from orderloom.dsl.builder.integration import IntegrationBuilder
from orderloom.dsl.builder.literals import LiteralBuilder
from orderloom.dsl.builder.plans import PlanBuilder
from orderloom.dsl.builder.queues import QueueBuilder

__all__ = ["Builder"]


class Builder(
    CatalogBuilder,
    DecompositionBuilder,
    PlanBuilder,
    QueueBuilder,
    IntegrationBuilder,
    ExpressionBuilder,
    LiteralBuilder,
):
    """Makes syntax trees; one file at a time."""
