"""What waits and pauses listen for."""

from __future__ import annotations

from dataclasses import replace

from orderloom.dsl import tree
from orderloom.dsl.context import Context
from orderloom.dsl.environment import Environment, Members
from orderloom.dsl.queues import length, queue
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Call,
    Case,
    Default,
    Expression,
    Formula,
    If,
    Literal,
    Lookup,
    Membership,
    Presence,
    Quantified,
    Reference,
    Root,
    Unary,
    Variable,
)
from orderloom.models.tasks import EventMatch, TaskKind, Within
from orderloom.models.values import BOOLEAN, Kind


def event_match(context: Context, node: tree.EventStatement, environment: Environment) -> EventMatch:
    """The event, its condition and, where the condition has one, the field by which it is found."""
    if node.matching is None:
        return EventMatch(event=node.event.value)
    inside = replace(
        environment,
        place="the condition on an event",
        roots={**environment.roots, Root.EVENT: Members(owner="the event", open=True)},
    )
    matching = context.condition(inside, node.matching)
    if matching is None:
        return EventMatch(event=node.event.value)
    found = _key(matching.expression)
    if found is None:
        return EventMatch(event=node.event.value, matching=matching)
    field, key = found
    text = _text_of_key(context, node.matching, field)
    return EventMatch(event=node.event.value, matching=matching, field=field, key=Formula(key, text))


def _key(condition: Expression) -> tuple[str, Expression] | None:
    """The first conjunct `event.field == expression` whose expression does not need the event."""
    match condition:
        case Binary(operator=BinaryOperator.AND, left=left, right=right):
            return _key(left) or _key(right)
        case Binary(operator=BinaryOperator.EQUAL, left=Reference(root=Root.EVENT, name=field), right=key):
            return None if _uses_event(key) else (field, key)
        case Binary(operator=BinaryOperator.EQUAL, left=key, right=Reference(root=Root.EVENT, name=field)):
            return None if _uses_event(key) else (field, key)
        case _:
            return None


def _text_of_key(context: Context, node: tree.Expression, field: str) -> str:
    """The text of the side that is compared with `event.field`."""
    match node:
        case tree.Binary(operator=BinaryOperator.AND, left=left, right=right):
            return _text_of_key(context, left, field) or _text_of_key(context, right, field)
        case tree.Binary(operator=BinaryOperator.EQUAL, left=left, right=right):
            if isinstance(left, tree.Path) and left.text == f"{Root.EVENT}.{field}":
                return context.text(right.span)
            if isinstance(right, tree.Path) and right.text == f"{Root.EVENT}.{field}":
                return context.text(left.span)
    return ""


def _uses_event(expression: Expression) -> bool:
    match expression:
        case Reference(root=root):
            return root is Root.EVENT
        case Literal() | Variable():
            return False
        case Unary(operand=operand) | Membership(operand=operand) | Presence(operand=operand):
            return _uses_event(operand)
        case Binary(left=left, right=right):
            return _uses_event(left) or _uses_event(right)
        case Default(operand=operand, fallback=fallback):
            return _uses_event(operand) or _uses_event(fallback)
        case If(condition=condition, then=then, otherwise=otherwise):
            return any(map(_uses_event, (condition, then, otherwise)))
        case Case(subject=subject, arms=arms, otherwise=otherwise):
            parts = [subject, *(arm.result for arm in arms), *([otherwise] if otherwise is not None else [])]
            return any(map(_uses_event, parts))
        case Lookup(arguments=arguments) | Call(arguments=arguments):
            return any(map(_uses_event, arguments))
        case Quantified(where=where, value=value):
            return any(_uses_event(part) for part in (where, value) if part is not None)


def until(
    context: Context, task: tree.TaskDeclaration, environment: Environment, node: tree.UntilStatement
) -> tuple[Formula | None, Formula | None]:
    """A condition or (in a pause) an instant: exactly one of the two, none if it is wrong."""
    checker = context.checker(environment)
    if task.kind is not TaskKind.PAUSE:
        return context.condition(environment, node.value), None
    found = checker.infer(node.value)
    if found is None:
        return None, None
    if found.type.required() == BOOLEAN:
        return context.formula(found, node.value), None
    if found.type.kind in (Kind.DATE, Kind.DATETIME):
        return None, context.formula(found, node.value)
    context.findings.error(
        "LM2001",
        f"a pause lasts until a condition, a date or an instant, found `{found.type.required()}`",
        node.value.span,
        help="write `for` and a span of time to pause so long",
    )
    return None, None


def within(context: Context, node: tree.WithinStatement) -> Within:
    """How long a wait lasts at most, and what happens then."""
    name = queue(context, node.queue, fallout=True) if node.queue is not None else ""
    return Within(limit=length(context, node.limit, "the time to wait"), otherwise=node.otherwise.value, queue=name)
