"""What a dry run tells of dates: those asked for, and when the order is expected to be completed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

from orderloom.engine.advance import with_outlook
from orderloom.engine.change import assess
from orderloom.engine.program import Program
from orderloom.engine.scheduling import schedule
from orderloom.models.change import ChangePlan, DateChange
from orderloom.models.inventory import EMPTY
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.journal import AmendmentRequested, CancellationRequested, ChangeRequest
from orderloom.models.tasks import Due
from tests.engine.building import DAY, attribute, item, order, spec
from tests.engine.change.world import World
from tests.engine.conftest import Kit

HOUR = timedelta(hours=1)


def program() -> Program:
    """A person works for two hours; where `a` is 2, another one for three hours after that."""
    first = Kit.task("manual", "PP.first", duration=Due(span=2 * HOUR))
    more = Kit.task("manual", "PP.more", duration=Due(span=3 * HOUR), after=("PP.first",))
    plans = [
        Kit.plan("PP", "P", first),
        Kit.plan("MP", "P", replace(more, id="MP.more"), when=Kit.equal("a", "2")),
    ]
    return Kit.program([spec("P", "product", attribute("a"))], plans)


def told(world: World, request: ChangeRequest) -> ChangePlan:
    plan = assess(world.program, world.state, request)
    before = repr(world.state)
    found = with_outlook(world.program, world.state, request, plan, world.at, world.program)
    assert repr(world.state) == before
    return found


def test_the_outlook_is_what_the_schedule_says_once_the_change_is_made() -> None:
    world = World(program(), order(item("1", "P", a="1")), EMPTY)
    late = DAY + 4 * HOUR
    wanted = replace(order(item("1", "P", a="2")), requested_completion=late)
    request = AmendmentRequested(order=wanted, inventory=world.inventory, by="ana")
    found = told(world, request)
    assert found.dates == (DateChange(name="requested completion", before=None, after=late),)
    assert found.outlook
    began = world.state.tasks["1/PP.first"].started_at
    assert began
    assert (found.outlook.expected_before, found.outlook.jeopardy_before) == (began + 2 * HOUR, Jeopardy.GREEN)
    assert (found.outlook.expected_after, found.outlook.jeopardy_after) == (began + 5 * HOUR, Jeopardy.RED)
    at = found.outlook.at
    world.apply(request)
    made = schedule(world.program, deepcopy(world.state), at)
    assert (made.expected, made.jeopardy) == (found.outlook.expected_after, found.outlook.jeopardy_after)


def test_there_is_none_where_it_cannot_be_told() -> None:
    world = World(program(), order(item("1", "P", a="1")), EMPTY)
    everything = CancellationRequested(inventory=world.inventory, by="ana")
    assert told(world, everything).outlook is None


def test_an_order_for_later_is_moved() -> None:
    world = World(program(), replace(order(item("1", "P", a="1")), requested_start=DAY + 9 * HOUR), EMPTY)
    moved = replace(world.state.order, requested_start=DAY + 4 * HOUR)
    found = told(world, AmendmentRequested(order=moved, inventory=world.inventory, by="ana"))
    assert found.dates == (DateChange(name="requested start", before=DAY + 9 * HOUR, after=DAY + 4 * HOUR),)
    assert found.outlook
    assert found.outlook.expected_before == DAY + 11 * HOUR
    assert found.outlook.expected_after == DAY + 6 * HOUR
