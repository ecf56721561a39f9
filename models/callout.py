"""One call of an external system: what is sent, what came back, what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orderloom.models.values import Value


class Outcome(StrEnum):
    """What an answer means for the task that called."""

    #: done; the outputs hold
    COMPLETED = "completed"
    #: taken on; the result comes by callback
    ACCEPTED = "accepted"
    #: failed, may work another time
    RETRIABLE = "retriable"
    #: failed, will not work another time
    FATAL = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """A call to make. `context` is what its request template may use:

    `line`, `parent`, `root` (attributes by name and `id`, `action`, `spec`, `quantity`; absent ones are None),
    `order` (id, external_id, category, description, priority, requested_start, requested_completion, order_date,
    channel), `account` (id, name), `task` (id, name, attempt, key). A call that cancels another
    one also has `cancelled`: what `task` was in that one, and its outputs so far. Values are those of `models.values`.
    """

    #: stable across retries of the same request
    key: str
    operation: str
    #: from 1
    attempt: int
    context: Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What went over the wire in one attempt, with secrets masked, for the people who look into a failure."""

    request: str
    response: str
    #: protocol status, None where there was no answer
    status: int | None
    started: datetime
    #: milliseconds
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a call (or of a callback message)."""

    outcome: Outcome
    outputs: Mapping[str, Value] = field(default_factory=dict)
    #: error code of the external system, or one of: timeout, connection, status_NNN, bad_response, bad_request
    code: str = ""
    message: str = ""
    #: value of the operation's `correlate` output, for ACCEPTED
    correlation: str = ""
    #: the system asked for this pause before the next attempt, in seconds (Retry-After); 0 for none
    retry_after: float = 0
    exchange: Exchange | None = None
