"""Staged lines: what the rules make of an attribute that a task supplies after decomposition."""

from __future__ import annotations

from collections.abc import Iterator

from orderloom.engine.advance.turn import Turn
from orderloom.engine.orchestration.scopes import held
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.values import Value


def filled(turn: Turn, line: Line) -> Iterator[tuple[Line, str, Value, Provenance]]:
    """What the rules now give for attributes that lines made from this one lack."""
    for target_id in turn.index.fed.get(line.id, ()):
        target = turn.state.lines[target_id]
        scope = turn.index.scopes.of(line)
        scope.target = target.attributes
        scope.asset = held(target)
        for rule in (turn.index.rules.get(source.rule) for source in target.sources if source.line == line.id):
            for mapping in rule.mappings if rule else ():
                if rule and target.attributes.get(mapping.attribute) is None:
                    value = turn.program.expression(mapping.value).evaluate(scope)
                    if value is not None:
                        by = Provenance(origin=Origin.RULE, by=rule.id, source=line.id, text=mapping.value.text)
                        yield target, mapping.attribute, value, by
