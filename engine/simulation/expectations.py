"""What a scenario expects, as data. A `place` says where the expectation is written, e.g. `busy.yaml:12`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from orderloom.models.jeopardy import Jeopardy
from orderloom.models.order import OrderStatus
from orderloom.models.values import Value


class Subject(StrEnum):
    """Which rows an expectation is about."""

    LINE = "line"
    TASK = "task"
    ASSET = "inventory item"


#: fields of rows that can be expected, beside the attributes of lines and inventory items
FIELDS: Mapping[Subject, tuple[str, ...]] = {
    Subject.LINE: ("action", "quantity", "state", "missing", "sources", "jeopardy"),
    Subject.TASK: (
        "state",
        "attempts",
        "attempted",
        "code",
        "message",
        "queue",
        "by",
        "after",
        "before",
        "started",
        "finished",
        "due",
        "jeopardy",
    ),
    Subject.ASSET: ("state", "quantity", "users"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is expected of one line, task or inventory item; what is not named is not looked at."""

    place: str
    fields: Mapping[str, object] = field(default_factory=dict)
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsExpected:
    """Rows by name: these, in this order, and no others; none at all where `rows` is empty."""

    place: str
    subject: Subject
    name: str
    rows: tuple[Row, ...]
    #: how many there are, all like the one row; None: as many as `rows` has
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusExpected:
    place: str
    status: OrderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class JeopardyExpected:
    """The colour of the order."""

    place: str
    jeopardy: Jeopardy


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionExpected:
    """When the order is expected to be completed, as time since the submission."""

    place: str
    span: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonsExpected:
    """Each text is part of a reason for which the order was rejected or failed."""

    place: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsExpected:
    place: str
    operation: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalloutsExpected:
    """All callouts, in the order in which they were made."""

    place: str
    operations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalExpected:
    """Each text is part of the journal, as `wording.entry_text` tells it."""

    place: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedExpected:
    """What was refused, in its order; each text is part of the words. Whatever else is refused is a finding."""

    place: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedExpected:
    """The milestones that the customer was told of, in their order."""

    place: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TookExpected:
    """Time from the submission to the last thing that happened, to the second."""

    place: str
    span: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeExpected:
    """What one amendment, cancellation or migration did; that its dry run told the same is looked at always."""

    place: str
    #: which of the order's changes, from 0
    number: int
    #: task or line by name -> verdict, as in `models.change`; what is not named is not looked at
    tasks: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)
    #: parts of the words for consequences and for why it is refused; None: not looked at
    consequences: tuple[str, ...] | None = None
    reasons: tuple[str, ...] | None = None


#: what can be asked of a state; the others are about the whole run
OfState = RowsExpected | StatusExpected | ReasonsExpected | JeopardyExpected | CompletionExpected


@dataclass(frozen=True, slots=True, kw_only=True)
class AtExpected:
    """What holds so long after the submission."""

    place: str
    after: timedelta
    expectations: tuple[OfState, ...]


Expectation = (
    OfState
    | CallsExpected
    | CalloutsExpected
    | JournalExpected
    | RefusedExpected
    | PublishedExpected
    | TookExpected
    | ChangeExpected
    | AtExpected
)
