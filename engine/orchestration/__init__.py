"""From the lines of an order to its plan: which tasks there are, and what each of them comes after."""

from orderloom.engine.orchestration.orchestrate import Plan, orchestrate
from orderloom.engine.orchestration.reads import Read, reads

__all__ = ["Plan", "Read", "orchestrate", "reads"]
