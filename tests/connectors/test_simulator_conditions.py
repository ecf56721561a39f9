"""Answers of simulated systems that hold for some calls only."""

from __future__ import annotations

import pytest

from orderloom.connectors.simulator.script import Script
from orderloom.connectors.simulator.simulation import Simulation
from orderloom.connectors.templates.operation import OperationTemplates
from orderloom.models.integration import Operation


def simulation(script: dict[str, object]) -> Simulation:
    operation = Operation(
        name="inventory.reserve", title="", connector="inventory", request=None, response=None, outputs={}
    )
    return Simulation(Script.parse(script), {operation.name: OperationTemplates(operation, {})}, {})


def test_a_condition_chooses_its_answer_before_all_others() -> None:
    systems = simulation(
        {"inventory.reserve": [{"status": 503}, {"when": 'request.site == "FULL"', "status": 409}, {"status": 201}]}
    )

    sites = ("FULL", "A", "FULL", "B")
    statuses = [systems.reply("inventory.reserve", f"key {at}", {"site": site}).status for at, site in enumerate(sites)]

    assert statuses == [409, 503, 409, 201]


def test_a_request_without_what_is_asked_for_does_not_meet_the_condition() -> None:
    systems = simulation({"inventory.reserve": {"when": 'request.site == "FULL"', "status": 409}})

    assert systems.reply("inventory.reserve", "key", {}).status == 200
    assert systems.reply("inventory.reserve", "other key", None).status == 200


def test_a_condition_is_text() -> None:
    with pytest.raises(ValueError, match=r"`when` of `inventory.reserve`"):
        simulation({"inventory.reserve": {"when": 3}})
