"""A scenario: orders on one design, the world that each meets, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orderloom.engine.program import Program
from orderloom.engine.simulation.coverage import Coverage
from orderloom.engine.simulation.expectations import Expectation
from orderloom.engine.simulation.script import Script
from orderloom.engine.simulation.simulate import SimulationResult
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import ProductOrder

#: a Monday; when the first order of a scenario is submitted that says nothing else
START = datetime(2026, 11, 23, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One order of a scenario."""

    order: ProductOrder
    script: Script
    expectations: tuple[Expectation, ...]
    #: where the order stands in the file
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Orders one after the other; what one leaves in inventory, the next finds."""

    name: str
    program: Program
    turns: tuple[Turn, ...]
    inventory: Inventory = EMPTY
    #: called before each play, so that what answers callouts begins anew; None: it keeps nothing in mind
    reset: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An expectation that does not hold."""

    place: str
    #: what was expected, and what was found
    message: str
    #: what the journal tells of it
    excerpt: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n    ".join((f"{self.place}: {self.message}", *self.excerpt))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """What became of the orders of a scenario; it holds if there are no findings."""

    name: str
    results: tuple[SimulationResult, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage = field(default_factory=Coverage)

    @property
    def holds(self) -> bool:
        return not self.findings
