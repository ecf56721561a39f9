"""The names that a line, its parent, its root and its inventory item offer to expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from orderloom.dsl.environment import ACCOUNT, ASSET_BUILT_INS, LINE_BUILT_INS, ORDER, Members
from orderloom.models.catalog import Spec
from orderloom.models.expression import Root
from orderloom.models.structure import Structure
from orderloom.models.values import Type


class MembersOfSpecs:
    """Members by spec; each is worked out once."""

    def __init__(self, specs: Mapping[str, Spec], broken: Mapping[str, Set[str]], structure: Structure) -> None:
        self._specs = specs
        self._broken = broken
        self._structure = structure
        self._lines: dict[str, Members] = {}
        self._assets: dict[str, Members] = {}
        self._above: dict[tuple[Root, str], Members] = {}

    def line(self, spec: str) -> Members:
        """What a line of `spec` has for certain."""
        if spec not in self._lines:
            attributes = {name: each.type for name, each in self._specs[spec].attributes.items()}
            self._lines[spec] = Members(
                owner=f"`{spec}`",
                attributes=attributes,
                built_ins={name: type_ for name, type_ in LINE_BUILT_INS.items() if name not in attributes},
                broken=frozenset(self._broken.get(spec, ())),
            )
        return self._lines[spec]

    def asset(self, spec: str) -> Members:
        """What inventory holds for a line of `spec`: every attribute may be absent."""
        if spec not in self._assets:
            line = self.line(spec)
            self._assets[spec] = Members(
                owner=f"the inventory item of `{spec}`",
                attributes={name: type_.maybe() for name, type_ in line.attributes.items()},
                broken=line.broken,
            )
        return self._assets[spec]

    def item(self, spec: str) -> Members:
        """An inventory item of `spec` in a quantifier, with its built-ins."""
        found = self.asset(spec)
        built_ins = {name: type_ for name, type_ in ASSET_BUILT_INS.items() if name not in found.attributes}
        return Members(owner=found.owner, attributes=found.attributes, built_ins=built_ins, broken=found.broken)

    def parent(self, spec: str) -> Members:
        """What the parent of a line of `spec` may have."""
        return self._of_above(Root.PARENT, spec, self._structure.parents(spec))

    def root(self, spec: str) -> Members:
        """What the root of a line of `spec` may have."""
        return self._of_above(Root.ROOT, spec, self._structure.roots(spec))

    def roots(self, spec: str) -> dict[Root, Members]:
        """What stands around a line of `spec`: itself, its parent and root, the order and the account."""
        return {
            Root.LINE: self.line(spec),
            Root.PARENT: self.parent(spec),
            Root.ROOT: self.root(spec),
            Root.ORDER: ORDER,
            Root.ACCOUNT: ACCOUNT,
        }

    def any_of(self, specs: Sequence[str], owner: str) -> Members:
        """What a line has that is of one of several specs.

        An attribute that only some of them have may be absent; one with different types is a conflict.
        """
        types: dict[str, dict[Type, str]] = {}
        having: dict[str, int] = {}
        optional: set[str] = set()
        broken: set[str] = set()
        for spec in specs:
            line = self.line(spec)
            broken |= line.broken
            for name, type_ in line.attributes.items():
                types.setdefault(name, {}).setdefault(type_.required(), spec)
                having[name] = having.get(name, 0) + 1
                if type_.optional:
                    optional.add(name)
        attributes: dict[str, Type] = {}
        conflicts: dict[str, str] = {}
        for name, found in types.items():
            if len(found) > 1:
                conflicts[name] = " and ".join(f"`{type_}` in `{spec}`" for type_, spec in list(found.items())[:2])
                continue
            type_ = next(iter(found))
            attributes[name] = type_.maybe() if name in optional or having[name] < len(specs) else type_
        return Members(
            owner=owner,
            attributes=attributes,
            built_ins={name: type_ for name, type_ in LINE_BUILT_INS.items() if name not in types} if specs else {},
            broken=frozenset(broken),
            conflicts=conflicts,
        )

    def _of_above(self, root: Root, spec: str, candidates: Sequence[str]) -> Members:
        key = (root, spec)
        if key not in self._above:
            if not candidates:
                owner = f"the {root} of `{spec}`, which has none,"
            else:
                shown = [f"`{each}`" for each in candidates[:4]] + (["…"] if len(candidates) > 4 else [])
                owner = f"the {root} of `{spec}` ({' or '.join(shown)})"
            self._above[key] = self.any_of(candidates, owner)
        return self._above[key]
