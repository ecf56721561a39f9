"""The scenarios of both designs hold: an order, the world that it meets, and what must become of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderloom.engine.simulation import play
from orderloom.runtime.scenarios import read_scenario

from .story import DESIGNS


@pytest.mark.parametrize(
    "file", sorted(DESIGNS.glob("*/tests/*.yaml")), ids=lambda file: f"{file.parts[-3]}-{file.stem}"
)
def test_scenario(file: Path) -> None:
    result = play(read_scenario(file, str(file.relative_to(DESIGNS))))

    assert result.holds, "\n".join(str(each) for each in result.findings)
    assert all(each.journal for each in result.results)
