"""Imports, enums, products, services and resources."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orderloom.dsl.tree.attributes import AttributeDeclaration
from orderloom.dsl.tree.expressions import Expression, Literal
from orderloom.dsl.tree.words import Name, Text
from orderloom.models.catalog import Level, RelationKind, Scope
from orderloom.models.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """`import "../common"`."""

    path: Text
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumValue:
    name: Name
    title: Text | None
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EnumDeclaration:
    """`enum Speed "title" { mbps_100 mbps_500 }`."""

    name: Name
    title: Text | None
    values: tuple[EnumValue, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeClause:
    """`one per bundle`, `one per key(site)`."""

    scope: Scope
    #: scope KEY only
    key: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendsClause:
    """`extends TelephonyLine`."""

    spec: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FacingClause:
    """`customer_facing` or `resource_facing`, of a service."""

    level: Level
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionClause:
    """`version "1.2" valid from 2026-01-01 until 2026-12-31`."""

    version: Text
    valid_from: Literal | None
    valid_until: Literal | None
    span: Span


SpecClause = ScopeClause | ExtendsClause | FacingClause | VersionClause


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainsStatement:
    """`contains Router 1..1`; without a cardinality exactly one."""

    spec: Name
    least: int
    #: None: any number (`0..*`)
    most: int | None
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationStatement:
    """`relies on X`, `requires X`, `excludes X`."""

    kind: RelationKind
    spec: Name
    doc: str
    span: Span


SpecStatement = AttributeDeclaration | ContainsStatement | RelationStatement


class SpecKeyword(StrEnum):
    PRODUCT = "product"
    SERVICE = "service"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecDeclaration:
    """`product|service|resource Name "title" clauses { statements }`."""

    keyword: SpecKeyword
    name: Name
    title: Text | None
    clauses: tuple[SpecClause, ...]
    statements: tuple[SpecStatement, ...]
    doc: str
    span: Span
