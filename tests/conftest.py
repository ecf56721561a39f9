"""Options and profiles that hold for all tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

#: rooms must be imported as `orderloom.<room>`; under their bare names they would be second copies
ROOMS = ("connectors", "designs", "dsl", "engine", "grammar", "models", "runtime")

_ALWAYS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.differing_executors)
settings.register_profile("quick", max_examples=60, deadline=None, derandomize=True, suppress_health_check=_ALWAYS)
settings.register_profile("deep", max_examples=3000, deadline=None, suppress_health_check=_ALWAYS)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="property and fault tests with far more examples")
    parser.addoption("--update-golden", action="store_true", help="write golden files anew instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("deep" if config.getoption("--deep") else "quick")


@pytest.fixture(scope="session")
def deep(request: pytest.FixtureRequest) -> bool:
    """Whether the deep profile was asked for."""
    return bool(request.config.getoption("--deep"))


@pytest.fixture(scope="session")
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(scope="session", autouse=True)
def rooms_are_imported_by_their_full_names() -> Iterator[None]:
    yield
    bare = [room for room in ROOMS if getattr(sys.modules.get(room), "__file__", None)]
    assert not bare, f"imported by a bare name, so a second copy exists: {', '.join(bare)}"
