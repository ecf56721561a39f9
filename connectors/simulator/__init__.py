"""Simulated systems: the connector kind `simulator`, and the same systems as an HTTP server."""

from orderloom.connectors.simulator.connector import OnCallback, SimulatorConnector
from orderloom.connectors.simulator.script import Script
from orderloom.connectors.simulator.server import Received, SimulatorServer
from orderloom.connectors.simulator.simulation import Message, Simulation

__all__ = ["Message", "OnCallback", "Received", "Script", "Simulation", "SimulatorConnector", "SimulatorServer"]
