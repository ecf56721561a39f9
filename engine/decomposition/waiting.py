"""Lines that wait for an attribute before they can be decomposed in full."""

from __future__ import annotations

from orderloom.engine.firing import Asking
from orderloom.engine.program import Program
from orderloom.models.fulfillment import Line


def waits(program: Program, line: Line) -> bool:
    """Whether more may come of the line: a rule asks for an attribute that it lacks and that a task supplies, or for
    what rules make of that."""
    spec = program.specs.get(line.spec)
    asking = program.asking
    for name in spec.supplied_later if spec else ():
        if line.attributes.get(name) is not None:
            continue
        if name in asking and _asked(line, asking[name]):
            return True
        if not asking.keys().isdisjoint(program.made_of.get(name, ())):
            return True
    return False


def _asked(line: Line, asking: Asking) -> bool:
    """Whether a rule for the line, or for lines around it, asks for the attribute."""
    return line.spec in asking.by_spec or asking.parent or asking.root or asking.children or asking.lines
