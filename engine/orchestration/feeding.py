"""Which lines a line is made from, and of which of their attributes rules make its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orderloom.engine.orchestration.reads import reads
from orderloom.models.catalog import Level
from orderloom.models.expression import Root
from orderloom.models.fulfillment import Line
from orderloom.models.rules import DecompositionRule


def made_from(line: Line) -> Iterable[str]:
    """Ids of the lines that this one stands for, each once.

    A technical line that nothing asks for any more has no sources: it belongs to the line it stands under, whose change
    took it away.
    """
    if line.sources:
        return dict.fromkeys(source.line for source in line.sources)
    return (line.parent,) if line.parent and line.level is not Level.PRODUCT else ()


def origins(
    rules: Mapping[str, DecompositionRule], lines: Mapping[str, Line], line: str, attribute: str
) -> Iterable[tuple[str, str]]:
    """The attribute of the line, and those that rules make it of, directly or not, each with its line."""
    found: dict[tuple[str, str], None] = {}
    todo = [(line, attribute)]
    while todo:
        place = todo.pop()
        target = lines.get(place[0])
        if target is None or place in found:
            continue
        found[place] = None
        for source in target.sources:
            rule, above = rules.get(source.rule), lines.get(source.line)
            if rule is None or above is None:
                continue
            made = (each.value for each in rule.mappings if each.attribute == place[1])
            todo += ((_subject(each.root, above), each.name) for value in made for each in reads(value))
    return found


def _subject(root: Root | None, source: Line) -> str:
    """The line that a rule for this source reads from; "" for none, and for several."""
    match root:
        case Root.LINE:
            return source.id
        case Root.PARENT:
            return source.parent
        case Root.ROOT:
            return source.root
        case _:
            return ""
