"""Random designs and orders to change in flight.

Products have ordered attributes `a` and `b`; rules hand them down to technical specs of different scopes; tasks deliver
`d` and `e`. What a call delivers follows from what its line was asked for, so that two ways to the same content agree.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from orderloom.engine.program import Program
from orderloom.models.catalog import Action, Scope
from orderloom.models.expression import Root
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import OrderItem, ProductOrder
from orderloom.models.tasks import Reach, TaskDefinition
from tests.engine.building import attribute, item, order, ref, rule, spec
from tests.engine.conftest import Kit

SPECS = ("P", "R", "Q")
KINDS = ("call", "call", "call", "manual", "auto", "wait", "milestone", "subplan")
#: what the tasks of a plan deliver, by name
_DELIVERED = {"t0": "d", "t1": "e"}
SCOPES = (Scope.LINE, Scope.LINE, Scope.BUNDLE, Scope.ORDER)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """A product P that may contain others, a service R made of it, a resource Q made of R."""
    attributes = [attribute(name) for name in "abde"]
    specs = [
        spec("P", "product", *attributes, contains=[("P", 0, None)]),
        spec("R", "rfs", *attributes, scope=draw(st.sampled_from(SCOPES))),
        spec("Q", "resource", *attributes, scope=draw(st.sampled_from(SCOPES))),
    ]
    rules = [
        rule("P", "R", when=draw(_conditions()), sets=_handed(draw), priority=1),
        rule("R", "Q", when=draw(_conditions()), sets=_handed(draw), priority=1),
    ]
    made: list[str] = []
    plans = []
    for each in SPECS:
        actions = (Action.ADD, Action.MODIFY)
        names = [f"{each}P.t{n}" for n in range(draw(st.integers(1, 4)))]
        tasks = []
        for name in names:
            tasks.append(draw(_tasks(name, tuple(made))))
            made.append(name)
        plans.append(Kit.plan(f"{each}P", each, *tasks, actions=actions))
        if draw(st.booleans()):
            bye = Kit.task("call", f"{each}D.t", operation="sys.drop", undo="sys.undrop")
            plans.append(Kit.plan(f"{each}D", each, bye, actions=(Action.DELETE,)))
    plans.append(_plan("In", Kit.task("call", "In.x", undo="sys.undo"), Kit.task("auto", "In.y", after=("In.x",))))
    plans.append(_plan("Back", Kit.task("call", "Back.x", operation="sys.undo"), Kit.task("milestone", "Back.y")))
    change = Kit.task("call", "Alter.x", sets=(Kit.sets("d", Kit.read("ref", Root.RESPONSE)),))
    plans.append(_plan("Alter", change, Kit.task("auto", "Alter.y", after=("Alter.x",))))
    operations = [Kit.operation(f"sys.{each}", attribute("ref")) for each in ("do", "undo", "drop", "undrop")]
    return Kit.program(specs, plans, operations, rules=tuple(rules))


def _plan(name: str, *tasks: TaskDefinition) -> Any:
    return Kit.plan(name, "P", *tasks, actions=())


def _handed(draw: st.DrawFn) -> dict[str, Any]:
    return {name: ref(name) for name in draw(st.sets(st.sampled_from("ab")))}


def _conditions() -> st.SearchStrategy[Any]:
    return st.sampled_from((None, None, Kit.equal("a", "1").expression, Kit.equal("b", "1").expression))


@st.composite
def _tasks(draw: st.DrawFn, name: str, earlier: tuple[str, ...]) -> TaskDefinition:
    kind = draw(st.sampled_from(KINDS))
    after: list[Any] = []
    if earlier:
        chosen = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True))
        after += [Kit.after(each, reach=draw(st.sampled_from(list(Reach)))) for each in chosen]
    fields: dict[str, Any] = {"after": tuple(after)}
    if draw(st.integers(0, 4)) == 0:
        fields["when"] = Kit.equal(draw(st.sampled_from("ab")), "1")
    own = name.split(".")[1]
    match kind:
        case "call":
            # one task a line delivers each attribute: of two that did, the order in which they run would decide
            if own in _DELIVERED and draw(st.booleans()):
                fields["sets"] = (Kit.sets(_DELIVERED[own], Kit.read("ref", Root.RESPONSE)),)
            fields |= draw(st.sampled_from(({}, {"undo": "sys.undo"}, {"undo": "sys.undo"}, {"undo_plan": "Back"})))
            if fields.get("sets") and own == "t0" and draw(st.integers(0, 2)) == 0:
                fields["amend_plan"] = "Alter"
        case "auto":
            if own == "t1":
                fields["sets"] = (Kit.sets("e", Kit.read(draw(st.sampled_from("abd")))),)
        case "wait":
            fields["until"] = Kit.equal("a", draw(st.sampled_from("12")))
            fields["within"] = Kit.within()
        case "subplan":
            fields["plan"] = "In"
    return Kit.task(kind, name, **fields)


@st.composite
def items(draw: st.DrawFn, inventory: Inventory = EMPTY) -> list[OrderItem]:
    """Products to add, some under others, and changes of those that are there."""
    found: list[OrderItem] = []
    for place in draw(st.sets(st.integers(0, 2), min_size=0 if inventory.assets else 1)):
        parent = draw(st.sampled_from(("", *(each.id for each in found))))
        found.append(item(f"n{place}", "P", parent=parent, quantity=draw(st.integers(1, 2)), **draw(_content())))
    for asset in inventory.assets.values():
        action = draw(st.sampled_from((None, Action.MODIFY, Action.DELETE)))
        if asset.spec == "P" and action and not asset.parent:
            given = draw(_content()) if action is Action.MODIFY else {}
            found.append(item(f"c{asset.id}", "P", action, product=asset.id, **given))
    return found


def _content() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"a": st.sampled_from("12"), "b": st.sampled_from("12")})


def ordered(items: list[OrderItem], id: str = "O2") -> ProductOrder:
    return order(*items, id=id)
