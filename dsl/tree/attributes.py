"""Types and attributes."""

from __future__ import annotations

from dataclasses import dataclass

from orderloom.dsl.tree.expressions import Expression
from orderloom.dsl.tree.words import Name, Text
from orderloom.models.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedType:
    """`integer unit "Mbps"`, `Speed?`: a built-in type or an enum."""

    name: Name
    unit: Text | None
    optional: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ListType:
    """`list of string`, `(list of string)?`."""

    item: TypeExpression
    optional: bool
    span: Span


TypeExpression = NamedType | ListType


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeDeclaration:
    """`name "title" type required = default`: an attribute of a spec, a field of a form, an output of an operation."""

    name: Name
    title: Text | None
    type: TypeExpression
    required: bool
    default: Expression | None
    doc: str
    span: Span
