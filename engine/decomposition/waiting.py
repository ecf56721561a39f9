"""Lines that wait for an attribute before they can be decomposed in full."""

from __future__ import annotations

from orderloom.engine.program import Program
from orderloom.models.fulfillment import Line


def waits(program: Program, line: Line) -> bool:
    """Whether the line may decompose further: a rule asks for an attribute that it lacks and that a task supplies."""
    spec = program.specs.get(line.spec)
    absent = {name for name in spec.supplied_later if line.attributes.get(name) is None} if spec else set()
    rules = program.firing_by_source.get(line.spec, ())
    return bool(absent) and any(not absent.isdisjoint(rule.readings.asks) for rule in rules)
