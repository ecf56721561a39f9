"""Random designs to change orders of in flight.

Products have ordered attributes `a` and `b`; rules hand them down to technical specs of all scopes; tasks deliver
`d` and `e`. What a call delivers follows from what its line was asked for, so that two ways to the same content agree.
What several lines make together is asked the same of it by all of them, so that nearly all orders can be carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from orderloom.engine.program import Program, compile_design
from orderloom.models.catalog import Action, Scope
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Collection,
    Expression,
    Formula,
    Presence,
    Quantified,
    Quantifier,
    Root,
    Variable,
)
from orderloom.models.rules import DecompositionRule
from orderloom.models.tasks import (
    Due,
    EventMatch,
    NoReturn,
    PlanDefinition,
    PointOfNoReturn,
    Reach,
    TaskDefinition,
    TaskKind,
)
from orderloom.models.values import BOOLEAN, INTEGER, STRING
from tests.engine.building import attribute, equal, lit, ref, rule, spec
from tests.engine.conftest import Kit

SPECS = ("P", "R", "Q", "W")
KINDS = ("call", "call", "call", "call", "manual", "auto", "wait", "milestone", "subplan", "pause")
#: what the tasks of a plan deliver, by name
_DELIVERED = {"t0": "d", "t1": "e"}
#: scopes of lines that have one source at most
_ALONE = frozenset((Scope.LINE,))
_SCOPES = (Scope.LINE, Scope.LINE, *Scope)
_QUANTITY = ref("quantity", INTEGER, meta=True)
#: keeps orders open until their changes are made
STAY = "Stay.until"
_MADE_OF = {"R": "P", "Q": "R"}


@st.composite
def programs(draw: st.DrawFn, once: bool = False) -> Program:
    """A product P that may contain others, a service R made of it, a resource Q made of R, and W of what is found.

    With `once`, also what turns out to be worked on while the order runs has tasks that stand for those of several
    lines. Which line such a task is at depends on what was found first, so two ways to the same content may differ.
    """
    scopes = {name: draw(st.sampled_from(_SCOPES)) for name in ("R", "Q")}
    plans: list[PlanDefinition] = []
    made: list[str] = []
    for each in SPECS:
        plans += draw(_plans(each, made, once))
    delivered = {each.spec: [one.attribute for task in each.tasks for one in task.sets] for each in plans}
    attributes = [attribute(name) for name in "abdef"]
    specs = [
        spec(
            name,
            level,
            *attributes,
            scope=scopes.get(name, Scope.LINE),
            key=Formula(ref("a"), "a") if scopes.get(name) is Scope.KEY else None,
            supplied_later=sorted(set(delivered.get(name, ()))),
            contains=[("P", 0, None)] if name == "P" else (),
        )
        for name, level in zip(SPECS, ("product", "rfs", "resource", "resource"), strict=True)
    ]
    rules = [draw(_rules(source, target, scopes)) for target, source in _MADE_OF.items()]
    # lines that turn out to be modified one after the other have no task that stands for all of them
    turned = {each.target for each in rules if any(one.attribute == "f" for one in each.mappings)}
    plans = [_each_for_itself(each) if each.spec in turned and not once else each for each in plans]
    finder = draw(st.sampled_from(("P", "R")))
    if "d" in delivered.get(finder, ()) and draw(st.booleans()):
        rules.append(rule(finder, "W", when=Presence(ref("d"), True, BOOLEAN), sets={"f": ref("d")}))
    if draw(st.integers(0, 3)):
        stay = Kit.task("manual", STAY)
        plans.append(Kit.plan("Stay", "P", stay, actions=tuple(Action), once=Reach.ORDER))
    return Kit.program(specs, [*plans, *draw(_within_plans())], _OPERATIONS, rules=tuple(rules))


@st.composite
def newer(draw: st.DrawFn, program: Program) -> Program:
    """Another version of the design: tasks gone, new, and done in another way."""
    plans = dict(program.design.plans)
    more = Kit.task("call", "Alter.new", sets=(Kit.sets("d", Kit.read("ref", Root.RESPONSE)),))
    alter = plans["Alter"].tasks
    plans["Alter"] = replace(plans["Alter"], tasks=draw(st.sampled_from((alter, alter[:1], (*alter, more), (more,)))))
    for name, plan in program.design.plans.items():
        if name in {each.name for each in _WITHIN} or name == "Stay":
            continue
        tasks = [task for task in plan.tasks if draw(st.integers(0, 3))]
        if draw(st.integers(0, 2)) == 0:
            tasks.append(Kit.task("call", f"{name}.new", undo="sys.undo"))
        tasks = [
            replace(task, undo=draw(st.sampled_from(("", "sys.undo"))), undo_plan="", amend_plan="")
            if draw(st.integers(0, 4)) == 0
            else task
            for task in tasks
        ]
        plans[name] = replace(plan, tasks=tuple(tasks))
    return compile_design(replace(program.design, digest="newer", version="2.0.0", plans=plans))


# --- rules -----------------------------------------------------------------------------------------------------------


@st.composite
def _rules(draw: st.DrawFn, source: str, target: str, scopes: dict[str, Scope]) -> DecompositionRule:
    scope = scopes[target]
    together = source == "P" or scopes[source] is Scope.LINE
    sets: dict[str, Expression] = {}
    if scope in _ALONE and together:
        sets |= {name: ref(name) for name in draw(st.sets(st.sampled_from("ab")))}
        if draw(st.booleans()):
            sets["f"] = ref("d")
    elif scope is Scope.KEY:
        sets["a"] = ref("a")
    if draw(st.integers(0, 3)) == 0:
        sets["b"] = ref("channel", root=Root.ORDER)
    quantity = draw(st.sampled_from((None, None, _QUANTITY)))
    return rule(source, target, when=draw(_conditions()), sets=sets, priority=1, quantity=quantity)


def _conditions() -> st.SearchStrategy[Expression | None]:
    return st.sampled_from((None, None, None, equal(ref("a"), lit("1")), equal(ref("b"), lit("1")), _any("a")))


def _any(name: str) -> Expression:
    where = equal(Variable("p", name, STRING), lit("1"))
    return Quantified(Quantifier.ANY, Collection.LINES, "P", "p", where, None, BOOLEAN)


def _several() -> Expression:
    count = Quantified(Quantifier.COUNT, Collection.LINES, "P", "p", None, None, INTEGER)
    return Binary(BinaryOperator.AT_LEAST, count, lit(2, INTEGER), BOOLEAN)


# --- plans -----------------------------------------------------------------------------------------------------------


@st.composite
def _plans(draw: st.DrawFn, each: str, made: list[str], late: bool) -> list[PlanDefinition]:
    """The plans for the lines of a spec; their tasks come after those of `made`, which grows."""
    names = [f"{each}P.t{n}" for n in range(draw(st.integers(1, 4)))]
    tasks: list[TaskDefinition] = []
    for name in names:
        tasks.append(draw(_tasks(name, tuple(made), tuple(tasks), late)))
        made.append(name)
    actions = (Action.ADD, Action.MODIFY, *draw(st.sampled_from(((), (), (Action.SUSPEND, Action.RESUME)))))
    # of lines that are found one after the other, the one that is found first would stand for all
    several = (None,) if each == "W" and not late else (None, None, None, None, Reach.BUNDLE, Reach.ORDER)
    once = draw(st.sampled_from(several))
    plans = [Kit.plan(f"{each}P", each, *tasks, actions=actions, once=once)]
    if draw(st.booleans()):
        after = draw(st.sampled_from(((), (), (Kit.after(made[0], reach=Reach.ORDER),))))
        bye = Kit.task("call", f"{each}D.t", operation="sys.drop", undo="sys.undrop", after=after)
        plans.append(Kit.plan(f"{each}D", each, bye, actions=(Action.DELETE,)))
    return plans


def _each_for_itself(plan: PlanDefinition) -> PlanDefinition:
    return replace(plan, once=None, tasks=tuple(replace(task, once=None) for task in plan.tasks))


@st.composite
def _tasks(
    draw: st.DrawFn, name: str, earlier: tuple[str, ...], own: Sequence[TaskDefinition], late: bool
) -> TaskDefinition:
    kind = draw(st.sampled_from(KINDS))
    after: list[Any] = []
    if earlier:
        chosen = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True))
        after += [Kit.after(each, reach=draw(st.sampled_from(list(Reach)))) for each in chosen]
    if own and own[0].sets and not own[0].when and draw(st.integers(0, 3)) == 0:
        after.append(Kit.needs("d"))
    fields: dict[str, Any] = {"after": tuple(after)}
    if draw(st.integers(0, 3)) == 0:
        fields["when"] = draw(_whens())
    if (name[0] != "W" or late) and draw(st.integers(0, 6)) == 0:
        fields["once"] = draw(st.sampled_from((Reach.BUNDLE, Reach.ORDER)))
    if draw(st.integers(0, 7)) == 0:
        fields["no_return"] = draw(_NO_RETURN)
    short = name.split(".")[1]
    match kind:
        case "call":
            fields["operation"] = draw(st.sampled_from(("sys.do", "sys.do", "sys.slow")))
            fields["retry"] = draw(st.sampled_from((None, Kit.retry("fixed", 1, 10))))
            fields["cancel"] = draw(st.sampled_from(("", "", "sys.stop")))
            # one task a line delivers each attribute: of two that did, the order in which they run would decide
            if short in _DELIVERED and draw(st.integers(0, 2)):
                fields["sets"] = (Kit.sets(_DELIVERED[short], Kit.read("ref", Root.RESPONSE)),)
            if short == "t0" and draw(st.integers(0, 2)) == 0:
                fields["amend_plan"] = "Alter" if fields.get("sets") else "Tell"
        case "auto" if short == "t1":
            read = draw(st.sampled_from("abd"))
            fields["sets"] = (Kit.sets("e", Kit.read(read)),)
            # there are no related orders here: to come after a task of one is to come after nothing
            before = {each for one in after if one.reach is not Reach.RELATED_ORDER for each in one.tasks}
            if read == "d" and own[0].sets and own[0].id not in before:
                # of two that run at the same time, nothing says whether one finds what the other delivers
                fields["after"] = (*after, Kit.after(own[0].id))
        case "wait" if draw(st.booleans()):
            fields["event"] = EventMatch(event="e")
        case "wait":
            fields["until"] = Kit.equal("a", draw(st.sampled_from("12")))
            fields["within"] = Kit.within()
        case "pause":
            fields["pause"] = timedelta(hours=1)
        case "subplan":
            fields["plan"] = draw(st.sampled_from(("In", "Deep")))
        case "manual":
            fields["duration"] = draw(st.sampled_from((None, None, None, Due(span=timedelta(hours=2)))))
    if kind == "call" or (kind in ("auto", "manual") and draw(st.integers(0, 3)) == 0):
        fields |= draw(st.sampled_from(({}, {"undo": "sys.undo"}, {"undo": "sys.undo"}, {"undo_plan": "Back"})))
    return Kit.task(kind, name, **fields)


def _whens() -> st.SearchStrategy[Formula]:
    near = [Kit.equal(name, "1") for name in "aabb"]
    far = [Kit.equal("a", "1", Root.PARENT), Kit.equal("b", "1", Root.ROOT), Kit.equal("channel", "1", Root.ORDER)]
    wide = [Formula(_any("a"), "any P with a == 1"), Formula(_several(), "count of P >= 2")]
    return st.sampled_from((*near, *far, *wide))


_NO_RETURN = st.builds(
    NoReturn,
    kind=st.sampled_from(list(PointOfNoReturn)),
    consequence=st.just("a fee"),
    approval=st.sampled_from(("", "boss")),
    bundle=st.booleans(),
)


def _within(name: str, *tasks: TaskDefinition) -> PlanDefinition:
    return Kit.plan(name, "P", *tasks, actions=())


#: plans that run within tasks
_WITHIN = (
    _within("In", Kit.task("call", "In.x", undo="sys.undo"), Kit.task("auto", "In.y", after=("In.x",))),
    _within("Deep", Kit.task("subplan", "Deep.x", plan="In"), Kit.task("call", "Deep.y", after=("Deep.x",))),
    _within("Back", Kit.task("call", "Back.x", operation="sys.undo"), Kit.task("milestone", "Back.y")),
    _within(
        "Alter",
        Kit.task("call", "Alter.x", sets=(Kit.sets("d", Kit.read("ref", Root.RESPONSE)),), undo="sys.undo"),
        Kit.task("auto", "Alter.y", after=("Alter.x",)),
    ),
    _within("Tell", Kit.task("manual", "Tell.x")),
)


@st.composite
def _within_plans(draw: st.DrawFn) -> list[PlanDefinition]:
    """The plans that run within tasks; now and then tasks of those have conditions."""
    if draw(st.booleans()):
        return list(_WITHIN)
    return [
        replace(plan, tasks=tuple(replace(each, when=draw(st.none() | _whens())) for each in plan.tasks))
        if plan.name in ("In", "Deep")
        else plan
        for plan in _WITHIN
    ]


_OPERATIONS = (
    *(Kit.operation(f"sys.{each}", attribute("ref")) for each in ("do", "undo", "drop", "undrop", "stop")),
    Kit.operation("sys.slow", attribute("ref"), callback_within=timedelta(hours=4)),
)
assert {TaskKind(each) for each in KINDS} == set(TaskKind)
