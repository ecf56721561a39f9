"""Checks over a whole design: each family is one module, listed in `CHECKS`."""

from __future__ import annotations

from collections.abc import Callable

from orderloom.dsl.checks import conflicts, cycles, groups, merges, reach, scopes, structure
from orderloom.dsl.context import Context

#: run once everything is built, in this order
CHECKS: tuple[Callable[[Context], None], ...] = (
    structure.check,
    scopes.check,
    groups.check,
    conflicts.check,
    merges.check,
    reach.check,
    cycles.check,
)
