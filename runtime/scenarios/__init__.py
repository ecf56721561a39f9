"""Scenario tests: YAML files with orders, the world they meet and what must become of them; see README.md."""

from orderloom.runtime.scenarios.reading import ScenarioRefused, read_scenario
from orderloom.runtime.scenarios.suite import SuiteResult, play_suite, suite_text

__all__ = ["ScenarioRefused", "SuiteResult", "play_suite", "read_scenario", "suite_text"]
