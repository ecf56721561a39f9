"""Simulation: an order from submission to its end on a virtual clock, against scripted systems and people."""

from orderloom.engine.simulation.coverage import Coverage, everything, used
from orderloom.engine.simulation.script import Decision, Delivery, Person, Reply, Script
from orderloom.engine.simulation.simulate import SimulationResult, simulate
from orderloom.engine.simulation.world import Made

__all__ = [
    "Coverage",
    "Decision",
    "Delivery",
    "Made",
    "Person",
    "Reply",
    "Script",
    "SimulationResult",
    "everything",
    "simulate",
    "used",
]
