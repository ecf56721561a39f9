"""Connectors and operations."""

from __future__ import annotations

from dataclasses import dataclass

from orderloom.dsl.tree.attributes import AttributeDeclaration
from orderloom.dsl.tree.expressions import Literal, Unary
from orderloom.dsl.tree.tasks import RetryStatement
from orderloom.dsl.tree.words import DottedName, Name, Number, Text, TimeSpan
from orderloom.models.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingReference:
    """`setting inventory_url`."""

    name: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReference:
    """`secret inventory_token`."""

    name: Name
    span: Span


#: the constant is a `Literal`, or a `Unary` minus over one
OptionValue = Literal | Unary | SettingReference | SecretReference


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionStatement:
    """`base_url setting inventory_url`."""

    name: Name
    value: OptionValue
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthOption:
    """`user setting u`; without a name in `auth bearer secret t`, where it is the token."""

    name: Name | None
    value: OptionValue
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthStatement:
    """`auth basic user setting u password secret p`."""

    #: as written: none, basic, bearer, apikey, oauth2, mtls
    kind: Name
    options: tuple[AuthOption, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStatement:
    """`limit 8 at once, 50 per second`; at least one is set."""

    concurrent: Number | None
    per_second: Number | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerStatement:
    """`breaker open after 5 failures for 30s`."""

    failures: Number
    pause: TimeSpan
    span: Span


ConnectorStatement = OptionStatement | AuthStatement | LimitStatement | BreakerStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorDeclaration:
    """`connector inventory "title" http { statements }`."""

    name: Name
    title: Text | None
    kind: Name
    statements: tuple[ConnectorStatement, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStatement:
    """`request "templates/reserve_port.http.j2"`."""

    path: Text
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseStatement:
    """`response "templates/reserve_port.yaml.j2"`."""

    path: Text
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutStatement:
    """`timeout 10s`."""

    limit: TimeSpan
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOnStatement:
    """`retry on 429, 5xx, timeout, connection`."""

    #: inclusive ranges: 429 is (429, 429), 5xx is (500, 599)
    statuses: tuple[tuple[int, int], ...]
    timeout: bool
    connection: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStatement:
    """`output port_id string required`."""

    attribute: AttributeDeclaration
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStatement:
    """`callback correlate reservation_id within 4h with response "templates/reserved.yaml.j2"`."""

    correlate: Name
    within: TimeSpan
    response: Text | None
    span: Span


OperationClause = (
    RequestStatement
    | ResponseStatement
    | TimeoutStatement
    | RetryOnStatement
    | RetryStatement
    | OutputStatement
    | CallbackStatement
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationDeclaration:
    """`operation inventory.reserve_port "title" { statements }`."""

    name: DottedName
    title: Text | None
    statements: tuple[OperationClause, ...]
    doc: str
    span: Span
