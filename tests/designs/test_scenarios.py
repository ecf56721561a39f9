"""The scenarios of both designs hold: an order, the world that it meets, and what must become of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderloom.engine.simulation import play
from orderloom.runtime.scenarios import play_suite, read_scenario, suite_text

from .story import DESIGNS, NAMES


@pytest.mark.parametrize(
    "file", sorted(DESIGNS.glob("*/tests/*.yaml")), ids=lambda file: f"{file.parts[-3]}-{file.stem}"
)
def test_scenario(file: Path) -> None:
    result = play(read_scenario(file, str(file.relative_to(DESIGNS))))

    assert result.holds, "\n".join(str(each) for each in result.findings)
    assert all(each.journal for each in result.results)


@pytest.mark.parametrize("name", NAMES)
def test_the_scenarios_try_all_that_the_design_says_but_for_rows_of_tables(name: str) -> None:
    suite = play_suite(sorted((DESIGNS / name / "tests").glob("*.yaml")), DESIGNS)

    for summary in suite.summaries:
        assert all(share.what == "rows" or not share.untried for share in summary.shares), suite_text(suite)
