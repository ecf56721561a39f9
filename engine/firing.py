"""Decomposition rules ready to fire, and the order of levels in which they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orderloom.engine.expressions import CompiledExpression
from orderloom.engine.readings import Readings
from orderloom.models.catalog import Spec
from orderloom.models.rules import DecompositionRule


@dataclass(frozen=True, slots=True)
class FiringMapping:
    attribute: str
    value: CompiledExpression
    #: names of attributes that the value looks at
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class FiringRule:
    """A decomposition rule with its expressions compiled."""

    rule: DecompositionRule
    id: str
    target: Spec
    mappings: tuple[FiringMapping, ...]
    quantity: CompiledExpression | None
    #: names of attributes that the quantity looks at
    counts: frozenset[str]
    #: whether a mapping or the quantity asks what inventory holds for the target
    reads_asset: bool
    #: the target's scope key
    key: CompiledExpression | None
    #: what it looks at beyond its source
    readings: Readings


@dataclass(frozen=True, slots=True)
class Asking:
    """The rules that look at an attribute of a name: of their own line, or of lines around it."""

    by_spec: Mapping[str, Sequence[FiringRule]]
    #: whether one of them looks at the parent, at the root, at children, and at any line of the order
    parent: bool
    root: bool
    children: bool
    lines: bool


def asking(by_spec: Mapping[str, Sequence[FiringRule]]) -> Asking:
    """The rules for lines of each spec, and how far they look."""
    found = [rule.readings for rules in by_spec.values() for rule in rules]
    return Asking(
        by_spec,
        parent=any(each.parent for each in found),
        root=any(each.root for each in found),
        children=any(each.children for each in found),
        lines=any(each.lines for each in found),
    )


def strata(specs: Mapping[str, Spec], rules: Sequence[DecompositionRule]) -> dict[str, int]:
    """The stratum of each spec: above those of all specs whose lines may feed it, 0 for specs that nothing feeds.

    Raises ValueError where rules feed each other in a circle.
    """
    by_source: dict[str, list[str]] = {}
    for rule in rules:
        by_source.setdefault(rule.source, []).append(rule.target)
    feeds = {
        name: sorted({target for each in spec.lineage or (name,) for target in by_source.get(each, ())})
        for name, spec in specs.items()
    }
    open_sources = dict.fromkeys(feeds, 0)
    for targets in feeds.values():
        for target in targets:
            open_sources[target] += 1
    ranks = dict.fromkeys(feeds, 0)
    ready = [name for name, count in open_sources.items() if not count]
    for name in ready:
        for target in feeds[name]:
            ranks[target] = max(ranks[target], ranks[name] + 1)
            open_sources[target] -= 1
            if not open_sources[target]:
                ready.append(target)
    if len(ready) < len(feeds):
        circle = ", ".join(f"`{name}`" for name in sorted(set(feeds) - set(ready)))
        raise ValueError(f"the decomposition rules feed each other in a circle among {circle}")
    return ranks
