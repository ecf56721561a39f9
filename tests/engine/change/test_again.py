"""What is wanted again while it is being taken back is done again, and only after that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from orderloom.engine.change import assess
from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action
from orderloom.models.change import TaskVerdict
from orderloom.models.expression import Binary, BinaryOperator, Collection, Formula, Quantified, Quantifier, Root
from orderloom.models.inventory import EMPTY, AssetState
from orderloom.models.journal import (
    AmendmentRequested,
    CalloutAnswered,
    CancellationRequested,
    OrderHeld,
    TimerFired,
    TimerKind,
)
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import TaskRole, TaskState
from orderloom.models.tasks import Reach
from orderloom.models.values import BOOLEAN, INTEGER
from tests.engine.building import DAY, attribute, item, lit, order, ref, rule, spec
from tests.engine.change.world import World
from tests.engine.conftest import Kit

OPERATIONS = [Kit.operation("sys.do", attribute("ref")), Kit.operation("sys.undo")]


def amended(world: World, wanted: ProductOrder) -> None:
    world.apply(AmendmentRequested(order=wanted, inventory=world.inventory, by="ana"))


def test_a_task_wanted_twice_waits_for_what_takes_back_its_first_run() -> None:
    """It was skipped with the subplan that it is part of, while its first run is still to be taken back."""
    whole = Kit.task("subplan", "PP.s", when=Kit.equal("a", "1"), plan="In")
    plans = [
        Kit.plan("PP", "P", whole, Kit.task("manual", "PP.stay")),
        Kit.plan("In", "P", Kit.task("call", "In.x", undo="sys.undo"), actions=()),
    ]
    world = World(
        Kit.program([spec("P", "product", attribute("a"))], plans, OPERATIONS), order(item("1", "P", a="1")), EMPTY
    )
    task = "1/PP.s/In.x"
    world.apply(world.possible[task, "answer"])
    world.apply(OrderHeld(by="ana"))
    amended(world, order(item("1", "P", a="2")))
    tasks = world.state.tasks
    assert tasks[task].state is TaskState.SKIPPED
    assert tasks[f"{task}/undo~1"].state is TaskState.READY
    amended(world, order(item("1", "P", a="1")))
    tasks = world.state.tasks
    assert tasks[task].after == (f"{task}/undo~1",)
    earlier = {each.id for each in tasks.values() if each.role is TaskRole.FORMER and each.of == task}
    assert earlier == {f"{task}~1", f"{task}~2"}
    world.finish()
    assert tasks[f"{task}~1"].state is TaskState.CANCELLED
    assert tasks[task].state is TaskState.COMPLETED
    assert tasks[f"{task}/undo~1"].finished_at <= tasks[task].started_at  # type: ignore[operator]  # both are done


def test_what_a_new_task_of_a_line_delivers_is_read_anew() -> None:
    """What ran once for two products was at the first one; now it runs at the second, whose `PP.read` found nothing."""
    once = Kit.task("call", "PP.once", once=Reach.ORDER, sets=(Kit.sets("d", Kit.read("ref", Root.RESPONSE)),))
    read = Kit.task("auto", "PP.read", after=("PP.once",), sets=(Kit.sets("e", Kit.read("d")),))
    stay = Kit.task("manual", "PP.stay")
    specs = [spec("P", "product", *map(attribute, "ade"), supplied_later=["d", "e"])]
    program = Kit.program(specs, [Kit.plan("PP", "P", once, read, stay)], OPERATIONS)
    world = World(program, order(item("1", "P", a="1"), item("2", "P", a="1")), EMPTY)
    world.apply(world.possible["1/PP.once", "answer"])
    lines = world.state.lines
    assert (lines["1"].attributes.get("e"), lines["2"].attributes.get("e")) == ("1: 1, None", None)
    wanted = AmendmentRequested(order=order(item("2", "P", a="1")), inventory=world.inventory, by="ana")
    plan = assess(program, world.state, wanted)
    (verdict,) = [each for each in plan.tasks if each.task == "2/PP.read"]
    assert (verdict.verdict, verdict.why) == (TaskVerdict.REDO, "task `2/PP.once` may deliver another `d`")
    world.apply(wanted)
    world.finish()
    assert world.state.lines["2"].attributes["e"] == "2: 1, None"


def test_what_was_to_be_tried_again_starts_on_another_date() -> None:
    """Its turn to be tried again came while the order was held; then the order was moved."""
    call = Kit.task("call", "PP.a", retry=Kit.retry("fixed", 3, 10))
    program = Kit.program([spec("P", "product", attribute("a"))], [Kit.plan("PP", "P", call)], OPERATIONS)
    world = World(program, order(item("1", "P", a="1")), EMPTY)
    answer = world.possible["1/PP.a", "answer"]
    assert isinstance(answer, CalloutAnswered)
    world.apply(replace(answer, outcome=Outcome.RETRIABLE, code="E1"))
    world.apply(OrderHeld(by="ana"))
    world.apply(TimerFired(task="1/PP.a", kind=TimerKind.RETRY, attempt=1))
    assert world.state.tasks["1/PP.a"].state is TaskState.READY
    amended(world, replace(order(item("1", "P", a="2")), requested_start=DAY + timedelta(days=1)))
    task = world.state.tasks["1/PP.a"]
    assert (task.state, task.due, task.retries) == (TaskState.SCHEDULED, DAY + timedelta(days=1), 0)
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


def suspending() -> Program:
    """A product that delivers `d`, and a service that takes `f` from it; the service is worked on when it changes."""
    specs = [
        spec("P", "product", attribute("a"), attribute("d"), supplied_later=["d"]),
        spec("R", "rfs", attribute("f")),
    ]
    deliver = Kit.task("call", "PP.t", sets=(Kit.sets("d", Kit.read("ref", Root.RESPONSE)),))
    actions = (Action.ADD, Action.MODIFY, Action.SUSPEND)
    plans = [
        Kit.plan("PP", "P", deliver, actions=(Action.ADD, Action.MODIFY)),
        Kit.plan("RP", "R", Kit.task("call", "RP.t", undo="sys.undo"), Kit.task("manual", "RP.m"), actions=actions),
    ]
    return Kit.program(specs, plans, OPERATIONS, rules=(rule("P", "R", sets={"f": ref("d")}),))


def test_a_line_that_turns_out_to_change_does_again_what_is_being_taken_back() -> None:
    program = suspending()
    first = World(program, order(item("1", "P", a="1"), id="O1"), EMPTY)
    first.finish()
    world = World(program, order(item("1", "P", Action.SUSPEND, product="O1:1"), id="O2"), first.inventory)
    task = "R:O1:1/RP.t"
    world.apply(world.possible[task, "answer"])
    # the service stays as it is, as far as is known, so what was done to it is taken back
    amended(world, order(item("1", "P", Action.MODIFY, product="O1:1", a="2"), id="O2"))
    assert world.state.tasks[f"{task}/undo~1"].state is TaskState.RUNNING
    # then the product delivers another value
    world.apply(world.possible["1/PP.t", "answer"])
    tasks = world.state.tasks
    assert tasks[task].state is TaskState.PENDING
    assert tasks[task].after == (f"{task}/undo~1",)
    assert tasks[f"{task}/undo~1"].of == f"{task}~1"
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED
    assert (tasks[f"{task}~1"].state, tasks[task].state) == (TaskState.CANCELLED, TaskState.COMPLETED)


def test_what_a_task_has_confirmed_counts_as_delivered() -> None:
    """`e` was in inventory already as `PP.t` computes it; moved, the product has it from that task."""
    compute = Kit.task("auto", "PP.t", sets=(Kit.sets("e", Kit.read("a")),))
    plan = Kit.plan("PP", "P", compute, Kit.task("manual", "PP.stay"), actions=(Action.ADD, Action.MODIFY))
    program = Kit.program([spec("P", "product", attribute("a"), attribute("e"), supplied_later=["e"])], [plan])
    first = World(program, order(item("1", "P", a="1"), id="O1"), EMPTY)
    first.finish()
    world = World(program, order(item("1", "P", Action.MODIFY, product="O1:1", a="1"), id="O2"), first.inventory)
    assert world.state.lines["1"].provenance["e"].by == "1/PP.t"
    amended(world, order(item("1", "P", Action.MOVE, product="O1:1", a="1"), id="O2"))
    world.finish()
    assert world.left()["O2:1"].attributes == {"a": "1", "e": "1"}


def test_what_a_task_delivered_goes_with_the_run_that_delivered_it() -> None:
    """`PP.t` ran for the one bundle there was, and is to be amended; then it runs for the bundle above instead."""
    deliver = Kit.task("call", "PP.t", sets=(Kit.sets("d", Kit.read("ref", Root.RESPONSE)),), amend_plan="Alter")
    plans = [
        Kit.plan("PP", "P", deliver, once=Reach.BUNDLE),
        Kit.plan("Stay", "P", Kit.task("manual", "Stay.m")),
        Kit.plan("Alter", "P", Kit.task("manual", "Alter.m"), actions=()),
    ]
    specs = [spec("P", "product", *map(attribute, "ad"), supplied_later=["d"], contains=[("P", 0, None)])]
    world = World(Kit.program(specs, plans, OPERATIONS), order(item("1", "P", a="1")), EMPTY)
    world.apply(world.possible["1/PP.t", "answer"])
    world.apply(OrderHeld(by="ana"))
    amended(world, order(item("1", "P", a="2")))
    assert world.state.tasks["1/PP.t"].role is TaskRole.AMEND
    amended(world, order(item("0", "P", a="1"), item("1", "P", a="1", parent="0")))
    assert "d" not in world.state.lines["1"].attributes
    world.finish()
    assert {id: asset.attributes.get("d") for id, asset in world.left().items()} == {"O1:0": "0: 1, None", "O1:1": None}


def test_what_was_added_for_something_suspended_is_in_use_once_that_is_not_suspended_after_all() -> None:
    phones = Quantified(Quantifier.COUNT, Collection.CHILDREN, None, "c", None, None, INTEGER)
    none = Binary(BinaryOperator.EQUAL, phones, lit(0, INTEGER), BOOLEAN)
    product = spec("P", "product", contains=[("P", 0, None)])
    rules = (rule("P", "C", when=none), rule("C", "R"))
    stay = Kit.plan("PP", "P", Kit.task("manual", "PP.m"), actions=(Action.DELETE,))
    program = Kit.program([product, spec("C", "cfs"), spec("R", "rfs")], [stay], rules=rules)
    first = World(
        program, order(item("0", "P"), item("1", "P", parent="0"), item("2", "P", parent="1"), id="O1"), EMPTY
    )
    first.finish()
    items = (item("s", "P", Action.SUSPEND, product="O1:1"), item("d", "P", Action.DELETE, product="O1:2"))
    world = World(program, order(*items, id="O2"), first.inventory)
    assert world.assets["R@line:C@line:O1:1"].state is AssetState.SUSPENDED
    world.apply(CancellationRequested(items=("s",), inventory=world.inventory, by="ana"))
    world.finish()
    assert {each.id: each.state for each in world.left().values()} == dict.fromkeys(
        ("O1:0", "O1:1", "C@line:O1:1", "R@line:C@line:O1:1"), AssetState.ACTIVE
    )


def test_what_runs_in_a_subplan_that_is_not_wanted_any_more_is_not_either() -> None:
    """`In.x` is looked at first, for its own condition, which still holds; then the whole that it is part of."""
    whole = Kit.task("subplan", "PP.s", when=Kit.equal("b", "1"), plan="In")
    several = Quantified(Quantifier.COUNT, Collection.LINES, "P", "p", None, None, INTEGER)
    some = Formula(Binary(BinaryOperator.AT_LEAST, several, lit(1, INTEGER), BOOLEAN), "count of P >= 1")
    plans = [
        Kit.plan("PP", "P", whole, Kit.task("manual", "PP.stay")),
        Kit.plan("In", "P", Kit.task("subplan", "In.x", when=some, plan="Deep"), actions=()),
        Kit.plan("Deep", "P", Kit.task("manual", "Deep.y"), actions=()),
    ]
    program = Kit.program([spec("P", "product", attribute("b"))], plans)
    world = World(program, order(item("1", "P", b="1"), item("2", "P", b="1")), EMPTY)
    assert world.state.tasks["1/PP.s/In.x"].state is TaskState.RUNNING
    amended(world, order(item("1", "P", b="2")))
    tasks = world.state.tasks
    assert {tasks[each].state for each in ("1/PP.s", "1/PP.s/In.x", "1/PP.s/In.x/Deep.y")} == {TaskState.SKIPPED}
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


def test_what_a_task_delivered_that_moves_to_another_line_goes_with_what_others_made_of_it() -> None:
    """`PP.once` ran for the one bundle there was; then it is to run for the product above, where it is not wanted."""
    once = Kit.task(
        "call", "PP.once", once=Reach.BUNDLE, when=Kit.equal("a", "1"), undo="sys.undo",
        sets=(Kit.sets("d", Kit.read("ref", Root.RESPONSE)),),
    )  # fmt: skip
    copy = Kit.task("auto", "PP.copy", after=("PP.once",), sets=(Kit.sets("e", Kit.read("d")),))
    product = spec("P", "product", *map(attribute, "ade"), supplied_later=["d", "e"], contains=[("P", 0, None)])
    plan = Kit.plan("PP", "P", once, copy, Kit.task("manual", "PP.stay"))
    world = World(Kit.program([product], [plan], OPERATIONS), order(item("1", "P", a="1")), EMPTY)
    world.apply(world.possible["1/PP.once", "answer"])
    assert world.state.lines["1"].attributes["e"]
    amended(world, order(item("0", "P", a="2"), item("1", "P", a="1", parent="0")))
    world.finish()
    left = {each.id: dict(each.attributes) for each in world.left().values()}
    assert left == {"O1:0": {"a": "2"}, "O1:1": {"a": "1"}}
