"""Scenario tests: YAML files with orders, the world they meet and what must become of them; see README.md."""

from orderloom.runtime.scenarios.reading import ScenarioRefused, read_scenario

__all__ = ["ScenarioRefused", "read_scenario"]
