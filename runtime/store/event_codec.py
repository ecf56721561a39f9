"""Events, journal entries and callouts as JSON and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orderloom.models.callout import Callout, Exchange, Outcome
from orderloom.models.inventory import Inventory
from orderloom.models.journal import (
    AmendmentRequested,
    CallbackReceived,
    CalloutAnswered,
    CalloutHeld,
    CalloutReleased,
    CancellationRequested,
    ChangeRequest,
    Entry,
    EntryKind,
    Event,
    EventArrived,
    FalloutAction,
    FalloutResolved,
    InformationRequired,
    LineCorrected,
    MigrationRequested,
    OrderDeferred,
    OrderHeld,
    OrderReleased,
    PriorityRaised,
    RelatedOrdersWaived,
    RelatedTaskEnded,
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
from orderloom.runtime.store.state_codec import asset_of, order_of, packed_asset, packed_order

Found = dict[str, Any]


def _submission(event: Submission) -> Found:
    if not event.by:
        return {}
    found: Found = {"by": event.by, "reason": event.reason}
    return {**found, "force": True} if event.force else found


def _submitted(event: Submitted) -> Found:
    found = _held_by(event.inventory)
    if event.by:
        found |= {"by": event.by, "reason": event.reason}
    return found


def _held_by(inventory: Inventory) -> Found:
    assets = [packed_asset(asset) for asset in inventory.assets.values()]
    return {"assets": assets, "at": micros(inventory.at)}


def _deferred(event: OrderDeferred) -> Found:
    return {"reasons": event.reasons}


def _related(event: RelatedTaskEnded) -> Found:
    found: Found = {"order": event.order, "task": event.task}
    return {**found, "problem": event.problem} if event.problem else found


def _amendment(event: AmendmentRequested) -> Found:
    return {"order": packed_order(event.order), **_request(event)}


def _cancellation(event: CancellationRequested) -> Found:
    return {"items": event.items, **_request(event)}


def _migration(event: MigrationRequested) -> Found:
    return {"design": event.design, **_request(event)}


def _request(event: ChangeRequest) -> Found:
    found: Found = {"inventory": _held_by(event.inventory), "by": event.by, "reason": event.reason}
    if event.accept:
        found["accept"] = True
    if event.roles:
        found["roles"] = event.roles
    if event.force:
        found["force"] = True
    return found


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
        "attempt": event.attempt,
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


def _wanted(event: InformationRequired) -> Found:
    return {"task": event.task, "attributes": event.attributes, "by": event.by, "text": event.text}


def _corrected(event: LineCorrected) -> Found:
    return {"line": event.line, "values": event.values, "by": event.by, "reason": event.reason}


def _by(event: OrderHeld | OrderReleased | PriorityRaised | RelatedOrdersWaived) -> Found:
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
    InformationRequired: ("wanted", _wanted),
    LineCorrected: ("corrected", _corrected),
    OrderHeld: ("hold", _by),
    PriorityRaised: ("priority", _by),
    OrderReleased: ("release", _by),
    OrderDeferred: ("deferred", _deferred),
    RelatedTaskEnded: ("related", _related),
    RelatedOrdersWaived: ("waived", _by),
    AmendmentRequested: ("amend", _amendment),
    CancellationRequested: ("cancel", _cancellation),
    MigrationRequested: ("migrate", _migration),
}


def packed_event(event: Event | Submission) -> Found:
    name, writer = _WRITERS[type(event)]
    found = writer(event)
    found["kind"] = name
    return found


def event_bytes(event: Event | Submission) -> bytes:
    return dumps(packed_event(event))


def _inventory(found: Found) -> Inventory:
    assets = (asset_of(asset) for asset in found["assets"])
    return Inventory(assets={asset.id: asset for asset in assets}, at=maybe_instant(found["at"]))


def _common(found: Found) -> dict[str, Any]:
    """The fields that all requests for a change have."""
    return {
        "inventory": _inventory(found["inventory"]),
        "by": found["by"],
        "reason": found["reason"],
        "accept": found.get("accept", False),
        "roles": tuple(found.get("roles", ())),
        "force": found.get("force", False),
    }


_READERS: dict[str, Callable[[Found], Event | Submission]] = {
    "submission": lambda found: Submission(
        by=found.get("by", ""), reason=found.get("reason", ""), force=found.get("force", False)
    ),
    "submitted": lambda found: Submitted(
        inventory=_inventory(found), by=found.get("by", ""), reason=found.get("reason", "")
    ),
    "deferred": lambda found: OrderDeferred(reasons=tuple(found["reasons"])),
    "related": lambda found: RelatedTaskEnded(
        order=found["order"], task=found["task"], problem=found.get("problem", "")
    ),
    "waived": lambda found: RelatedOrdersWaived(by=found["by"], reason=found["reason"]),
    "amend": lambda found: AmendmentRequested(order=order_of(found["order"]), **_common(found)),
    "cancel": lambda found: CancellationRequested(items=tuple(found["items"]), **_common(found)),
    "migrate": lambda found: MigrationRequested(design=found["design"], **_common(found)),
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
        attempt=found.get("attempt", 0),
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
    "wanted": lambda found: InformationRequired(
        task=found["task"], attributes=tuple(found["attributes"]), by=found["by"], text=found["text"]
    ),
    "corrected": lambda found: LineCorrected(
        line=found["line"], values=unpack_values(found["values"]), by=found["by"], reason=found["reason"]
    ),
    "hold": lambda found: OrderHeld(by=found["by"], reason=found["reason"]),
    "priority": lambda found: PriorityRaised(by=found["by"], reason=found["reason"]),
    "release": lambda found: OrderReleased(by=found["by"], reason=found["reason"]),
}


def event_of(found: Found) -> Event | Submission:
    return _READERS[found["kind"]](found)


def event_from(data: bytes) -> Event | Submission:
    return event_of(loads(data))


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
