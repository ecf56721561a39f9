"""Every scenario of this folder holds, is listed in the README, and replays; and what the suite tries is told."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from orderloom.engine.advance import replay
from orderloom.engine.simulation import Scenario, ScenarioResult, play
from orderloom.runtime.scenarios import play_suite, read_scenario, suite_text

HERE = Path(__file__).parent
FILES = sorted(file for file in HERE.glob("*/*.yaml") if file.parent.name != "designs")


@cache
def scenario(file: Path) -> Scenario:
    return read_scenario(file, str(file.relative_to(HERE)))


@cache
def played(file: Path) -> ScenarioResult:
    return play(scenario(file))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_scenario(file: Path) -> None:
    result = played(file)

    assert result.holds, "\n".join(str(each) for each in result.findings)
    assert len(result.results) == len(scenario(file).turns)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_its_events_give_the_same_state_again(file: Path) -> None:
    for turn, result in zip(scenario(file).turns, played(file).results, strict=True):
        again = replay(scenario(file).program, turn.order, result.events, turn.script.versions)
        assert (again.status, again.lines, again.tasks) == (
            result.state.status,
            result.state.lines,
            result.state.tasks,
        )


def test_the_readme_lists_every_scenario_with_its_name() -> None:
    listed = dict(re.findall(r"^- \[`([^`]+)`\]\(\1\): (.+)$", (HERE / "README.md").read_text(), re.MULTILINE))

    assert listed == {str(file.relative_to(HERE)): scenario(file).name for file in FILES}


def test_the_suite_tries_every_rule_plan_and_mapping_of_its_shared_designs() -> None:
    suite = play_suite([file for file in FILES if scenario(file).program.design.name != "scenario"], HERE)

    assert suite.holds
    assert [summary.design for summary in suite.summaries] == ["lab"]
    for summary in suite.summaries:
        for share in summary.shares:
            assert share.what in ("rows", "tasks") or share.untried == (), suite_text(suite)
