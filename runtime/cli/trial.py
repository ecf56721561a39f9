"""What several commands try without a store: a bundle and an order, decomposed and planned in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from orderloom.engine.decomposition import decompose
from orderloom.engine.orchestration import orchestrate
from orderloom.engine.program import Program, compile_design
from orderloom.models.catalog import Level
from orderloom.models.conversion import from_json
from orderloom.models.design import Design
from orderloom.models.fulfillment import Decomposition
from orderloom.models.inventory import EMPTY, Asset, AssetState, Inventory
from orderloom.models.order import ProductOrder
from orderloom.models.plan import Task
from orderloom.models.values import Value
from orderloom.runtime import tmf622
from orderloom.runtime.cli.findings import show_findings
from orderloom.runtime.cli.values import read_bytes, read_json
from orderloom.runtime.deployment import check_folder
from orderloom.runtime.errors import DocumentProblem, OrderNotDecomposed, OrderNotPlanned, ValuesRefused
from orderloom.runtime.views import LineView, PlanTask, line_view, plan_task


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A sound bundle, an order and what inventory holds."""

    design: Design
    program: Program
    order: ProductOrder
    inventory: Inventory

    def decomposition(self) -> Decomposition:
        """Raises OrderNotDecomposed."""
        found = decompose(self.program, self.order, self.inventory)
        if found.problems:
            raise OrderNotDecomposed(found.problems)
        return found

    def tasks(self, decomposition: Decomposition) -> tuple[Task, ...]:
        """The plan's tasks, in plan order. Raises OrderNotPlanned."""
        plan = orchestrate(self.program, self.order, decomposition.lines, self.inventory)
        if plan.problems:
            raise OrderNotPlanned(plan.problems)
        return plan.tasks

    def line_views(self, decomposition: Decomposition) -> list[LineView]:
        return [line_view(line, self.design) for line in decomposition.lines.values()]

    def task_views(self, tasks: Iterable[Task]) -> list[PlanTask]:
        return [plan_task(task, self.design) for task in tasks]


def sound_design(path: str) -> Design:
    """The design in a folder; where it has errors, shows them and ends the command."""
    checked = check_folder(path)
    if checked.design is None:
        show_findings(checked.diagnostics, checked.files, as_json=False)
        raise click.exceptions.Exit(1)
    return checked.design


def trial(bundle: str, order: str, inventory: str | None = None) -> Trial:
    """Reads the bundle in a folder, an order and, where given, a file of inventory."""
    design = sound_design(bundle)
    held = read_inventory(read_json(inventory), design) if inventory else EMPTY
    document = tmf622.read(tmf622.parse(read_bytes(order)))
    read = tmf622.to_order(
        document,
        id=document.id or "order",
        order_date=datetime.now(UTC),
        specs=design.specs,
        products={asset.id: asset.spec for asset in held.assets.values()},
    )
    return Trial(design=design, program=compile_design(design), order=read, inventory=held)


def read_inventory(found: object, design: Design) -> Inventory:
    """A list of assets as `orderloom inventory --json` prints them. Raises ValuesRefused."""
    assets: dict[str, Asset] = {}
    problems: list[DocumentProblem] = []
    if not isinstance(found, list):
        raise ValuesRefused([DocumentProblem("inventory", tmf622.shown(found), "a list of assets")])
    for index, each in enumerate(found):
        try:
            asset = _asset(each, design)
            assets[asset.id] = asset
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            what = f"no `{error.args[0]}`" if isinstance(error, KeyError) else str(error)
            problems.append(DocumentProblem(f"inventory[{index}]", what, "an asset of this design"))
    if problems:
        raise ValuesRefused(problems)
    return Inventory(assets=assets)


def _asset(found: Mapping[str, Any], design: Design) -> Asset:
    spec = design.specs.get(found["spec"])
    if spec is None:
        raise ValueError(f"unknown spec `{found['spec']}`")
    values: dict[str, Value] = {}
    for name, value in found.get("attributes", {}).items():
        if name not in spec.attributes:
            raise ValueError(f"`{spec.name}` has no attribute `{name}`")
        try:
            values[name] = from_json(value, spec.attributes[name].type.maybe(), design.enums)
        except ValueError as error:
            raise ValueError(f"`{name}`: {error}") from None
    return Asset(
        id=str(found["id"]),
        spec=spec.name,
        level=Level(found.get("level") or spec.level),
        account=str(found.get("account", "")),
        state=AssetState(found.get("state", "active")),
        attributes=values,
        quantity=int(found.get("quantity", 1)),
        parent=str(found.get("parent", "")),
        users=frozenset(found.get("users", ())),
        relies_on=frozenset(found.get("relies_on", ())),
        anchor=str(found.get("anchor", "")),
        order=str(found.get("order", "")),
    )
