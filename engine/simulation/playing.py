"""Plays scenarios: orders on the virtual clock, held against what was expected of them."""

from __future__ import annotations

from dataclasses import replace

from orderloom.engine.simulation.checking import check
from orderloom.engine.simulation.coverage import Coverage
from orderloom.engine.simulation.scenario import Finding, Scenario, ScenarioResult
from orderloom.engine.simulation.simulate import SimulationResult, simulate
from orderloom.models.inventory import Inventory
from orderloom.models.plan import OrderState


def play(scenario: Scenario) -> ScenarioResult:
    """Plays the orders one after the other, each from its order date; what was done in those before is told then."""
    if scenario.reset is not None:
        scenario.reset()
    held = dict(scenario.inventory.assets)
    results: list[SimulationResult] = []
    findings: list[Finding] = []
    coverage = Coverage()
    others: dict[str, OrderState] = {}
    for turn in scenario.turns:
        account = turn.order.account.id
        before = {id: asset for id, asset in held.items() if asset.account == account}
        script = replace(turn.script, others=others) if others else turn.script
        result = simulate(scenario.program, turn.order, Inventory(assets=before), script)
        others |= {name: result.state for name in (turn.order.id, turn.order.external_id) if name}
        held = {id: asset for id, asset in held.items() if asset.account != account} | dict(result.inventory.assets)
        results.append(result)
        findings.extend(check(result, turn.expectations, turn.place))
        coverage |= result.coverage
    return ScenarioResult(name=scenario.name, results=tuple(results), findings=tuple(findings), coverage=coverage)
