"""Staged lines: what the rules make of an attribute that a task supplies after decomposition."""

from __future__ import annotations

from collections.abc import Iterator

from orderloom.engine.advance.turn import Turn
from orderloom.engine.orchestration.scopes import held
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.journal import EntryKind
from orderloom.models.values import Value


def filled(turn: Turn, line: Line) -> Iterator[tuple[Line, str, Value, Provenance]]:
    """What the rules now give for required attributes that lines made from this one lack."""
    for target_id in turn.index.fed.get(line.id, ()):
        target = turn.state.lines[target_id]
        if not target.missing:
            continue
        scope = turn.index.scopes.of(line)
        scope.target = target.attributes
        scope.asset = held(target)
        for rule in (turn.index.rules.get(source.rule) for source in target.sources if source.line == line.id):
            for mapping in rule.mappings if rule else ():
                if rule and mapping.attribute in target.missing:
                    value = turn.program.expression(mapping.value).evaluate(scope)
                    if value is not None:
                        by = Provenance(origin=Origin.RULE, by=rule.id, source=line.id, text=mapping.value.text)
                        yield target, mapping.attribute, value, by


def note_late_rules(turn: Turn, line: Line, attribute: str) -> None:
    """Tells of rules that fire only now that the attribute is known; lines are made at submission, none come of it."""
    network = turn.program.decompositions
    fired = [network.rules[place].id for place in network.match(turn.index.scopes.of(line))]
    known = {
        source.rule
        for target in turn.index.fed.get(line.id, ())
        for source in turn.state.lines[target].sources
        if source.line == line.id
    }
    late = [rule for rule in fired if rule not in known]
    if late:
        names = ", ".join(f"`{rule}`" for rule in late)
        text = f"{names} would fire now that `{attribute}` is known, but lines are made at submission"
        turn.note(EntryKind.NOTE, line.id, {"text": text})
