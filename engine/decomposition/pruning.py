"""Last stage: context that turned out to share nothing with the order is dropped again."""

from __future__ import annotations

from orderloom.engine.decomposition.waiting import waits
from orderloom.engine.decomposition.work import Work
from orderloom.engine.inventory import writes
from orderloom.models.catalog import Level
from orderloom.models.fulfillment import Line


def prune(work: Work) -> dict[str, Line]:
    """The lines to keep, in their order: those of the order, what they become, and whatever these lines refer to."""
    if any(line.id in work.active and waits(work.program, line) for line in work.lines.values()):
        # it may come to share something with what is only context now
        return dict(work.lines)
    of_order: set[str] = set()
    for line in work.lines.values():
        product = line.level is Level.PRODUCT
        if (
            not line.context
            if product
            else (line.id in work.active and writes(line, work.lines))
            or any(each.line in of_order for each in line.sources)
        ):
            of_order.add(line.id)
    if len(of_order) == len(work.lines):
        return dict(work.lines)
    keep = set(of_order)
    stack = sorted(of_order)
    while stack:
        line = work.lines[stack.pop()]
        others = (
            {each.line for each in line.sources} | {each.line for each in line.relations} | {line.parent, line.root}
        )
        for other in others:
            if other in work.lines and other not in keep:
                keep.add(other)
                stack.append(other)
    return {id: line for id, line in work.lines.items() if id in keep}
