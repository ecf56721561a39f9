"""The worker's part of bulk interventions: sends what is due, and looks at what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from orderloom.runtime.bulk.asking import NotAskable, events_for, rule_for
from orderloom.runtime.deployment import Library
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.bulk_records import BulkAction, BulkState, BulkView, Sending, Target
from orderloom.runtime.store.interface import Store

#: sent in one transaction at most; fewer where each needs its order
_CHUNK, _SMALL_CHUNK = 200, 20
#: what may be caught up of a pace after the worker was busy
_BURST = timedelta(milliseconds=250)
_NEEDS_ORDER = frozenset((BulkAction.COMPLETE, BulkAction.CORRECT, BulkAction.HAND_OVER))


class BulkDuty:
    """All that it knows are rows: it goes on where the last worker ended, wherever that was."""

    def __init__(self, store: Store, library: Library) -> None:
        self._store = store
        self._library = library
        #: where to go on looking at those that await a message, by bulk
        self._looked: dict[int, int] = {}
        self._due: datetime | None = None

    @property
    def busy(self) -> bool:
        return False

    def attend(self, now: datetime) -> bool:
        self._due = None
        done = self._store.classify() > 0
        if not self._store.has_open_bulks():
            return done
        for bulk in self._store.bulks(open_only=True):
            if bulk.start_at > now:
                self._at(bulk.start_at)
            else:
                done = self._go_on(bulk, now) or done
        return done

    def next_due(self) -> datetime | None:
        return self._due

    async def close(self, grace: float) -> None:
        """Nothing of it is ever under way between two looks."""

    def _go_on(self, bulk: BulkView, now: datetime) -> bool:
        settled, active = 0, 0
        if bulk.under_way:
            settled, active, self._looked[bulk.id] = self._store.settle_bulk(bulk.id, self._looked.get(bulk.id, 0), now)
            bulk = self._store.bulk(bulk.id)
        if bulk.state is not BulkState.RUNNING:
            return settled > 0
        return self._send(bulk, active, now) > 0 or settled > 0

    def _send(self, bulk: BulkView, active: int, now: datetime) -> int:
        room = min(bulk.at_once - active, _SMALL_CHUNK if bulk.action in _NEEDS_ORDER else _CHUNK)
        next_at = max(bulk.next_at, now - _BURST)
        if bulk.pace:
            room = min(room, (now - next_at) // bulk.pace + 1)
        if room <= 0:
            if next_at > now:
                self._at(next_at)
            return 0
        targets = self._store.bulk_targets(bulk.id, limit=room, after=bulk.next - 1)
        if not targets:
            return 0
        sendings = [self._sending(bulk, target, now) for target in targets]
        next_at = next_at + len(sendings) * bulk.pace if bulk.pace else now
        sent = self._store.send_bulk(bulk.id, sendings, next_at, now)
        if next_at > now:
            self._at(next_at)
        return sent

    def _sending(self, bulk: BulkView, target: Target, now: datetime) -> Sending:
        sending = Sending(
            place=target.place,
            work=target.work,
            order=target.order,
            deed=Deed(
                at=now,
                who=bulk.who,
                what=bulk.action.value,
                kind="work" if target.work else "order",
                subject=str(target.work) if target.work else target.order,
                order=target.order,
                after={"bulk": bulk.id, **bulk.arguments},
                reason=bulk.reason,
            ),
        )
        try:
            if bulk.action is BulkAction.HAND_OVER:
                rule = rule_for(self._store, self._library, bulk, target)
                return replace(sending, queue=str(bulk.arguments["queue"]), rule=rule)
            return replace(sending, events=events_for(self._store, self._library, bulk, target))
        except NotAskable as error:
            return replace(sending, refused=str(error))

    def _at(self, moment: datetime) -> None:
        self._due = moment if self._due is None else min(self._due, moment)
