"""Which specs a line's parent and root may have, and which specs a rule or plan written for a spec applies to.

A line's parent is the line that contains it or, for a technical line, the line it was decomposed from. Its root is
the line at the top of that chain. Both are inferred for all orders at once, from `contains` and from decomposition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from orderloom.models.catalog import Spec
from orderloom.models.rules import DecompositionRule


@dataclass(frozen=True)
class Structure:
    """The relations between specs, by name."""

    #: spec -> itself and what it extends, nearest first
    lineage: Mapping[str, Sequence[str]]
    #: (container, contained) as written
    contains: Sequence[tuple[str, str]]
    #: (source, target) of the decomposition rules, as written
    edges: Sequence[tuple[str, str]]

    @cached_property
    def family(self) -> Mapping[str, tuple[str, ...]]:
        """Spec -> itself and all that extend it, in the order of the source."""
        members: dict[str, list[str]] = {name: [] for name in self.lineage}
        for name, lineage in self.lineage.items():
            for ancestor in lineage:
                members[ancestor].append(name)
        return {name: tuple(found) for name, found in members.items()}

    @cached_property
    def _above(self) -> Mapping[str, tuple[str, ...]]:
        """Spec -> the specs that its own lines may have directly above them."""
        above: dict[str, dict[str, None]] = {name: {} for name in self.lineage}
        for upper, lower in (*self.contains, *self.edges):
            for name in self.family.get(lower, ()):
                above[name].update(dict.fromkeys(self.family.get(upper, ())))
        return {name: tuple(found) for name, found in above.items()}

    @cached_property
    def _tops(self) -> Mapping[str, frozenset[str]]:
        """Spec -> the specs that the roots of its own lines may have."""
        tops = {name: frozenset([name] if not above else ()) for name, above in self._above.items()}
        below: dict[str, list[str]] = {name: [] for name in tops}
        for name, above in self._above.items():
            for upper in above:
                below[upper].append(name)
        waiting = [name for name, found in tops.items() if found]
        while waiting:
            upper = waiting.pop()
            for name in below[upper]:
                if not tops[upper] <= tops[name]:
                    tops[name] |= tops[upper]
                    waiting.append(name)
        return tops

    def connected(self, spec: str) -> tuple[str, ...]:
        """What extends `spec`, all that such lines may be made from and all that may be made from them."""
        own = self.family[spec]
        return self._ordered((*own, *self._closure(own, self._sources), *self._closure(own, self._targets)))

    @cached_property
    def _sources(self) -> Mapping[str, tuple[str, ...]]:
        return self._pairs((target, source) for source, target in self.edges)

    @cached_property
    def _targets(self) -> Mapping[str, tuple[str, ...]]:
        return self._pairs(self.edges)

    def _pairs(self, edges: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
        """Each spec at one end of the edges with those at the other; an edge holds for what extends its ends."""
        pairs: dict[str, dict[str, None]] = {name: {} for name in self.lineage}
        for start, end in edges:
            for name in self.family.get(start, ()):
                pairs[name].update(dict.fromkeys(self.family.get(end, ())))
        return {name: tuple(found) for name, found in pairs.items()}

    def _closure(self, start: Iterable[str], following: Mapping[str, Sequence[str]]) -> set[str]:
        found: set[str] = set()
        waiting = list(start)
        while waiting:
            for name in following[waiting.pop()]:
                if name not in found:
                    found.add(name)
                    waiting.append(name)
        return found

    def parents(self, spec: str) -> tuple[str, ...]:
        """The specs that the parent of a line of `spec`, or of what extends it, may have."""
        return self._ordered(upper for name in self.family[spec] for upper in self._above[name])

    def roots(self, spec: str) -> tuple[str, ...]:
        """The specs that the root of a line of `spec`, or of what extends it, may have."""
        return self._ordered(top for name in self.family[spec] for top in self._tops[name])

    def _ordered(self, names: Iterable[str]) -> tuple[str, ...]:
        found = set(names)
        return tuple(name for name in self.lineage if name in found)


def structure_of(specs: Mapping[str, Spec], rules: Iterable[DecompositionRule]) -> Structure:
    """The structure of a compiled design."""
    return Structure(
        lineage={name: spec.lineage or (name,) for name, spec in specs.items()},
        contains=tuple((name, child.spec) for name, spec in specs.items() for child in spec.contains),
        edges=tuple((rule.source, rule.target) for rule in rules),
    )
