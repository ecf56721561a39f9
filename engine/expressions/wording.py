"""Sub-expressions as a designer would write them, for explanations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from orderloom.engine.expressions.operations import text
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Call,
    Case,
    Collection,
    Default,
    Expression,
    If,
    Literal,
    Lookup,
    Membership,
    Presence,
    Quantified,
    Reference,
    Root,
    Unary,
    UnaryOperator,
    Variable,
)
from orderloom.models.values import Kind, Type, Value

_BINDING = {
    BinaryOperator.OR: 1,
    BinaryOperator.AND: 2,
    BinaryOperator.PLUS: 5,
    BinaryOperator.MINUS: 5,
    BinaryOperator.TIMES: 6,
    BinaryOperator.DIVIDE: 6,
}
_COMPARISON = 4
_HIGHEST = 9


def written(expression: Expression) -> str:
    """The expression in the language's notation."""
    return _written(expression)[0]


def references(expression: Expression) -> Iterator[Reference]:
    """All references in it, each once, in the order of reading."""
    seen: set[Reference] = set()
    for node in _nodes(expression):
        if isinstance(node, Reference) and node not in seen:
            seen.add(node)
            yield node


def reference_text(reference: Reference) -> str:
    return reference.name if reference.root is Root.LINE else f"{reference.root}.{reference.name}"


def value_text(value: Value, kind: Kind | None = None) -> str:
    """A value as written in a design; `absent` for None."""
    if value is None:
        return "absent"
    if isinstance(value, tuple):
        return f"[{', '.join(value_text(item) for item in value)}]"
    if isinstance(value, str) and kind is Kind.STRING:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return text(value) or ""


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    if isinstance(node, tuple):
        for item in node:
            yield from _nodes(item)
    elif is_dataclass(node) and not isinstance(node, Type):
        for each in fields(node):
            yield from _nodes(getattr(node, each.name))


def _inner(expression: Expression, least: int) -> str:
    words, binding = _written(expression)
    return words if binding >= least else f"({words})"


def _values(values: tuple[Value, ...], kind: Kind) -> str:
    return ", ".join(value_text(value, kind) for value in values)


def _written(expression: Expression) -> tuple[str, int]:
    """The words, and how tightly they bind."""
    match expression:
        case Literal(value, type):
            return value_text(value, type.kind), _HIGHEST
        case Reference():
            return reference_text(expression), _HIGHEST
        case Variable(variable, name):
            return f"{variable}.{name}", _HIGHEST
        case Unary(UnaryOperator.NOT, operand):
            return f"not {_inner(operand, 3)}", 3
        case Unary(_, operand):
            return f"-{_inner(operand, 7)}", 7
        case Binary(operator, left, right):
            binding = _BINDING.get(operator, _COMPARISON)
            return f"{_inner(left, binding)} {operator} {_inner(right, binding + 1)}", binding
        case Membership(operand, values):
            return f"{_inner(operand, 5)} in ({_values(values, operand.type.kind)})", _COMPARISON
        case Presence(operand, present):
            return f"{_inner(operand, 5)} is {'present' if present else 'absent'}", _COMPARISON
        case Default(operand, fallback):
            return f"{_inner(operand, 7)} default {_inner(fallback, 8)}", 7
        case If(condition, then, otherwise):
            return f"if {written(condition)} then {written(then)} else {written(otherwise)}", 0
        case Case(subject, arms, otherwise):
            kind = subject.type.kind
            parts = [f"{_values(arm.values, kind)}: {written(arm.result)}" for arm in arms]
            parts += [f"else: {written(otherwise)}"] if otherwise else []
            return f"case {written(subject)} {{ {'  '.join(parts)} }}", _HIGHEST
        case Lookup(name, arguments) | Call(name, arguments):
            return f"{name}({', '.join(written(argument) for argument in arguments)})", _HIGHEST
        case Quantified():
            return _quantified(expression), 0


def _quantified(node: Quantified) -> str:
    collection = str(node.collection)
    if node.spec:
        collection += f" of {node.spec}"
    elif node.collection is Collection.LINES:
        collection = "lines"
    value = f" {written(node.value)} for" if node.value else ""
    where = f" where {written(node.where)}" if node.where else ""
    return f"{node.quantifier}{value} {node.variable} in {collection}{where}"
