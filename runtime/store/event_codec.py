"""Events, journal entries and callouts as JSON and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orderloom.models.callout import Callout, Exchange, Outcome
from orderloom.models.inventory import Inventory
from orderloom.models.journal import (
    CallbackReceived,
    CalloutAnswered,
    CalloutHeld,
    CalloutReleased,
    Entry,
    EntryKind,
    Event,
    EventArrived,
    FalloutAction,
    FalloutResolved,
    LineCorrected,
    OrderHeld,
    OrderReleased,
    Submitted,
    TimerFired,
    TimerKind,
    WorkCompleted,
)
from orderloom.models.values import Value
from orderloom.runtime.store.codec import (
    dumps,
    instant,
    loads,
    maybe_instant,
    micros,
    unpack_values,
)
from orderloom.runtime.store.records import Submission
from orderloom.runtime.store.state_codec import asset_of, packed_asset

Found = dict[str, Any]


def _submission(_event: Submission) -> Found:
    return {}


def _submitted(event: Submitted) -> Found:
    assets = [packed_asset(asset) for asset in event.inventory.assets.values()]
    return {"assets": assets, "at": micros(event.inventory.at)}


def _timer(event: TimerFired) -> Found:
    return {"task": event.task, "timer": event.kind.value, "attempt": event.attempt}


def _answered(event: CalloutAnswered) -> Found:
    found: Found = {"task": event.task, "attempt": event.attempt, "outcome": event.outcome._value_}
    if event.outputs:
        found["outputs"] = event.outputs
    if event.code:
        found["code"] = event.code
    if event.message:
        found["message"] = event.message
    if event.correlation:
        found["correlation"] = event.correlation
    if event.retry_after:
        found["retry_after"] = event.retry_after
    return found


def _held(event: CalloutHeld) -> Found:
    return {"task": event.task, "attempt": event.attempt, "reason": event.reason}


def _released(event: CalloutReleased) -> Found:
    return {"task": event.task, "attempt": event.attempt}


def _callback(event: CallbackReceived) -> Found:
    return {
        "task": event.task,
        "outcome": event.outcome._value_,
        "outputs": event.outputs,
        "code": event.code,
        "message": event.message,
    }


def _arrived(event: EventArrived) -> Found:
    return {"task": event.task, "event": event.event, "payload": dict(event.payload)}


def _work(event: WorkCompleted) -> Found:
    return {"task": event.task, "by": event.by, "values": event.values}


def _fallout(event: FalloutResolved) -> Found:
    return {
        "task": event.task,
        "action": event.action.value,
        "by": event.by,
        "reason": event.reason,
        "outputs": event.outputs,
    }


def _corrected(event: LineCorrected) -> Found:
    return {"line": event.line, "values": event.values, "by": event.by, "reason": event.reason}


def _by(event: OrderHeld | OrderReleased) -> Found:
    return {"by": event.by, "reason": event.reason}


_WRITERS: dict[type, tuple[str, Callable[[Any], Found]]] = {
    Submission: ("submission", _submission),
    Submitted: ("submitted", _submitted),
    TimerFired: ("timer", _timer),
    CalloutAnswered: ("answered", _answered),
    CalloutHeld: ("held", _held),
    CalloutReleased: ("released", _released),
    CallbackReceived: ("callback", _callback),
    EventArrived: ("arrived", _arrived),
    WorkCompleted: ("work", _work),
    FalloutResolved: ("fallout", _fallout),
    LineCorrected: ("corrected", _corrected),
    OrderHeld: ("hold", _by),
    OrderReleased: ("release", _by),
}


def event_bytes(event: Event | Submission) -> bytes:
    name, writer = _WRITERS[type(event)]
    found = writer(event)
    found["kind"] = name
    return dumps(found)


def event_kind(event: Event | Submission) -> str:
    """The name it is stored under."""
    return _WRITERS[type(event)][0]


def _inventory(found: Found) -> Inventory:
    assets = (asset_of(asset) for asset in found["assets"])
    return Inventory(assets={asset.id: asset for asset in assets}, at=maybe_instant(found["at"]))


_READERS: dict[str, Callable[[Found], Event | Submission]] = {
    "submission": lambda found: Submission(),
    "submitted": lambda found: Submitted(inventory=_inventory(found)),
    "timer": lambda found: TimerFired(task=found["task"], kind=TimerKind(found["timer"]), attempt=found["attempt"]),
    "answered": lambda found: CalloutAnswered(
        task=found["task"],
        attempt=found["attempt"],
        outcome=Outcome(found["outcome"]),
        outputs=unpack_values(found.get("outputs", {})),
        code=found.get("code", ""),
        message=found.get("message", ""),
        correlation=found.get("correlation", ""),
        retry_after=found.get("retry_after", 0),
    ),
    "held": lambda found: CalloutHeld(task=found["task"], attempt=found["attempt"], reason=found["reason"]),
    "released": lambda found: CalloutReleased(task=found["task"], attempt=found["attempt"]),
    "callback": lambda found: CallbackReceived(
        task=found["task"],
        outcome=Outcome(found["outcome"]),
        outputs=unpack_values(found["outputs"]),
        code=found["code"],
        message=found["message"],
    ),
    "arrived": lambda found: EventArrived(task=found["task"], event=found["event"], payload=found["payload"]),
    "work": lambda found: WorkCompleted(task=found["task"], by=found["by"], values=unpack_values(found["values"])),
    "fallout": lambda found: FalloutResolved(
        task=found["task"],
        action=FalloutAction(found["action"]),
        by=found["by"],
        reason=found["reason"],
        outputs=unpack_values(found["outputs"]),
    ),
    "corrected": lambda found: LineCorrected(
        line=found["line"], values=unpack_values(found["values"]), by=found["by"], reason=found["reason"]
    ),
    "hold": lambda found: OrderHeld(by=found["by"], reason=found["reason"]),
    "release": lambda found: OrderReleased(by=found["by"], reason=found["reason"]),
}


def event_from(data: bytes) -> Event | Submission:
    found = loads(data)
    return _READERS[found["kind"]](found)


def journal_event(data: bytes) -> Event:
    """An event of the journal, where no submission stands: it became `Submitted`."""
    event = event_from(data)
    if isinstance(event, Submission):
        raise ValueError("a submission is not an event of the journal")
    return event


# --- entries ---------------------------------------------------------------------------------------------------------

_ENTRY_KINDS = {str(kind): kind for kind in EntryKind}


def entries_bytes(entries: tuple[Entry, ...]) -> bytes:
    return dumps([(entry.kind._value_, entry.subject, entry.data) for entry in entries])


def entries_from(data: bytes) -> tuple[Entry, ...]:
    return tuple(Entry(_ENTRY_KINDS[kind], subject, details) for kind, subject, details in loads(data))


# --- callouts --------------------------------------------------------------------------------------------------------


def context_bytes(context: Mapping[str, Mapping[str, Value]]) -> bytes:
    return dumps(context)


def callout_from(key: str, operation: str, attempt: int, context: bytes) -> Callout:
    found = loads(context)
    return Callout(
        key=key,
        operation=operation,
        attempt=attempt,
        context={part: unpack_values(values) for part, values in found.items()},
    )


def exchange_bytes(exchange: Exchange) -> bytes:
    return dumps(
        {
            "request": exchange.request,
            "response": exchange.response,
            "status": exchange.status,
            "started": micros(exchange.started),
            "duration": exchange.duration,
        }
    )


def exchange_from(data: bytes) -> Exchange:
    found = loads(data)
    return Exchange(
        request=found["request"],
        response=found["response"],
        status=found["status"],
        started=instant(found["started"]),
        duration=found["duration"],
    )
