"""The distribution holds what the folders hold."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("connectors", "designs", "dsl", "engine", "grammar", "models", "runtime")


def project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def test_every_sub_package_is_listed() -> None:
    found = {
        "orderloom." + ".".join(init.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for init in (ROOT / room).rglob("__init__.py")
    }
    assert found == set(project()["tool"]["setuptools"]["packages"])


def test_every_folder_with_modules_is_a_package() -> None:
    without = {
        str(module.parent.relative_to(ROOT))
        for room in ROOMS
        for module in (ROOT / room).rglob("*.py")
        if not (module.parent / "__init__.py").exists()
    }
    assert without == set()


def test_every_room_is_typed_and_has_its_readme() -> None:
    for room in ROOMS:
        assert (ROOT / room / "py.typed").exists(), room
        assert (ROOT / room / "README.md").read_text(encoding="utf-8").startswith("# "), room


def test_every_dependency_has_a_lower_bound_and_a_reason() -> None:
    reasons = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    declared = project()["project"]
    extras = [line for extra in declared["optional-dependencies"].values() for line in extra]
    for requirement in [*declared["dependencies"], *extras]:
        assert ">=" in requirement, requirement
        name = requirement.split(">=")[0]
        assert f"| {name} |" in reasons, f"{name} has no reason in CONTRIBUTING.md"


def test_the_version_is_in_the_changelog() -> None:
    version = project()["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
