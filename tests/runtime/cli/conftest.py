"""A bundle in a folder and a home for it, and the command line as a test calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orderloom.runtime.cli import command
from tests.runtime.face.parcels import FILES, box


@dataclass
class Shell:
    """Calls `orderloom` in this process, on one home."""

    folder: Path
    home: Path

    @property
    def bundle(self) -> str:
        return str(self.folder / "parcels")

    def __call__(self, *arguments: str, exit: int = 0, input: str | None = None, by: str = "") -> Result:
        environ = {"ORDERLOOM_HOME": str(self.home), "NO_COLOR": "1", "ORDERLOOM_DEBUG": "0", "ORDERLOOM_USER": by}
        result = CliRunner().invoke(command, arguments, env=environ, input=input)
        assert result.exit_code == exit, f"{arguments}: {result.exit_code}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, exit: int = 0, by: str = "") -> Any:
        return json.loads(self(*arguments, "--json", exit=exit, by=by).stdout)

    def order(self, name: str, **more: Any) -> str:
        """The path of an order's file."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(box(**more)))
        return str(path)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    for name, text in FILES.items():
        path = tmp_path / "parcels" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Shell(tmp_path, tmp_path / "home")


@pytest.fixture
def packed(shell: Shell) -> Callable[..., str]:
    """Submits an order and takes it past its manual task."""

    def pack(name: str, weight: int = 3, **more: Any) -> str:
        shell("deploy", shell.bundle)
        order = shell.json("submit", shell.order(name, **more))["id"]
        shell("run", "--until-idle")
        (item,) = shell.json("work", "list", "--order", order)
        shell("work", "complete", str(item["id"]), "--set", f"weight={weight}", "--by", "ada")
        shell("run", "--until-idle")
        return str(order)

    return pack
