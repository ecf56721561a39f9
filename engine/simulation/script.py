"""What the systems and the people of a simulated order do: answers, callbacks, events, work, decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.conversion import Json
from orderloom.models.inventory import Inventory
from orderloom.models.journal import Event, FalloutAction, SendCallout
from orderloom.models.plan import OrderState
from orderloom.models.values import Value

#: an event, or what makes it from the order and its account's inventory once its time has come; raises Refused
Happening = Event | Callable[[OrderState, Inventory], Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a system answers to a callout, or sends back later; fields as in `Answer`."""

    outcome: Outcome = Outcome.COMPLETED
    outputs: Mapping[str, Value] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    #: seconds, see `Answer.retry_after`
    retry_after: float = 0
    #: time from the call to the answer, from the answer to the callback
    latency: timedelta = timedelta(milliseconds=100)
    #: for ACCEPTED: the result that comes later; None: it never comes
    callback: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """How a manual task is done. Fields of the form without a value here get a plausible one."""

    after: timedelta = timedelta(hours=1)
    values: Mapping[str, Value] = field(default_factory=dict)
    by: str = "somebody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person does about a task in fallout."""

    action: FalloutAction
    after: timedelta = timedelta(hours=1)
    #: attributes of the task's line to correct first
    correct: Mapping[str, Value] = field(default_factory=dict)
    #: for COMPLETE
    outputs: Mapping[str, Value] = field(default_factory=dict)
    by: str = "somebody"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event from outside, so long after the order was submitted."""

    event: str
    payload: Mapping[str, Json] = field(default_factory=dict)
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """When tasks of a related order are done, so long after this order was submitted."""

    #: as the order calls it
    order: str
    #: id of the task definition
    task: str
    after: timedelta
    #: why they will never be done, as told then; "" where they are
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Everything that happens to an order from outside. The empty script is a day on which all goes well.

    Tasks are named by id, by definition (`Plan.task`) or by plain name; the most exact entry counts.
    """

    #: by operation: used one after the other, the last one again and again
    replies: Mapping[str, tuple[Reply, ...]] = field(default_factory=dict)
    #: asked before `replies` with the callout and how often its operation was called before; None: not its affair
    answer: Callable[[SendCallout, int], Reply | None] | None = None
    #: by task; None: nobody does it
    people: Mapping[str, Person | None] = field(default_factory=dict)
    #: for manual tasks not named above; None: nobody does them
    anyone: Person | None = field(default_factory=Person)
    #: by task: one after the other; when used up the task stays in fallout
    decisions: Mapping[str, tuple[Decision, ...]] = field(default_factory=dict)
    events: tuple[Delivery, ...] = ()
    #: events that the script does not name arrive, matching, so long after a task waits for them; None: never
    spontaneous: timedelta | None = timedelta(minutes=1)
    #: what is done in related orders; what is not named never is. None: all of it, a minute after it is asked for
    elsewhere: tuple[Elsewhere, ...] | None = None
    #: related orders as they ended, by what the order calls them; they count before `elsewhere`
    others: Mapping[str, OrderState] = field(default_factory=dict)
    #: anything else, so long after the order was submitted: holds, releases, corrections, changes, stale messages
    interventions: tuple[tuple[timedelta, Happening], ...] = ()
    #: by digest: the designs that migrations go to
    versions: Mapping[str, Program] = field(default_factory=dict)
    #: the order is looked at so long after it was submitted, once everything of that instant has happened
    looks: tuple[timedelta, ...] = ()


def entry(table: Mapping[str, object], task: str, definition: str) -> str | None:
    """The key of a table by task under which this task stands, None for none."""
    return next((key for key in (task, definition, definition.rpartition(".")[2]) if key in table), None)
