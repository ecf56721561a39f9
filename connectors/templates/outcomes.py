"""What a response template can say about an outcome: words that are none, and callbacks that can only fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes

from orderloom.connectors.templates.expression import Expression
from orderloom.connectors.templates.names import paths
from orderloom.connectors.templates.problem import BadValue
from orderloom.connectors.templates.response import OUTCOMES, ResponseTemplate

#: the status with which a callback's message is read
CALLBACK_STATUS = 200
_STATUSES = range(200, 600)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A text that is used as an outcome and is none."""

    text: str
    line: int


def unknown_outcomes(response: ResponseTemplate) -> Iterator[Unknown]:
    """The constants among what `outcome` may give that are no outcomes."""
    if isinstance(response.outcome, Expression):
        for constant in _results(response.outcome.tree):
            if constant.value not in OUTCOMES:
                yield Unknown(str(constant.value), response.outcome.line)


def failing_callback(response: ResponseTemplate) -> str:
    """The outcome of every callback where it is not `completed` and the answer may be `accepted`; else ""."""
    outcome = response.outcome
    if not isinstance(outcome, Expression) or any(path.names != ("status",) for path in paths(outcome.tree)):
        return ""
    try:
        given = {status: outcome.value({"status": status}) for status in _STATUSES}
    except BadValue:
        return ""
    found = given[CALLBACK_STATUS]
    return str(found) if "accepted" in given.values() and found != "completed" else ""


def _results(node: nodes.Node | None) -> Iterator[nodes.Const]:
    if isinstance(node, nodes.CondExpr):
        yield from _results(node.expr1)
        yield from _results(node.expr2)
    elif isinstance(node, nodes.Const):
        yield node
