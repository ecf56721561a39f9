"""The syntax tree of a `.loom` file: one immutable node class per construct, each with its place in the source.

The tree says what was written, not what it means: names are not resolved, types not checked, statements kept in the
order of the source. A statement that may stand only once (`when`, `queue`, …) may stand here twice; the checks say so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from orderloom.models.catalog import Level, RelationKind, Scope
from orderloom.models.expression import BinaryOperator, Collection, Quantifier, UnaryOperator
from orderloom.models.rules import HitPolicy
from orderloom.models.source import Span
from orderloom.models.tasks import ErrorResponse, PointOfNoReturn, Reach, RetryKind, TaskKind
from orderloom.models.values import Period

# --- words ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name as written: where it is defined and wherever it is used."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DottedName:
    """`inventory.reserve_port`, `GponAccess.in_service`, or one bare name."""

    parts: tuple[Name, ...]
    span: Span

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string outside of expressions: a title, a message, a path. `value` has its escapes resolved."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A whole number outside of expressions; `value` may be negative only in `priority`."""

    value: int
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """An exact span of time outside of expressions: `10s`, `4h`."""

    value: timedelta
    span: Span


# --- expressions ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A constant: `true`, `12`, `1.5`, `"text"`, `2026-01-31`, `2026-01-31T12:00Z`, `4h`, `3 months`.

    The Python type of `value` says which; datetimes are in UTC.
    """

    value: bool | int | Decimal | str | date | datetime | timedelta | Period
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityLiteral:
    """`500 Mbps` (units of `models.values.UNITS`) or `5 unit "seats"` (any unit); the value is not converted."""

    value: int | Decimal
    unit: Text
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLiteral:
    """`[a, b, c]`."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """`speed`, `root.install`, `r.model`: an attribute, a built-in, an enum value or a variable."""

    parts: tuple[Name, ...]
    span: Span

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary:
    """`not a`, `-a`."""

    operator: UnaryOperator
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """`a and b`, `a == b`, `a + b`, …"""

    operator: BinaryOperator
    left: Expression
    right: Expression
    operator_span: Span
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """`a in (x, y)` and `a not in (x, y)`."""

    operand: Expression
    items: tuple[Expression, ...]
    negated: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """`a is present`, `a is absent`."""

    operand: Expression
    present: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """`a default b`."""

    operand: Expression
    fallback: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """`if a then b else c`."""

    condition: Expression
    then: Expression
    otherwise: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm of a `case`: `a, b: result`; a value is a `Literal`, a `QuantityLiteral` or a `Path` of one part."""

    values: tuple[Expression, ...]
    result: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`case subject { a, b: x … else: y }`."""

    subject: Expression
    arms: tuple[Arm, ...]
    otherwise: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`name(a, b)` of a function or a table; `name(a, b).column` picks one result column of a table."""

    name: Name
    arguments: tuple[Expression, ...]
    column: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantified:
    """`any lines of Router as r where …`, `count children`, `sum r.watts for lines of Router as r where …`."""

    quantifier: Quantifier
    collection: Collection
    #: None: any spec (`children` and `assets` only)
    spec: Name | None
    variable: Name | None
    where: Expression | None
    #: `sum` and `first` only
    value: Expression | None
    span: Span


Expression = (
    Literal
    | QuantityLiteral
    | ListLiteral
    | Path
    | Unary
    | Binary
    | Membership
    | Presence
    | Default
    | If
    | Case
    | Call
    | Quantified
)


# --- types and attributes ---------------------------------------------------------------------------------------------


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


# --- catalog ----------------------------------------------------------------------------------------------------------


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


# --- decomposition ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """`when condition`, in a rule or a task."""

    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityStatement:
    """`quantity expression`."""

    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityStatement:
    """`priority 10`."""

    value: Number
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingStatement:
    """`attribute = expression`."""

    attribute: Name
    value: Expression
    doc: str
    span: Span


RuleStatement = When | QuantityStatement | PriorityStatement | MappingStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class DecomposeDeclaration:
    """`decompose Source into Target "title" { statements }`, alone or in a group."""

    source: Name
    target: Name
    title: Text | None
    statements: tuple[RuleStatement, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DecomposeGroup:
    """`decompose first of "title" { Source into Target { … } … }`."""

    title: Text | None
    rules: tuple[DecomposeDeclaration, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDeclaration:
    """`speed Speed`, an input or result column of a table."""

    name: Name
    title: Text | None
    type: TypeExpression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyCell:
    """`any`."""

    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCell:
    """`a` or `a | b`."""

    values: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeCell:
    """`100..500` (both included), `>= 100`, `< 5`; None is unbounded."""

    low: Expression | None
    high: Expression | None
    low_included: bool
    high_included: bool
    span: Span


Cell = AnyCell | ValueCell | RangeCell


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDeclaration:
    """`mbps_100, gold: 120000`."""

    cells: tuple[Cell, ...]
    results: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDeclaration:
    """`table name (inputs) -> (results) policy { rows }` or `… policy from "tables/x.csv"`."""

    name: Name
    title: Text | None
    inputs: tuple[ColumnDeclaration, ...]
    results: tuple[ColumnDeclaration, ...]
    #: UNIQUE where none is written
    policy: HitPolicy
    #: path of the CSV file; None: the rows stand here
    source: Text | None
    rows: tuple[RowDeclaration, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectDeclaration:
    """`reject "message" on Spec when condition`."""

    message: Text
    spec: Name
    condition: Expression
    doc: str
    span: Span


# --- orchestration ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OncePer:
    """`once per bundle`, of a plan or a task."""

    reach: Reach
    span: Span


class DependencyReach(StrEnum):
    """How far `after Spec.task within …` looks."""

    LINE = "line"
    PARENT = "parent"
    BUNDLE = "bundle"
    ORDER = "order"
    RELATED_ORDER = "related order"


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyItem:
    """`reserve_port`, `port_id`, `GponAccess.in_service within bundle`, each optionally with `if condition`.

    One part: a task of the same plan or an attribute of its line. Two parts: a task of another spec's plan; only then
    there is a reach.
    """

    target: DottedName
    reach: DependencyReach | None
    condition: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterStatement:
    """`after a, b if condition`."""

    items: tuple[DependencyItem, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStatement:
    """`operation inventory.reserve_port`, in a call."""

    operation: DottedName
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatement:
    """`set port_id = response.port_id`."""

    attribute: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryStatement:
    """`retry none`, `retry fixed 3 times every 10s`, `retry exponential 5 times from 1s up to 10m jitter 20%`,
    `retry staggered 10s, 1m, 10m`, `retry forever every 1m`, in a call or an operation.
    """

    kind: RetryKind
    #: FIXED and EXPONENTIAL only
    times: Number | None
    #: FIXED, FOREVER: one; EXPONENTIAL: the first interval; STAGGERED: all of them
    intervals: tuple[TimeSpan, ...]
    #: EXPONENTIAL only
    cap: TimeSpan | None
    #: EXPONENTIAL only, in percent; 0 for none
    jitter: Number | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorStatement:
    """`on error "CODE" fallout queue`, `… retry`, `… complete`."""

    code: Text
    response: ErrorResponse
    #: FALLOUT only
    queue: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FalloutStatement:
    """`fallout noc`: the queue for failures that no route names."""

    queue: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatement:
    """`queue field_ops`, in a manual task."""

    queue: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTime:
    """`2 business days in office`, `4 business hours` or `4h`; exactly one is set."""

    business_days: int | None
    business_hours: int | None
    exact: timedelta | None
    #: of business days and hours
    calendar: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DueStatement:
    """`due 2 business days`, in a manual task."""

    due: DueTime
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectStatement:
    """`collect { ont_serial string required }`, in a manual task."""

    fields: tuple[AttributeDeclaration, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStatement:
    """`for event "ont.online" matching event.serial == ont_serial`, in a wait."""

    event: Text
    matching: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseForStatement:
    """`for 2h`, in a pause."""

    length: TimeSpan
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilStatement:
    """`until expression`: a condition in a wait; a condition, a date or an instant in a pause."""

    value: Expression
    span: Span


class TimeoutResponse(StrEnum):
    """What happens when a wait takes too long."""

    FALLOUT = "fallout"
    SKIP = "skip"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinStatement:
    """`within 4h else fallout noc`, `within 4h else skip`, `within 4h` (fallout in the default queue)."""

    limit: TimeSpan
    otherwise: TimeoutResponse
    #: FALLOUT only; None: the default queue
    queue: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatement:
    """`plan ActivateGpon`, in a subplan."""

    plan: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOperationStatement:
    """`undo inventory.release_port`."""

    operation: DottedName
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlanStatement:
    """`undo with ReleaseAll`."""

    plan: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendPlanStatement:
    """`amend with ChangeProfile`."""

    plan: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReturnStatement:
    """`no return soft "first month is charged" approval manager per bundle`."""

    kind: PointOfNoReturn
    consequence: Text | None
    approval: Name | None
    bundle: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationStatement:
    """`duration 5m`: how long the task usually takes."""

    length: DueTime
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLateStatement:
    """`start as late as possible`: at the calculated start."""

    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleStatement:
    """`visible "Your technician is booked"`: shown to customers as progress."""

    text: Text
    span: Span


TaskStatement = (
    When
    | AfterStatement
    | OncePer
    | OperationStatement
    | SetStatement
    | RetryStatement
    | ErrorStatement
    | FalloutStatement
    | QueueStatement
    | DueStatement
    | CollectStatement
    | EventStatement
    | PauseForStatement
    | UntilStatement
    | WithinStatement
    | PlanStatement
    | UndoOperationStatement
    | UndoPlanStatement
    | AmendPlanStatement
    | NoReturnStatement
    | DurationStatement
    | StartLateStatement
    | VisibleStatement
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDeclaration:
    """`call reserve_port "title" { statements }`. Any statement parses in any kind; the checks say what belongs."""

    kind: TaskKind
    name: Name
    title: Text | None
    statements: tuple[TaskStatement, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDeclaration:
    """`plan Name "title" for Spec on add, modify when condition once per bundle { tasks }`."""

    name: Name
    title: Text | None
    spec: Name
    #: as written, e.g. `add`, `noChange`; empty: only reached as a subplan, an undo plan or an amend plan
    actions: tuple[Name, ...]
    when: When | None
    once: OncePer | None
    tasks: tuple[TaskDeclaration, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignStatement:
    """`assign least_loaded`, `assign by_skill when condition`: how items of a queue find a person.

    `mode` is as written: `pull`, `round_robin`, `least_loaded`, `by_skill`.
    """

    mode: Name
    condition: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaStatement:
    """`sla 2 business days warn at 75%`."""

    due: DueTime
    #: in percent
    warn_at: Number | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateStatement:
    """`escalate to field_leads`."""

    queue: Name
    span: Span


QueueClause = AssignStatement | SlaStatement | EscalateStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDeclaration:
    """`queue field_ops "title" fallout { statements }`."""

    name: Name
    title: Text | None
    fallout: bool
    statements: tuple[QueueClause, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTrigger:
    """`when 5 failures of inventory within 10m`."""

    count: Number
    subject: DottedName
    window: TimeSpan
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchAction:
    """`hold inventory`, `notify noc`; the verb is as written."""

    verb: Name
    target: DottedName
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchResponse:
    """`do hold inventory, notify noc`."""

    actions: tuple[WatchAction, ...]
    span: Span


WatchStatement = WatchTrigger | WatchResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchDeclaration:
    """`watch name "title" { statements }`."""

    name: Name
    title: Text | None
    statements: tuple[WatchStatement, ...]
    doc: str
    span: Span


# --- integration ------------------------------------------------------------------------------------------------------


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


# --- files ------------------------------------------------------------------------------------------------------------

Declaration = (
    Import
    | EnumDeclaration
    | SpecDeclaration
    | DecomposeDeclaration
    | DecomposeGroup
    | TableDeclaration
    | RejectDeclaration
    | PlanDeclaration
    | QueueDeclaration
    | WatchDeclaration
    | ConnectorDeclaration
    | OperationDeclaration
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One `.loom` file."""

    path: str
    declarations: tuple[Declaration, ...]
    span: Span


Node = TypeVar("Node")


def of_kind(nodes: Iterable[object], kind: type[Node]) -> tuple[Node, ...]:
    """The nodes of one class, in order: `of_kind(task.statements, AfterStatement)`."""
    return tuple(node for node in nodes if isinstance(node, kind))
