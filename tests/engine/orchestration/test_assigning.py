"""The rule of a queue that counts for an item: the first one whose condition holds as the order is then."""

from __future__ import annotations

from typing import Any

import pytest

from orderloom.engine.orchestration.assigning import rule_elsewhere
from orderloom.models.journal import OpenWork
from orderloom.models.tasks import AssignMode, AssignRule, Queue


def _program(kit: Any) -> Any:
    rules = (
        AssignRule(mode=AssignMode.BY_SKILL, skills=("fibre",), when=kit.present("port")),
        AssignRule(mode=AssignMode.ROUND_ROBIN, when=kit.present("serial")),
        AssignRule(mode=AssignMode.LEAST_LOADED),
    )
    only = (AssignRule(mode=AssignMode.ROUND_ROBIN, when=kit.present("serial")),)
    return kit.program(
        [kit.spec("S", kit.attribute("port"), kit.attribute("serial"))],
        [kit.plan("P", "S", kit.task("manual", "P.visit", queue="field"))],
        queues=[Queue(name="field", title="", assign=rules), Queue(name="leads", title="", assign=only)],
    )


@pytest.mark.parametrize(
    ("attributes", "mode", "skills"),
    [
        ({"port": "7", "serial": "x"}, AssignMode.BY_SKILL, ("fibre",)),
        ({"serial": "x"}, AssignMode.ROUND_ROBIN, ()),
        ({}, AssignMode.LEAST_LOADED, ()),
    ],
)
def test_the_first_rule_that_holds_counts(
    kit: Any, attributes: dict[str, str], mode: AssignMode, skills: tuple[str, ...]
) -> None:
    _, step = kit.begin(_program(kit), kit.line("1", "S", attributes=attributes))
    (opened,) = (each for each in step.commands if isinstance(each, OpenWork))
    assert (opened.assign, opened.skills) == (mode, skills)


@pytest.mark.parametrize(("attributes", "mode"), [({"serial": "x"}, AssignMode.ROUND_ROBIN), ({}, AssignMode.PULL)])
def test_people_pull_where_no_rule_holds(kit: Any, attributes: dict[str, str], mode: AssignMode) -> None:
    program = _program(kit)
    state, _ = kit.begin(program, kit.line("1", "S", attributes=attributes))
    (task,) = state.tasks
    assert rule_elsewhere(program, state, task, "leads").mode is mode
    assert rule_elsewhere(program, state, task, "nowhere").mode is AssignMode.PULL
    assert rule_elsewhere(program, state, "1/P.gone", "field").mode is AssignMode.PULL
