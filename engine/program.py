"""A design made ready to run: its expressions, its rule networks and its structure, each computed once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from orderloom.engine.expressions import CompiledExpression, Expressions
from orderloom.models.catalog import Spec
from orderloom.models.design import Design
from orderloom.models.expression import Formula


class Program:
    """A compiled design. It does not change; what is expensive is computed when first asked for and kept."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self._expressions = Expressions(design.tables)

    def expression(self, formula: Formula) -> CompiledExpression:
        """The compiled form of a formula of this design."""
        return self._expressions.compiled(formula)

    def lineage(self, spec: str) -> tuple[str, ...]:
        """The spec itself first, then what it extends; just the name for an unknown spec."""
        known = self.design.specs.get(spec)
        return known.lineage or (spec,) if known else (spec,)

    @cached_property
    def specs(self) -> Mapping[str, Spec]:
        return self.design.specs


def compile_design(design: Design) -> Program:
    """Makes a checked design ready to run."""
    return Program(design)
