"""What the stages of a compilation share: the sources, what was found, and what earlier stages made."""

from __future__ import annotations

from dataclasses import dataclass, field

from orderloom.dsl import tree
from orderloom.dsl.bundle import Sources
from orderloom.dsl.checker import Checker, Known
from orderloom.dsl.environment import Environment
from orderloom.dsl.findings import Findings
from orderloom.dsl.members import MembersOfSpecs
from orderloom.dsl.symbols import Symbols
from orderloom.models.catalog import Enum, Spec
from orderloom.models.expression import Expression, Formula
from orderloom.models.integration import ConnectorDefinition, Operation
from orderloom.models.rules import DecompositionRule, Rejection, Table
from orderloom.models.source import Span
from orderloom.models.structure import Structure
from orderloom.models.tasks import PlanDefinition, Queue
from orderloom.models.watching import WatchRule


@dataclass(slots=True, kw_only=True)
class Context:
    """Filled stage by stage, in the order of `compiler.STAGES`; every mapping keeps the order of the source."""

    sources: Sources
    findings: Findings
    symbols: Symbols
    enums: dict[str, Enum] = field(default_factory=dict)
    specs: dict[str, Spec] = field(default_factory=dict)
    #: spec -> attributes that were declared but are wrong
    broken_attributes: dict[str, set[str]] = field(default_factory=dict)
    structure: Structure = field(default_factory=lambda: Structure(lineage={}, contains=(), edges=()))
    #: spec -> attributes that some rule into it maps
    mapped: dict[str, set[str]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    #: table -> values, one for each input, for which it has no row; complete tables are not in it
    gaps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    broken_tables: set[str] = field(default_factory=set)
    queues: dict[str, Queue] = field(default_factory=dict)
    connectors: dict[str, ConnectorDefinition] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    rules: list[DecompositionRule] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    plans: dict[str, PlanDefinition] = field(default_factory=dict)
    watches: dict[str, WatchRule] = field(default_factory=dict)
    _known: Known | None = None
    _members: MembersOfSpecs | None = None

    @property
    def members(self) -> MembersOfSpecs:
        """The names that lines of each spec offer to expressions; to be used once the specs are complete."""
        if self._members is None:
            self._members = MembersOfSpecs(self.specs, self.broken_attributes, self.structure)
        return self._members

    def checker(self, environment: Environment) -> Checker:
        """An expression checker for a place."""
        if self._known is None:
            self._known = Known(
                enums=self.enums,
                tables=self.tables,
                gaps=self.gaps,
                broken_tables=self.broken_tables,
                members_of_lines=lambda spec: self.members.line(spec) if spec in self.specs else None,
                members_of_assets=lambda spec: self.members.item(spec) if spec in self.specs else None,
                specs=self.symbols.specs,
            )
        return Checker(known=self._known, findings=self.findings, environment=environment)

    def formula(self, expression: Expression, node: tree.Expression) -> Formula:
        """The lowered expression with the text that it was written as."""
        return Formula(expression, self.text(node.span))

    def text(self, span: Span) -> str:
        """What stands in the source, white space folded."""
        return " ".join(self.sources.files[span.file][span.start : span.end].split())

    def condition(self, environment: Environment, node: tree.Expression | None) -> Formula | None:
        """A checked condition; None where there is none or it is wrong."""
        if node is None:
            return None
        found = self.checker(environment).condition(node)
        return None if found is None else self.formula(found, node)
