"""The past of an order, made again from its journal: same design, order and events in, same bytes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from orderloom.engine.advance import advance
from orderloom.engine.program import Program
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState
from orderloom.runtime.store.codec import dumps, loads
from orderloom.runtime.store.event_codec import entries_bytes
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.order_codec import state_bytes
from orderloom.runtime.store.views import JournalRecord
from orderloom.runtime.worker.advancing import design_for

#: journal records read at a time
_PAGE = 1000
#: differences told of one replay
_TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where a replay came to something else than what the store holds."""

    #: number of the event after which it was seen
    version: int
    #: `journal`, `order`, `task ID`, `line ID`, …
    where: str
    stored: str
    replayed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What replaying an order from its first event on has found."""

    order: str
    #: number of events
    events: int
    #: SHA-256 over the bytes of the state that the replay came to, as hex
    digest: str
    #: empty where journal and state are the same, byte for byte
    differences: tuple[Difference, ...]


def state_at(store: Store, programs: Callable[[str], Program], order: str, at: datetime) -> OrderState:
    """The state of the order at that instant, all events of that instant included. Raises NotFound."""
    first, design, _submitted_at = store.origin(order)
    state = _begun(first, design)
    for record in _journal(store, order):
        if record.at > at:
            break
        advance(programs(design_for(state, record.event)), state, record.event, record.at)
    return state


def replayed(store: Store, programs: Callable[[str], Program], order: str) -> Replayed:
    """Replays the whole journal and compares each step's entries, and at the end the state. Raises NotFound."""
    first, design, _submitted_at = store.origin(order)
    # read before the journal: what comes in between is in the journal only
    stored = store.state(order)
    state = _begun(first, design)
    found: list[Difference] = []
    for record in _journal(store, order):
        if record.version > stored.version:
            break
        step = advance(programs(design_for(state, record.event)), state, record.event, record.at)
        wanted, made = entries_bytes(record.entries), entries_bytes(step.entries)
        if wanted != made:
            found.append(
                Difference(version=record.version, where="journal", stored=wanted.decode(), replayed=made.decode())
            )
    found += _differences(state_bytes(stored), state_bytes(state), stored.version)
    return Replayed(
        order=order,
        events=state.version,
        digest=hashlib.sha256(state_bytes(state)).hexdigest(),
        differences=tuple(found[:_TOLD]),
    )


def _begun(order: ProductOrder, design: str) -> OrderState:
    return OrderState(order=order, design=design)


def _journal(store: Store, order: str) -> Iterator[JournalRecord]:
    version = 0
    while page := store.journal(order, version, _PAGE):
        yield from page
        version = page[-1].version


def _differences(stored: bytes, made: bytes, version: int) -> Iterator[Difference]:
    if stored == made:
        return
    left, right = loads(stored), loads(made)
    for name in left:
        if left[name] == right[name]:
            continue
        if not isinstance(left[name], list):
            yield _difference(version, name, left[name], right[name])
            continue
        one, other = dict(left[name]), dict(right[name])
        for id in dict.fromkeys((*one, *other)):
            if one.get(id) != other.get(id):
                yield _difference(version, f"{name.removesuffix('s')} {id}", one.get(id), other.get(id))
        if list(one) != list(other):
            yield _difference(version, f"order of {name}", list(one), list(other))


def _difference(version: int, where: str, stored: object, made: object) -> Difference:
    return Difference(version=version, where=where, stored=_text(stored), replayed=_text(made))


def _text(found: object) -> str:
    return found if isinstance(found, str) else dumps(found).decode()
