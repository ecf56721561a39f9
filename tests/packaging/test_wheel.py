"""A wheel built from the repository does the main job in an environment of its own, away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*command: str | Path, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "ORDERLOOM"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of a fresh environment with the wheel in it; its dependencies come from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    run("git", "clone", "-q", ROOT, source, folder=folder)
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder / "dist", source, folder=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", wheel, folder=folder)
    return python.parent


def test_the_wheel_does_the_main_job(installed: Path, tmp_path: Path) -> None:
    told = json.loads(run(installed / "orderloom", "demo", "--json", "--home", tmp_path / "home", folder=tmp_path))
    assert told["orders"]
    assert "completed" in {order["status"] for order in told["orders"]}


def test_the_wheel_carries_all_its_files(installed: Path, tmp_path: Path) -> None:
    listed = run(installed / "python", "-m", "pip", "show", "-f", "orderloom", folder=tmp_path)
    for wanted in (
        "orderloom/grammar/loom.lark",
        "orderloom/models/py.typed",
        "orderloom/designs/fiber/bundle.yaml",
        "orderloom/designs/mobile/bundle.yaml",
    ):
        assert wanted in listed, wanted
