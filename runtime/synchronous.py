"""The plain front of the host: the methods of `Runtime`, for programs without an event loop."""

from __future__ import annotations

import asyncio
import copy
import functools
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from orderloom.runtime.access.principals import Principal
from orderloom.runtime.clock import Clock
from orderloom.runtime.runtime import Runtime

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _plain(
    method: Callable[Concatenate[Runtime, Parameters], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[SyncRuntime, Parameters], Result]:
    """The method that runs one of `Runtime` on the background loop and waits for what it gives."""

    @functools.wraps(method)
    def call(front: SyncRuntime, /, *args: Parameters.args, **named: Parameters.kwargs) -> Result:
        return front._wait(method(front._runtime, *args, **named))

    return call


class SyncRuntime:
    """`Runtime` with ordinary methods; a context manager. Its event loop runs in a thread of its own.

    Methods take, give and raise what those of `Runtime` do, and may be called from any thread.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        database_url: str | None = None,
        environment: str = "default",
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Opens the store, see `Runtime.open`."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="orderloom", daemon=True)
        self._thread.start()
        try:
            self._runtime = self._wait(
                Runtime.open(home, database_url=database_url, environment=environment, clock=clock, environ=environ)
            )
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends this runtime's worker, if any, and gives up the store."""
        try:
            self._wait(self._runtime.close())
        finally:
            self._end()

    @property
    def principal(self) -> Principal:
        """Who acts here."""
        return self._runtime.principal

    def bound(self, principal: Principal) -> Self:
        """The same host, as this principal may use it; it is closed with the first."""
        found = copy.copy(self)
        found._runtime = self._runtime.bound(principal)
        return found

    def acting_as(self, name: str) -> Self:
        """The host as this user may use it, see `Runtime.acting_as`."""
        found = copy.copy(self)
        found._runtime = self._wait(self._runtime.acting_as(name))
        return found

    def has_users(self) -> bool:
        """Whether operations are checked, see `Runtime.has_users`."""
        return self._runtime.has_users()

    users = _plain(Runtime.users)
    user = _plain(Runtime.user)
    add_user = _plain(Runtime.add_user)
    change_user = _plain(Runtime.change_user)
    set_away = _plain(Runtime.set_away)
    teams = _plain(Runtime.teams)
    put_team = _plain(Runtime.put_team)
    drop_team = _plain(Runtime.drop_team)
    roles = _plain(Runtime.roles)
    put_role = _plain(Runtime.put_role)
    drop_role = _plain(Runtime.drop_role)
    grant = _plain(Runtime.grant)
    revoke = _plain(Runtime.revoke)
    audit = _plain(Runtime.audit)
    deploy = _plain(Runtime.deploy)
    bundles = _plain(Runtime.bundles)
    design = _plain(Runtime.design)
    bundle_files = _plain(Runtime.bundle_files)
    connectors = _plain(Runtime.connectors)
    hold_connector = _plain(Runtime.hold_connector)
    release_connector = _plain(Runtime.release_connector)
    limit_connector = _plain(Runtime.limit_connector)
    shared_limits = _plain(Runtime.shared_limits)
    open_breaker = _plain(Runtime.open_breaker)
    close_breaker = _plain(Runtime.close_breaker)
    pause_tasks = _plain(Runtime.pause_tasks)
    resume_tasks = _plain(Runtime.resume_tasks)
    paused_tasks = _plain(Runtime.paused_tasks)
    drain = _plain(Runtime.drain)
    undrain = _plain(Runtime.undrain)
    drained = _plain(Runtime.drained)
    worker_runs = _plain(Runtime.worker_runs)
    set_aside = _plain(Runtime.set_aside)
    retry_set_aside = _plain(Runtime.retry_set_aside)
    submit = _plain(Runtime.submit)
    order = _plain(Runtime.order)
    orders = _plain(Runtime.orders)
    state = _plain(Runtime.state)
    resource = _plain(Runtime.resource)
    progress = _plain(Runtime.progress)
    lines = _plain(Runtime.lines)
    tasks = _plain(Runtime.tasks)
    schedule = _plain(Runtime.schedule)
    schedule_of = _plain(Runtime.schedule_of)
    superseded = _plain(Runtime.superseded)
    journal = _plain(Runtime.journal)
    attempts = _plain(Runtime.attempts)
    hold = _plain(Runtime.hold)
    resume = _plain(Runtime.resume)
    correct = _plain(Runtime.correct)
    callback = _plain(Runtime.callback)
    publish = _plain(Runtime.publish)
    events = _plain(Runtime.events)
    inventory = _plain(Runtime.inventory)
    work = _plain(Runtime.work)
    work_item = _plain(Runtime.work_item)
    claim = _plain(Runtime.claim)
    release = _plain(Runtime.release)
    complete = _plain(Runtime.complete)
    next_work = _plain(Runtime.next_work)
    renew = _plain(Runtime.renew)
    assign = _plain(Runtime.assign)
    reassign = _plain(Runtime.reassign)
    escalate = _plain(Runtime.escalate)
    hand_over = _plain(Runtime.hand_over)
    note = _plain(Runtime.note)
    attach = _plain(Runtime.attach)
    work_notes = _plain(Runtime.work_notes)
    work_history = _plain(Runtime.work_history)
    queues = _plain(Runtime.queues)
    queue = _plain(Runtime.queue)
    override_queue = _plain(Runtime.override_queue)
    reset_queue = _plain(Runtime.reset_queue)
    retry = _plain(Runtime.retry)
    skip = _plain(Runtime.skip)
    complete_by_hand = _plain(Runtime.complete_by_hand)
    fallout = _plain(Runtime.fallout)
    fallout_groups = _plain(Runtime.fallout_groups)
    fallout_item = _plain(Runtime.fallout_item)
    preview_correction = _plain(Runtime.preview_correction)
    return_to_owner = _plain(Runtime.return_to_owner)
    take_back = _plain(Runtime.take_back)
    wanted = _plain(Runtime.wanted)
    answer = _plain(Runtime.answer)
    start_bulk = _plain(Runtime.start_bulk)
    schedule_retry = _plain(Runtime.schedule_retry)
    hold_many = _plain(Runtime.hold_many)
    bulks = _plain(Runtime.bulks)
    bulk = _plain(Runtime.bulk)
    bulk_targets = _plain(Runtime.bulk_targets)
    stop_bulk = _plain(Runtime.stop_bulk)
    resume_bulk = _plain(Runtime.resume_bulk)
    amend = _plain(Runtime.amend)
    cancel = _plain(Runtime.cancel)
    migrate = _plain(Runtime.migrate)
    preview = _plain(Runtime.preview)
    preview_amend = _plain(Runtime.preview_amend)
    preview_cancel = _plain(Runtime.preview_cancel)
    preview_migrate = _plain(Runtime.preview_migrate)
    start = _plain(Runtime.start)
    order_at = _plain(Runtime.order_at)
    replay = _plain(Runtime.replay)
    asset_history = _plain(Runtime.asset_history)
    report = _plain(Runtime.report)
    rebuild_analytics = _plain(Runtime.rebuild_analytics)
    add_channel = _plain(Runtime.add_channel)
    channels = _plain(Runtime.channels)
    remove_channel = _plain(Runtime.remove_channel)
    pause_channel = _plain(Runtime.pause_channel)
    resume_channel = _plain(Runtime.resume_channel)
    try_channel = _plain(Runtime.try_channel)
    deliveries = _plain(Runtime.deliveries)
    resend = _plain(Runtime.resend)
    sla = _plain(Runtime.sla)
    pause_work = _plain(Runtime.pause_work)
    resume_work = _plain(Runtime.resume_work)
    work_pauses = _plain(Runtime.work_pauses)
    calendars = _plain(Runtime.calendars)
    set_calendar = _plain(Runtime.set_calendar)
    reset_calendar = _plain(Runtime.reset_calendar)
    watches = _plain(Runtime.watches)
    run_until_idle = _plain(Runtime.run_until_idle)

    def run_forever(self, stop: threading.Event | None = None) -> None:
        """Works until `stop` is set (for ever without one), then ends what is under way. Raises WorkerRunning."""
        told = asyncio.Event()
        running = asyncio.run_coroutine_threadsafe(self._runtime.run_forever(told), self._loop)
        while stop is not None and not stop.wait(0.05) and not running.done():
            pass
        if stop is not None:
            self._loop.call_soon_threadsafe(told.set)
        running.result()

    def _wait(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
