"""What a batch asked for, done once it is durable: calls to their lanes, timers to the window, states to the cache."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime

from orderloom.models.journal import CancelTimer, RecallCallout, SendCallout, StartTimer
from orderloom.runtime.store.records import AnsweredCall, Applied, Batch, OrderCommit, Origin, PendingCall, Timer
from orderloom.runtime.worker.cache import StateCache
from orderloom.runtime.worker.lanes import Lanes
from orderloom.runtime.worker.timers import TimerWindow
from orderloom.runtime.worker.totals import Totals, transitions


class Effects:
    """Acts on durable batches, and counts them."""

    def __init__(self, lanes: Lanes, timers: TimerWindow, cache: StateCache, totals: Totals) -> None:
        self._lanes = lanes
        self._timers = timers
        self._cache = cache
        self._totals = totals

    def act(self, batch: Batch, moving: Container[str]) -> None:
        """`moving` are the orders whose states have gone on in memory."""
        totals = self._totals
        totals.commits += 1
        totals.refused += len(batch.refused)
        totals.poisoned += len(batch.poisoned)
        for done in (batch.refused, batch.stale, batch.poisoned):
            for each in done:
                self._settle(each.order, each.origin)
        for commit in batch.commits:
            for applied in commit.applied:
                self._obey(commit, applied)
            self._keep(commit, moving)
        self._cache.shrink(moving)

    def _obey(self, commit: OrderCommit, applied: Applied) -> None:
        order = commit.state.order.id
        self._totals.events += 1
        self._totals.transitions += transitions(applied.step)
        self._settle(order, applied.origin)
        for command in applied.step.commands:
            if isinstance(command, SendCallout):
                self._send(commit, command, applied.at)
            elif isinstance(command, RecallCallout):
                self._recall(order, command)
            elif isinstance(command, StartTimer):
                self._timers.start(
                    Timer(
                        order=order,
                        task=command.task,
                        kind=command.kind,
                        attempt=command.attempt,
                        due=command.due,
                        priority=commit.state.order.priority,
                    )
                )
            elif isinstance(command, CancelTimer):
                self._timers.cancel(order, command.task, command.kind.value)

    def _keep(self, commit: OrderCommit, moving: Container[str]) -> None:
        state = commit.state
        order = state.order.id
        if self._cache.get(order) is not state:
            return
        if state.status.final and order not in moving:
            self._cache.drop(order)
        else:
            self._cache.keep(state)

    def _settle(self, order: str, origin: Origin) -> None:
        if isinstance(origin, AnsweredCall):
            self._lanes[origin.connector].settled(order, origin.task, origin.attempt)
        elif isinstance(origin, Timer):
            self._timers.settled(origin)

    def _recall(self, order: str, command: RecallCallout) -> None:
        for lane in self._lanes:
            lane.recall(order, command.task, command.attempt)

    def _send(self, commit: OrderCommit, command: SendCallout, at: datetime) -> None:
        state = commit.state
        self._lanes[command.connector].add(
            PendingCall(
                order=state.order.id,
                task=command.task,
                connector=command.connector,
                callout=command.callout,
                priority=command.priority,
                design=state.design,
                since=at,
            )
        )
