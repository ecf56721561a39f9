"""Queues and watch rules."""

from __future__ import annotations

from dataclasses import dataclass

from orderloom.dsl.tree.expressions import Expression
from orderloom.dsl.tree.tasks import DueTime
from orderloom.dsl.tree.words import DottedName, Name, Number, Text, TimeSpan
from orderloom.models.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignStatement:
    """`assign least_loaded`, `assign by_skill fibre when condition`: how items of a queue find a person.

    `mode` is as written: `pull`, `round_robin`, `least_loaded`, `by_skill`.
    """

    mode: Name
    skills: tuple[Name, ...]
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
    """`escalate to field_leads after 4h`."""

    queue: Name
    #: how long after the breach
    after: DueTime | None
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
    """`when 5 failures of inventory with error "BUSY" within 10m per account`; event and key are as written."""

    count: Number
    event: Name
    subject: DottedName
    error: Text | None
    window: TimeSpan
    per: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchAction:
    """`hold inventory`, `notify noc`, `open work in noc "title"`; verb and target are as written."""

    verb: Name
    target: DottedName
    queue: Name | None
    title: Text | None
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
