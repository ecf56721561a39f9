"""Reads what a scenario expects."""

from __future__ import annotations

from collections.abc import Iterator

from orderloom.engine.simulation.expectations import (
    FIELDS,
    AtExpected,
    CalloutsExpected,
    CallsExpected,
    ChangeExpected,
    CompletionExpected,
    Expectation,
    JeopardyExpected,
    JournalExpected,
    OfState,
    PublishedExpected,
    ReasonsExpected,
    RefusedExpected,
    Row,
    RowsExpected,
    StatusExpected,
    Subject,
    TookExpected,
)
from orderloom.models.catalog import Action, Attribute
from orderloom.models.change import LineVerdict, TaskVerdict
from orderloom.models.inventory import AssetState
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskState
from orderloom.runtime.scenarios.names import Names
from orderloom.runtime.scenarios.nodes import Node

_OF_STATE = ("order", "reasons", "jeopardy", "expected", "lines", "tasks")
_OF_RUN = ("calls", "callouts", "inventory", "journal", "refused", "published", "took", "changes", "at")
_COLOURS = tuple(str(each) for each in Jeopardy)
_STATES = {
    Subject.LINE: tuple(str(each) for each in OrderStatus),
    Subject.TASK: tuple(str(each) for each in TaskState),
    Subject.ASSET: tuple(str(each) for each in AssetState),
}


def read_expectations(node: Node, names: Names) -> tuple[Expectation, ...]:
    """The expectations of one order, in the order in which they are written."""
    found = node.mapping((*_OF_STATE, *_OF_RUN), "expectation")
    if node.is_mapping and not node.mapping():
        node.expected("something under `expect`")
    return tuple(each for key, value in found.items() for each in _expectations(key, value, names))


def _expectations(key: str, node: Node, names: Names) -> Iterator[Expectation]:
    match key:
        case "calls":
            for name, count in node.mapping().items():
                if names.operation(name, count):
                    yield CallsExpected(place=count.place, operation=name, count=count.integer())
        case "callouts":
            made = [each for each in node.items() if names.operation(each.text(), each)]
            yield CalloutsExpected(place=node.place, operations=tuple(each.text() for each in made))
        case "inventory":
            yield from _rows(Subject.ASSET, node, names)
        case "journal":
            yield JournalExpected(place=node.place, texts=node.texts())
        case "refused":
            yield RefusedExpected(place=node.place, texts=node.texts())
        case "published":
            yield PublishedExpected(place=node.place, texts=node.texts())
        case "took":
            yield TookExpected(place=node.place, span=node.span())
        case "changes":
            for number, each in enumerate(node.items()):
                yield _change(number, each, names)
        case "at":
            for name, each in node.mapping().items():
                yield _at(name, each, names)
        case _:
            yield from _of_state(key, node, names)


def _change(number: int, node: Node, names: Names) -> ChangeExpected:
    found = node.mapping(("tasks", "lines", "consequences", "reasons"), "expectation of a change")
    tasks, lines = {}, {}
    for name, verdict in found["tasks"].mapping().items() if "tasks" in found else ():
        if names.task(name, verdict):
            tasks[name] = verdict.choice([str(each) for each in TaskVerdict], "decision")
    for name, verdict in found["lines"].mapping().items() if "lines" in found else ():
        if name.partition(".")[0].isdigit() or names.spec(name, verdict):
            lines[name] = verdict.choice([str(each) for each in LineVerdict], "decision")
    return ChangeExpected(
        place=node.place,
        number=number,
        tasks=tasks,
        lines=lines,
        consequences=found["consequences"].texts() if "consequences" in found else None,
        reasons=found["reasons"].texts() if "reasons" in found else None,
    )


def _at(name: str, node: Node, names: Names) -> AtExpected:
    found = node.mapping(_OF_STATE, "expectation")
    expectations = [each for key, value in found.items() for each in _of_state(key, value, names)]
    return AtExpected(place=node.place, after=node.span_of(name), expectations=tuple(expectations))


def _of_state(key: str, node: Node, names: Names) -> Iterator[OfState]:
    match key:
        case "order":
            if status := node.choice([str(each) for each in OrderStatus], "state of an order"):
                yield StatusExpected(place=node.place, status=OrderStatus(status))
        case "jeopardy":
            if colour := node.choice(_COLOURS, "colour"):
                yield JeopardyExpected(place=node.place, jeopardy=Jeopardy(colour))
        case "expected":
            yield CompletionExpected(place=node.place, span=node.span())
        case "reasons":
            yield ReasonsExpected(place=node.place, texts=node.texts())
        case "lines":
            yield from _rows(Subject.LINE, node, names)
        case "tasks":
            yield from _rows(Subject.TASK, node, names)


def _rows(subject: Subject, node: Node, names: Names) -> Iterator[RowsExpected]:
    for name, wanted in node.mapping().items():
        attributes: dict[str, Attribute] = {}
        if subject is Subject.TASK:
            if names.task(name, wanted) is None:
                continue
        else:
            spec = names.spec(name, wanted)
            if spec is None:
                continue
            attributes = dict(spec.attributes)
        if not wanted.is_mapping and not wanted.is_list:
            if wanted.text() == "absent":
                yield RowsExpected(place=wanted.place, subject=subject, name=name, rows=())
            else:
                wanted.expected("`absent`, a mapping, or a list of mappings")
            continue
        count: int | None = None
        rows = []
        for each in wanted.items():
            row, counted = _row(subject, each, attributes, names)
            rows.append(row)
            count = counted if wanted.is_mapping else None
        yield RowsExpected(place=wanted.place, subject=subject, name=name, rows=tuple(rows), count=count)


def _row(subject: Subject, node: Node, attributes: dict[str, Attribute], names: Names) -> tuple[Row, int | None]:
    known = (*FIELDS[subject], "count", *attributes, *(("attributes",) if attributes else ()))
    count: int | None = None
    fields: dict[str, object] = {}
    values: dict[str, object] = {}
    for name, value in node.mapping(known, f"field of a {subject}").items():
        if name == "count":
            count = value.integer()
        elif name in FIELDS[subject]:
            fields[name] = _field(subject, name, value, names)
        elif name == "attributes":
            values |= names.values(value, attributes, "attribute")
        else:
            values[name] = value.typed(attributes[name].type, names.enums)
    return Row(place=node.place, fields=fields, attributes=values), count  # type: ignore[arg-type]  # read by kind above


def _field(subject: Subject, name: str, node: Node, names: Names) -> object:
    match name:
        case "state":
            return node.choice(_STATES[subject], f"state of a {subject}")
        case "action":
            return node.choice([str(each) for each in Action], "action")
        case "attempts" | "quantity" | "users":
            return node.integer()
        case "after" | "before":
            others = tuple(node.items())
            return tuple(each.text() for each in others if names.task(each.text(), each))
        case "missing" | "sources":
            return tuple(str(each.plain()) for each in node.items())
        case "attempted":
            return tuple(each.span() for each in node.items())
        case "jeopardy":
            return node.choice(_COLOURS, "colour")
        case "started" | "finished" | "due":
            return None if node.plain() is None else node.span()
    return str(node.plain())
