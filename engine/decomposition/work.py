"""A decomposition in the making: what all its stages read and add to."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, MutableMapping
from difflib import get_close_matches
from typing import cast

from orderloom.engine.program import Program
from orderloom.models.catalog import Level
from orderloom.models.fulfillment import Line, Problem, ProblemKind
from orderloom.models.inventory import Asset, Inventory
from orderloom.models.order import ProductOrder

#: past so many problems no more names are suggested, since each suggestion looks at all names
_SUGGESTED = 20
#: as much of a name as a message repeats
LONGEST = 100


#: no lines at all
NONE: Mapping[str, Line] = {}


class Holdings:
    """What inventory holds, with what it is found by."""

    __slots__ = ("assets", "by_anchor", "used_by")

    def __init__(self, inventory: Inventory) -> None:
        self.assets: Mapping[str, Asset] = inventory.assets
        self.by_anchor: dict[str, Asset] = {}
        #: technical assets by the id of an asset that uses them, in the order of their ids
        self.used_by: dict[str, list[Asset]] = {}
        for key in sorted(self.assets):
            asset = self.assets[key]
            if asset.level is not Level.PRODUCT:
                if asset.anchor:
                    self.by_anchor.setdefault(asset.anchor, asset)
                for user in asset.users:
                    self.used_by.setdefault(user, []).append(asset)


class Work:
    """The lines and problems found so far, with the indexes that keep every stage linear."""

    __slots__ = (
        "active",
        "assets",
        "by_anchor",
        "by_asset",
        "lines",
        "order",
        "predecessors",
        "problems",
        "program",
        "successors",
        "used_by",
    )

    def __init__(
        self,
        program: Program,
        order: ProductOrder,
        holdings: Holdings,
        lines: Mapping[str, Line] = NONE,
        by_asset: Mapping[str, Line] = NONE,
    ) -> None:
        """`lines` are there already, with the line of each asset; they are read only, and lines of the work go before
        them."""
        self.program = program
        self.order = order
        self.assets = holdings.assets
        self.by_anchor = holdings.by_anchor
        self.used_by = holdings.used_by
        self.lines: MutableMapping[str, Line] = _before(lines)
        self.problems: list[Problem] = []
        #: the line that makes or changes an asset, by asset id
        self.by_asset: MutableMapping[str, Line] = _before(by_asset)
        #: ids of the lines that the order may change: not those of untouched products and what only they use
        self.active: set[str] = set()
        #: the line of what takes a product's place, and of the product whose place it takes, by asset id
        self.successors: dict[str, Line] = {}
        self.predecessors: dict[str, Line] = {}

    def add(self, line: Line) -> None:
        self.lines[line.id] = line
        self.by_asset[line.asset] = line

    def problem(self, kind: ProblemKind, line: str, message: str) -> None:
        self.problems.append(Problem(kind=kind, line=line, message=message))

    def nearest(self, name: str, known: Iterable[str]) -> str:
        """`; did you mean …?` for the known name most like this one, or nothing; an order full of errors gets few."""
        if len(self.problems) > _SUGGESTED:
            return ""
        found = get_close_matches(name[:LONGEST], sorted(known), n=1)
        return f"; did you mean `{found[0]}`?" if found else ""


def _before(lines: Mapping[str, Line]) -> MutableMapping[str, Line]:
    # a chain writes to its first part only
    return ChainMap({}, cast("dict[str, Line]", lines)) if lines else {}
