"""Which lines a line is made from."""

from __future__ import annotations

from collections.abc import Iterable

from orderloom.models.catalog import Level
from orderloom.models.fulfillment import Line


def made_from(line: Line) -> Iterable[str]:
    """Ids of the lines that this one stands for, each once.

    A technical line that nothing asks for any more has no sources: it belongs to the line it stands under, whose change
    took it away.
    """
    if line.sources:
        return dict.fromkeys(source.line for source in line.sources)
    return (line.parent,) if line.parent and line.level is not Level.PRODUCT else ()
