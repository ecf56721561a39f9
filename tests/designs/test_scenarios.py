"""The scenarios of both designs hold: an order, the world that it meets, and what must become of it.

What a scenario does not name goes well: systems succeed, people do their work, events come. `events: []` means that
none comes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderloom.engine.simulation import Delivery, Person, Script, SimulationResult
from orderloom.models.conversion import from_json, to_json
from orderloom.models.inventory import EMPTY
from orderloom.models.plan import Task

from .story import DESIGNS, Systems, play, program, read_order, systems

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@pytest.mark.parametrize(
    "file", sorted(DESIGNS.glob("*/tests/*.yaml")), ids=lambda file: f"{file.parts[-3]}-{file.stem}"
)
def test_scenario(file: Path) -> None:
    name, scenario = file.parts[-3], yaml.safe_load(file.read_text())
    order = read_order(name, file.parents[1] / scenario["order"])
    world = systems(name, yaml.safe_dump({"operations": scenario.get("systems", {})}))

    result, _ = play(name, order, EMPTY, lambda answering: script(name, scenario, answering), world)

    expect = scenario["expect"]
    assert result.state.status == expect.pop("order"), result.state.reasons
    for reason in expect.pop("reasons", ()):
        assert any(reason in given for given in result.state.reasons)
    for spec, wanted in expect.pop("lines", {}).items():
        check_line(result, spec, wanted)
    for task, wanted in expect.pop("tasks", {}).items():
        check_task(result, task, wanted)
    for operation, calls in expect.pop("calls", {}).items():
        assert len(world.requests.get(operation, ())) == calls, f"calls of {operation}"
    assert expect == {}, "expectations that nothing checks"


def script(name: str, scenario: Mapping[str, Any], world: Systems) -> Script:
    events = scenario.get("events")
    return Script(
        answer=world.answer,
        people={task: person(name, task, found) for task, found in scenario.get("people", {}).items()},
        events=tuple(
            Delivery(event=each["event"], payload=each["payload"], after=span(each["after"])) for each in events or ()
        ),
        spontaneous=timedelta(minutes=1) if events is None else None,
    )


def person(name: str, task: str, found: Mapping[str, Any]) -> Person:
    design = program(name).design
    (form,) = [each.form for plan in design.plans.values() for each in plan.tasks if each.name == task]
    types = {field.name: field.type for field in form}
    values = {field: from_json(value, types[field], design.enums) for field, value in found["values"].items()}
    return Person(after=span(found["after"]), values=values)


def span(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([smhd])", text)
    assert found is not None, text
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def check_line(result: SimulationResult, spec: str, wanted: str | Mapping[str, Any]) -> None:
    lines = [line for line in result.state.lines.values() if line.spec == spec]
    if isinstance(wanted, str):
        assert wanted == "absent"
        assert lines == []
        return
    (line,) = lines
    found = {"action": str(line.action), **{name: to_json(value) for name, value in line.attributes.items()}}
    assert {name: found.get(name) for name in wanted} == dict(wanted), spec


def check_task(result: SimulationResult, name: str, wanted: Mapping[str, Any]) -> None:
    for task in named(result, name, wanted):
        for field in ("state", "attempts", "code", "queue"):
            if field in wanted:
                assert getattr(task, field) == wanted[field], f"{field} of {task.id}"
        for earlier in wanted.get("after", ()):
            for other in named(result, earlier, {}):
                assert task.started_at is not None
                assert other.finished_at is not None
                assert task.started_at >= other.finished_at, f"{task.id} after {other.id}"


def named(result: SimulationResult, name: str, wanted: Mapping[str, Any]) -> list[Task]:
    """The tasks of that name; those skipped count only where they are asked for or are all there are."""
    found = [task for task in result.state.tasks.values() if task.definition.rpartition(".")[2] == name]
    assert found, f"no task is called {name}"
    at_work = [task for task in found if task.state != "skipped"]
    return found if wanted.get("state") == "skipped" else at_work or found
