"""What an expression can see: the lines at hand, the order, the account, and the collections quantifiers range over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from orderloom.models.catalog import Action, Spec
from orderloom.models.inventory import Inventory
from orderloom.models.values import Value


class Subject(Protocol):
    """A line or an inventory item, as far as expressions look at it. An absent attribute has no key (or None)."""

    @property
    def id(self) -> str | None: ...
    @property
    def spec(self) -> str | None: ...
    @property
    def quantity(self) -> int | None: ...
    @property
    def attributes(self) -> Mapping[str, Value]: ...


class LineSubject(Subject, Protocol):
    """A line: an inventory item has no action."""

    @property
    def action(self) -> Action | None: ...


@dataclass(frozen=True, slots=True)
class Nothing:
    """The line or item that is not there: everything of it is absent."""

    attributes: Mapping[str, Value]
    id: None = None
    spec: None = None
    quantity: None = None
    action: None = None


NOTHING = Nothing({})


class Collections(Protocol):
    """What quantifiers range over. Items of specs that extend the asked one belong to it; None asks for any spec."""

    def lines(self, spec: str | None) -> Sequence[LineSubject]: ...
    def children(self, line: LineSubject, spec: str | None) -> Sequence[LineSubject]: ...
    def assets(self, spec: str | None) -> Sequence[Subject]: ...


class Nowhere:
    """Collections without an item."""

    def lines(self, spec: str | None) -> Sequence[LineSubject]:
        return ()

    def children(self, line: LineSubject, spec: str | None) -> Sequence[LineSubject]:
        return ()

    def assets(self, spec: str | None) -> Sequence[Subject]:
        return ()


class ParentedLine(LineSubject, Protocol):
    """A line that names the line it stands under, and whether the order touches it."""

    @property
    def parent(self) -> str: ...
    @property
    def context(self) -> bool: ...


class Snapshot:
    """The collections of a whole order: its lines in their order, and the account's inventory by id.

    The lines are gone through when first asked for; indexes are kept, so a snapshot is to be made anew after lines
    changed.
    """

    __slots__ = ("_assets", "_assets_of", "_children", "_children_of", "_found", "_lines_of", "_source", "_specs")

    def __init__(self, specs: Mapping[str, Spec], lines: Iterable[ParentedLine], inventory: Inventory) -> None:
        self._specs = specs
        self._source: Iterable[ParentedLine] = lines
        self._found: tuple[ParentedLine, ...] | None = None
        self._assets = inventory.assets
        self._lines_of: dict[str, list[LineSubject]] | None = None
        self._assets_of: dict[str, list[Subject]] | None = None
        self._children: dict[str, list[LineSubject]] | None = None
        self._children_of: dict[tuple[str, str], list[LineSubject]] = {}

    @property
    def _lines(self) -> tuple[ParentedLine, ...]:
        if self._found is None:
            self._found = tuple(self._source)
            self._source = ()
        return self._found

    def lines(self, spec: str | None) -> Sequence[LineSubject]:
        """Lines of the order, in its order; products that are only context are not of the order."""
        if self._lines_of is None:
            self._lines_of = {"": [line for line in self._lines if not line.context]}
            for line in tuple(self._lines_of[""]):
                for name in self._lineage(line.spec):
                    self._lines_of.setdefault(name, []).append(line)
        return self._lines_of.get(spec or "", ())

    def children(self, line: LineSubject, spec: str | None) -> Sequence[LineSubject]:
        """Direct children of a line, in the order's order."""
        if self._children is None:
            self._children = {}
            for each in self._lines:
                if each.parent:
                    self._children.setdefault(each.parent, []).append(each)
        if line.id is None:
            return ()
        found = self._children.get(line.id, ())
        if spec is None or not found:
            return found
        key = (line.id, spec)
        if key not in self._children_of:
            self._children_of[key] = [child for child in found if spec in self._lineage(child.spec)]
        return self._children_of[key]

    def assets(self, spec: str | None) -> Sequence[Subject]:
        """Inventory items of the account, in the order of their ids."""
        if self._assets_of is None:
            self._assets_of = {"": [self._assets[key] for key in sorted(self._assets)]}
            for asset in self._assets_of[""]:
                for name in self._lineage(asset.spec):
                    self._assets_of.setdefault(name, []).append(asset)
        return self._assets_of.get(spec or "", ())

    def _lineage(self, spec: str | None) -> tuple[str, ...]:
        if spec is None:
            return ()
        known = self._specs.get(spec)
        return known.lineage or (spec,) if known else (spec,)


_NOWHERE: Collections = Nowhere()


class Scope:
    """One evaluation's surroundings. It is changed in place between evaluations of the same line."""

    __slots__ = (
        "account",
        "asset",
        "collections",
        "event",
        "form",
        "line",
        "order",
        "parent",
        "response",
        "root",
        "target",
    )

    def __init__(
        self,
        *,
        line: LineSubject = NOTHING,
        parent: LineSubject = NOTHING,
        root: LineSubject = NOTHING,
        asset: Subject = NOTHING,
        order: Mapping[str, Value] = NOTHING.attributes,
        account: Mapping[str, Value] = NOTHING.attributes,
        target: Mapping[str, Value] = NOTHING.attributes,
        response: Mapping[str, Value] = NOTHING.attributes,
        event: Mapping[str, Value] = NOTHING.attributes,
        form: Mapping[str, Value] = NOTHING.attributes,
        collections: Collections = _NOWHERE,
    ) -> None:
        self.line = line
        self.parent = parent
        self.root = root
        #: what inventory holds for the line
        self.asset = asset
        self.order = order
        self.account = account
        self.target = target
        self.response = response
        self.event = event
        self.form = form
        self.collections = collections
