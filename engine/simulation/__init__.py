"""Simulation: an order from submission to its end on a virtual clock, against scripted systems and people."""

from orderloom.engine.simulation.coverage import Coverage, everything, used
from orderloom.engine.simulation.playing import play
from orderloom.engine.simulation.scenario import Finding, Scenario, ScenarioResult, Turn
from orderloom.engine.simulation.script import Decision, Delivery, Person, Reply, Script
from orderloom.engine.simulation.simulate import SimulationResult, simulate
from orderloom.engine.simulation.summary import Summary, summarise, summary_text
from orderloom.engine.simulation.world import Made

__all__ = [
    "Coverage",
    "Decision",
    "Delivery",
    "Finding",
    "Made",
    "Person",
    "Reply",
    "Scenario",
    "ScenarioResult",
    "Script",
    "SimulationResult",
    "Summary",
    "Turn",
    "everything",
    "play",
    "simulate",
    "summarise",
    "summary_text",
    "used",
]
