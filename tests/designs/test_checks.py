"""Both designs check without a finding, and every sample file of theirs is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from orderloom.connectors.simulator.script import Script
from orderloom.runtime import tmf622

from .story import DESIGNS, NAMES, checked, program, systems


@pytest.mark.parametrize("name", NAMES)
def test_the_check_finds_nothing(name: str) -> None:
    found = checked(name)

    assert [f"{each.severity} {each.span}: {each.message}" for each in found.diagnostics] == []
    assert found.design is not None
    assert found.name == name


@pytest.mark.parametrize("name", NAMES)
def test_every_template_and_table_is_used(name: str) -> None:
    design = program(name).design
    used = {
        template.path
        for operation in design.operations.values()
        for template in (
            operation.request,
            operation.response,
            operation.callback.response if operation.callback else None,
        )
        if template is not None
    }
    lying = {str(file.relative_to(DESIGNS / name)) for file in (DESIGNS / name / "templates").iterdir()}

    assert lying == used


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_is_called_or_takes_back(name: str) -> None:
    design = program(name).design
    tasks = [task for plan in design.plans.values() for task in plan.tasks]

    assert set(design.operations) == {task.operation for task in tasks if task.operation} | {
        operation for task in tasks for operation in (task.undo, task.cancel) if operation
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_environment_says_where_each_system_is(name: str) -> None:
    design = program(name).design
    urls = {setting for setting in design.settings["default"] if setting.endswith("_url")}

    assert urls <= set(design.settings["demo"])
    assert all(str(design.settings["demo"][setting]).startswith("http://127.0.0.1:") for setting in urls)


@pytest.mark.parametrize("name", NAMES)
def test_the_simulated_systems_are_those_of_the_design(name: str) -> None:
    script = Script.parse((DESIGNS / name / "simulator.yaml").read_text())

    assert set(script.operations) <= set(program(name).design.operations)
    assert systems(name).requests == {}


@pytest.mark.parametrize("file", sorted(DESIGNS.glob("*/orders/*.json")), ids=lambda file: file.stem)
def test_sample_orders_are_tmf622_documents(file: Path) -> None:
    text = file.read_text()
    document = tmf622.read(tmf622.parse(text))

    assert document.productOrderItem
    assert json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n" == text


@pytest.mark.parametrize("file", sorted(DESIGNS.glob("*/tests/*.yaml")), ids=lambda file: file.stem)
def test_scenarios_name_orders_that_exist(file: Path) -> None:
    scenario = yaml.safe_load(file.read_text())

    assert scenario["name"]
    orders = scenario.get("orders", [scenario])
    for each in orders:
        assert each["expect"]["order"]
        assert isinstance(each["order"], dict) or (file.parents[1] / each["order"]).is_file()
