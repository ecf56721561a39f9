"""The tour in README.md ends as it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderloom.runtime.cli import command

ROOT = Path(__file__).parents[3]
_COMMAND = re.compile(r"^    \$ orderloom (.*)$", re.MULTILINE)


def test_the_tour_ends_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said = ""
    commands = _COMMAND.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(commands) > 10
    for line in commands:
        environ = {"ORDERLOOM_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}
        result = CliRunner().invoke(command, shlex.split(line), env=environ)
        assert result.exit_code == 0, f"{line}\n{result.output}"
        said = result.stdout
    assert [row.split()[3:5] for row in said.splitlines()[1:]] == [["✓", "completed"]] * 2
