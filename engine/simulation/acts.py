"""What people do to an order at given times, told by the names that a scenario uses; each gives the event it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orderloom.engine.advance import Refused
from orderloom.engine.simulation.naming import lines_named, tasks_named
from orderloom.models.callout import Outcome
from orderloom.models.inventory import Inventory
from orderloom.models.journal import (
    CallbackReceived,
    ChangeRequest,
    Event,
    FalloutAction,
    FalloutResolved,
    LineCorrected,
    WorkCompleted,
)
from orderloom.models.plan import OrderState, TaskState
from orderloom.models.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve:
    """Decides over the first task of this name that lies in fallout."""

    task: str
    action: FalloutAction
    outputs: Mapping[str, Value] = field(default_factory=dict)
    by: str = "somebody"
    reason: str = ""

    def __call__(self, state: OrderState, inventory: Inventory) -> Event:
        found = [each for each in tasks_named(state, self.task) if each.state is TaskState.FALLOUT]
        if not found:
            raise Refused(f"no task `{self.task}` is in fallout")
        return FalloutResolved(
            task=found[0].id, action=self.action, by=self.by, reason=self.reason, outputs=self.outputs
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct:
    """Corrects attributes of the first line of this spec or id."""

    line: str
    values: Mapping[str, Value]
    by: str = "somebody"
    reason: str = ""

    def __call__(self, state: OrderState, inventory: Inventory) -> Event:
        found = lines_named(state, self.line)
        if not found:
            raise Refused(f"no line is called `{self.line}`")
        return LineCorrected(line=found[0].id, values=self.values, by=self.by, reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Does the first open manual task of this name."""

    task: str
    values: Mapping[str, Value]
    by: str = "somebody"

    def __call__(self, state: OrderState, inventory: Inventory) -> Event:
        found = [each for each in tasks_named(state, self.task) if each.state is TaskState.WAITING]
        if not found:
            raise Refused(f"no task `{self.task}` waits for a person")
        return WorkCompleted(task=found[0].id, by=self.by, values=self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBack:
    """A callback for the first task of this name, at the time when the message comes, whether or not it is awaited."""

    task: str
    outcome: Outcome = Outcome.COMPLETED
    outputs: Mapping[str, Value] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    #: the attempt that awaited it when it was routed, 0 for whichever there is
    attempt: int = 0

    def __call__(self, state: OrderState, inventory: Inventory) -> Event:
        found = tasks_named(state, self.task)
        if not found:
            raise Refused(f"no task is called `{self.task}`")
        waiting = [each for each in found if each.state is TaskState.WAITING]
        return CallbackReceived(
            task=(waiting or found)[0].id,
            outcome=self.outcome,
            outputs=self.outputs,
            code=self.code,
            message=self.message,
            attempt=self.attempt,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """Amends, cancels or migrates; the request's inventory is that of the moment, whatever it holds. The digest of a
    migration is looked up in `Script.versions`."""

    request: ChangeRequest

    def __call__(self, state: OrderState, inventory: Inventory) -> Event:
        return replace(self.request, inventory=inventory)
