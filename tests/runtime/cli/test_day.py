"""The day in each role that runtime/README.md tells of goes as it says."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderloom.runtime.access.permissions import ROLES
from orderloom.runtime.cli import COMMANDS, command

ROOT = Path(__file__).parents[3]
README = (ROOT / "runtime/README.md").read_text(encoding="utf-8")
_DAY = re.search(r"^## A day in each role$(.*?)^## ", README, re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"^    \$ (.*)$", re.MULTILINE)


def test_the_day_goes_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("ORDERLOOM_HOME", str(tmp_path))
    monkeypatch.setenv("NO_COLOR", "1")
    assert _DAY is not None
    said: dict[str, str] = {}
    actors: list[str] = []
    for line in _LINE.findall(_DAY[1]):
        word, *arguments = shlex.split(os.path.expandvars(line))
        if word == "export":
            name, _, value = arguments[0].partition("=")
            monkeypatch.setenv(name, value)
            actors.append(value)
            continue
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, f"{line}\n{result.output}"
        said[line] = result.stdout
    assert set(actors) == {"root", "dora", "ivo", "mia", "ada", "finn", "carol", "portal"}
    assert len(set(actors)) == len(ROLES)
    assert said["orderloom orders list"].count("✓ completed") == 2
    progress = said["orderloom orders progress FIB-1002"]
    assert progress.index("Your line is connected") < progress.index("All done")
    assert "FIB-1002" in said["orderloom work next"]
    assert "SITE-FULL → SITE-77" in said[next(line for line in said if "--dry-run" in line and "fallout" in line)]
    assert "ada" in said["orderloom queues show field_ops"]
    told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert {"order.state"} <= {each["kind"] for each in told}
    trail = CliRunner().invoke(command, ["audit", "--json", "--limit", "1000"]).stdout
    assert {deed["deed"]["who"] for deed in json.loads(trail)} == {"root", "carol", "ada", "finn", "mia", "portal"}


def test_every_command_is_part_of_a_day_or_of_the_tour() -> None:
    """So that whoever reads the two has met them all, but for those of rare occasions."""
    text = README + (ROOT / "README.md").read_text(encoding="utf-8")
    rare = {"aside", "callback", "completion", "inventory", "migrate"}
    assert {name for name in COMMANDS if f"orderloom {name}" not in text} <= rare
