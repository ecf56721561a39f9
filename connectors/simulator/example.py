"""Answers and callback messages that a design takes for a success, made from its operations."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from jinja2 import nodes

from orderloom.connectors.templates.answer import AnswerReader
from orderloom.connectors.templates.expression import Entry, Expression
from orderloom.connectors.templates.response import ResponseTemplate
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Enum
from orderloom.models.conversion import Json
from orderloom.models.integration import Operation
from orderloom.models.values import STRING, Kind, Type

#: a path into a body: keys and positions
Steps = tuple[str | int, ...]

_STATUSES = (200, 201, 202, 204)
_BY_KIND: Mapping[Kind, Json] = {
    Kind.BOOLEAN: True,
    Kind.INTEGER: 1,
    Kind.DECIMAL: "1.00",
    Kind.DATE: "2030-01-01",
    Kind.DATETIME: "2030-01-01T12:00:00Z",
    Kind.DURATION: "PT1H",
    Kind.PERIOD: "P1M",
}


class Example:
    """Example messages of one operation. Texts differ by idempotency key; equal keys give equal messages."""

    def __init__(self, operation: Operation, reader: AnswerReader, enums: Mapping[str, Enum]) -> None:
        self._operation = operation
        self._enums = enums
        self._answer_paths = _paths(operation, reader.response)
        self._message_paths = _paths(operation, reader.callback_response)
        self._answer_conditions = _conditions(reader.response)
        self._message_conditions = _conditions(reader.callback_response)
        self.status = self._accepted_status(reader)

    def answer(self, key: str) -> Json:
        """The body of an answer."""
        return self._body(self._answer_conditions, self._answer_paths, key)

    def message(self, key: str) -> Json:
        """The body of a callback message, with the same values as the answer to that key."""
        return self._body(self._message_conditions, self._message_paths, key)

    def _accepted_status(self, reader: AnswerReader) -> int:
        wanted = Outcome.ACCEPTED if self._operation.callback else Outcome.COMPLETED
        statuses = (202, *_STATUSES) if self._operation.callback else _STATUSES
        outcomes = {status: reader.read(status, {}, self.answer("example")).outcome for status in statuses}
        for outcome in (wanted, Outcome.COMPLETED, Outcome.ACCEPTED):
            for status in statuses:
                if outcomes[status] is outcome:
                    return status
        return statuses[0]

    def _body(self, conditions: Mapping[Steps, Json], paths: Mapping[str, Steps], key: str) -> Json:
        mark = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        body: dict[str, Json] = {}
        for name, path in paths.items():
            attribute = self._operation.outputs.get(name)
            _put(body, path, self._value(name, attribute.type if attribute else STRING, mark))
        for path, value in conditions.items():
            _put(body, path, value)
        return body

    def _value(self, name: str, wanted: Type, mark: str) -> Json:
        if wanted.kind is Kind.ENUM:
            return self._enums[wanted.name].values[0]
        if wanted.kind is Kind.LIST and wanted.item is not None:
            return [self._value(name, wanted.item, mark)]
        return _BY_KIND.get(wanted.kind, f"{name}-{mark}")


def _paths(operation: Operation, response: ResponseTemplate | None) -> dict[str, Steps]:
    correlate = operation.callback.correlate if operation.callback else ""
    names = list(dict.fromkeys([*operation.outputs, *([correlate] if correlate else [])]))
    if response is None:
        return {name: (name,) for name in names}
    entries = dict(response.set)
    if response.correlation is not None and correlate not in entries:
        entries[correlate] = response.correlation
    elif correlate and correlate not in entries:
        return {correlate: (correlate,)} | _entry_paths(entries)
    return _entry_paths(entries)


def _entry_paths(entries: Mapping[str, Entry]) -> dict[str, Steps]:
    found = {name: _body_path(entry.tree) for name, entry in entries.items() if isinstance(entry, Expression)}
    return {name: path for name, path in found.items() if path}


def _conditions(response: ResponseTemplate | None) -> dict[Steps, Json]:
    """What a success needs of the body: `"completed" if body.state == "done" else …` needs `done` at `state`."""
    outcome = response.outcome if response is not None else None
    tree = outcome.tree if isinstance(outcome, Expression) else None
    if not isinstance(tree, nodes.CondExpr) or getattr(tree.expr1, "value", "") not in ("completed", "accepted"):
        return {}
    found: dict[Steps, Json] = {}
    for compare in (tree.test, *tree.test.find_all(nodes.Compare)):
        if isinstance(compare, nodes.Compare) and [operand.op for operand in compare.ops] == ["eq"]:
            path, wanted = _body_path(compare.expr), compare.ops[0].expr
            if path and isinstance(wanted, nodes.Const):
                found.setdefault(path, wanted.value)
    return found


def _body_path(tree: nodes.Node | None) -> Steps:
    """`body.port.id`, also with filters after it, as ("port", "id"); () for anything else."""
    while isinstance(tree, nodes.Filter):
        tree = tree.node
    steps: list[str | int] = []
    while isinstance(tree, (nodes.Getattr, nodes.Getitem)):
        step = tree.attr if isinstance(tree, nodes.Getattr) else getattr(tree.arg, "value", None)
        if not isinstance(step, (str, int)):
            return ()
        steps.append(step)
        tree = tree.node
    return tuple(reversed(steps)) if isinstance(tree, nodes.Name) and tree.name == "body" else ()


def _put(body: dict[str, Json], path: Steps, value: Json) -> None:
    # a step that is a position makes a list of one item, whatever the position
    place: dict[str, Json] = body
    for index, step in enumerate(path):
        last = index == len(path) - 1
        if isinstance(step, int):
            continue
        in_list = not last and isinstance(path[index + 1], int)
        ends = last or (in_list and index == len(path) - 2)
        if ends:
            place[step] = [value] if in_list else value
            return
        found = place.setdefault(step, [{}] if in_list else {})
        inner = found[0] if isinstance(found, list) and found else found
        if not isinstance(inner, dict):
            return
        place = inner
