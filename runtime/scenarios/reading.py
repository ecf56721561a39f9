"""From a scenario file to a scenario that can be played. All that is wrong with a file is told, with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

import yaml

from orderloom.engine.program import Program, compile_design
from orderloom.engine.simulation.expectations import AtExpected
from orderloom.engine.simulation.scenario import START, Scenario, Turn
from orderloom.models.catalog import Level
from orderloom.models.conversion import Json
from orderloom.models.inventory import EMPTY, Asset, AssetState, Inventory
from orderloom.models.source import Severity
from orderloom.runtime.deployment import Checked, check_files, check_folder
from orderloom.runtime.errors import OrderloomError
from orderloom.runtime.scenarios.expecting import read_expectations
from orderloom.runtime.scenarios.names import Names
from orderloom.runtime.scenarios.nodes import Node, Notebook, read_document
from orderloom.runtime.scenarios.orders import Orders
from orderloom.runtime.scenarios.worlds import WORLD, Worlds

_KEYS = ("name", "about", "bundle", "design", "order", "orders", "inventory", *WORLD, "expect")
_TURN_KEYS = ("order", *WORLD, "expect")
_ASSET_KEYS = ("id", "spec", "account", "state", "attributes", "quantity", "parent", "users", "relies_on", "anchor")
_MANIFEST_KEYS = ("time_zone", "calendars", "calendar", "jeopardy", "sequence", "settings")
#: a design that stands in a scenario
_FILE = "design.loom"
#: between the orders of a scenario
_NEXT = timedelta(days=30)


class ScenarioRefused(OrderloomError):
    """the scenario cannot be played:
    {text}"""

    code = "scenario-refused"

    def __init__(self, problems: list[str]) -> None:
        super().__init__(text="\n".join(problems))
        self.problems = tuple(problems)


def read_scenario(file: Path, shown: str = "") -> Scenario:
    """Reads a file; `shown` is how its places name it, its name by default. Raises ScenarioRefused."""
    notebook = Notebook(shown or file.name)
    root = read_document(file.read_text(encoding="utf-8"), notebook)
    scenario = _Reading(file, root).scenario() if root else None
    if notebook.problems or scenario is None:
        raise ScenarioRefused(notebook.problems)
    return scenario


class _Reading:
    def __init__(self, file: Path, root: Node) -> None:
        self._file = file
        self._root = root
        #: what `bundle.yaml` of a design in place says, beside its name and version
        self._manifest: Json = {}

    def scenario(self) -> Scenario | None:
        """None where what is wrong has been told of."""
        found = self._root.mapping(_KEYS)
        for key in ("name", "expect"):
            if key not in found and not (key == "expect" and "orders" in found):
                self._root.problem(f"expected a `{key}`")
        if ("order" in found) == ("orders" in found):
            self._root.problem("expected either an `order`, or `orders` one after the other")
            return None
        if "bundle" in found:
            found["bundle"].mapping(_MANIFEST_KEYS)
            self._manifest = found["bundle"].plain()
        folder, program = self._design(found.get("design"))
        if program is None:
            return None
        names = Names(program.design)
        orders = Orders(names, folder)
        inventory = _inventory(found["inventory"], names) if "inventory" in found else EMPTY
        names.assets |= {asset.id: asset.spec for asset in inventory.assets.values()}
        orders.products |= {asset.id: asset.spec for asset in inventory.assets.values() if asset.level is Level.PRODUCT}
        worlds = Worlds(names, orders, lambda node: self._design(node)[1])
        shared = {key: found[key] for key in WORLD if key in found}
        turns = []
        for number, node in enumerate(found["orders"].items() if "orders" in found else (self._root,)):
            own = found if "order" in found else node.mapping(_TURN_KEYS)
            turn = _turn(node, own, shared, number, names, orders, worlds)
            if turn is not None:
                turns.append(turn)
        name = found["name"].text() if "name" in found else ""
        return Scenario(name=name, program=program, turns=tuple(turns), inventory=inventory, reset=worlds.reset)

    def _design(self, node: Node | None) -> tuple[Path, Program | None]:
        """The folder in which orders are looked for, and the design."""
        if node is None:
            folder = self._file.parent.parent
            if not (folder / "bundle.yaml").is_file():
                self._root.problem("expected a `design`, since the file is not in the `tests` folder of a bundle")
                return folder, None
        else:
            plain = node.plain()
            if isinstance(plain, str) and "\n" in plain:
                return self._file.parent, self._inline(node, plain)
            folder = self._file.parent / node.text()
        if not folder.is_dir():
            assert node is not None
            there = [str(each.relative_to(folder.parent)) for each in folder.parent.glob("*/") if each.is_dir()]
            node.unknown(node.text(), there, "folder of a design")
            return folder, None
        return folder, _program(node or self._root, _from_folder(folder.resolve()))

    def _inline(self, node: Node, text: str) -> Program | None:
        """A design in the file itself: its lines begin below the key."""
        manifest: dict[str, Json] = {"name": "scenario", "version": "1.0.0"}
        manifest |= self._manifest if isinstance(self._manifest, dict) else {}
        checked, program = _from_text(yaml.safe_dump(manifest), text)
        if program is None:
            for found in checked.diagnostics:
                if found.severity is Severity.ERROR:
                    design = found.span is not None and found.span.file == _FILE
                    node.problem(f"{found.message} [{found.code}]", below=found.span.line if design else 0)
        return program


@lru_cache(maxsize=64)
def _from_folder(folder: Path) -> tuple[Checked, Program | None]:
    return _compiled(check_folder(folder))


@lru_cache(maxsize=64)
def _from_text(manifest: str, text: str) -> tuple[Checked, Program | None]:
    return _compiled(check_files({"bundle.yaml": manifest, _FILE: text}))


def _compiled(checked: Checked) -> tuple[Checked, Program | None]:
    return checked, compile_design(checked.design) if checked.design else None


def _program(node: Node, compiled: tuple[Checked, Program | None]) -> Program | None:
    checked, program = compiled
    if program is None:
        for found in checked.diagnostics:
            if found.severity is Severity.ERROR:
                node.problem(f"the design has an error: {found.span}: {found.message} [{found.code}]")
    return program


def _turn(
    node: Node,
    own: Mapping[str, Node],
    shared: Mapping[str, Node],
    number: int,
    names: Names,
    orders: Orders,
    worlds: Worlds,
) -> Turn | None:
    """One order with its world and its expectations; what it says itself counts before what the scenario says."""
    if "order" not in own:
        node.expected("an `order`")
        return None
    order = orders.read(own["order"], id=f"O-{number + 1}", date=START + number * _NEXT)
    if order is None:
        return None
    script = worlds.script({**shared, **{key: own[key] for key in WORLD if key in own}}, order)
    expectations = read_expectations(own["expect"], names) if "expect" in own else ()
    looks = tuple(each.after for each in expectations if isinstance(each, AtExpected))
    return Turn(order=order, script=replace(script, looks=looks), expectations=expectations, place=own["order"].place)


def _inventory(node: Node, names: Names) -> Inventory:
    """What the account has, a list of assets; most fields have a usual value."""
    assets: dict[str, Asset] = {}
    for each in node.items():
        found = each.mapping(_ASSET_KEYS)
        if "id" not in found or "spec" not in found:
            each.expected("an inventory item with `id` and `spec`")
            continue
        spec = names.spec(found["spec"].text(), found["spec"])
        if spec is None:
            continue
        state = found["state"].choice([str(state) for state in AssetState], "state") if "state" in found else ""
        values = {}
        if "attributes" in found:
            values = names.values(found["attributes"], dict(spec.attributes), f"attribute of `{spec.name}`")
        id = found["id"].text()
        assets[id] = Asset(
            id=id,
            spec=spec.name,
            level=spec.level,
            account=found["account"].text() if "account" in found else "A-1",
            state=AssetState(state or "active"),
            attributes=values,
            quantity=found["quantity"].integer() if "quantity" in found else 1,
            parent=found["parent"].text() if "parent" in found else "",
            users=frozenset(found["users"].texts() if "users" in found else ()),
            relies_on=frozenset(found["relies_on"].texts() if "relies_on" in found else ()),
            anchor=found["anchor"].text() if "anchor" in found else "",
        )
    return Inventory(assets=assets)
