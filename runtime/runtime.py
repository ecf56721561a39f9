"""The library face of the host: everything that a service, a script or the command line does with orders."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from orderloom.engine.scheduling import Schedule, schedule
from orderloom.models.conversion import Json
from orderloom.models.inventory import AssetState
from orderloom.models.journal import (
    OrderHeld,
    OrderReleased,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState
from orderloom.runtime import tmf622
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.administration import Administration
from orderloom.runtime.analysing import Analytics
from orderloom.runtime.bulk.intervening import Intervening
from orderloom.runtime.changing import Changes
from orderloom.runtime.clock import Clock, SystemClock
from orderloom.runtime.control import Control
from orderloom.runtime.deployment import Library
from orderloom.runtime.desk.passing import Passing
from orderloom.runtime.desk.queues import Queues
from orderloom.runtime.errors import (
    ExternalIdUsed,
    StillWorking,
    SubmittedBefore,
    UnknownOperation,
)
from orderloom.runtime.home import database_url as home_database
from orderloom.runtime.home import open_home
from orderloom.runtime.hosting import Host
from orderloom.runtime.identity import Identity
from orderloom.runtime.ids import keyed_order_id, new_order_id
from orderloom.runtime.notifying import Notifying
from orderloom.runtime.progress import Progress
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.errors import Conflict, ExternalIdTaken
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.store.views import (
    AssetFilter,
    AssetView,
    AttemptView,
    JournalRecord,
    NewOrder,
    OrderFilter,
    OrderView,
    PublishedEvent,
)
from orderloom.runtime.timing import Timing
from orderloom.runtime.views import (
    Delivery,
    LineView,
    PlanTask,
    Receipt,
    line_view,
    plan_task,
)
from orderloom.runtime.watching import WatchRules


class Runtime(
    Administration,
    Identity,
    Changes,
    Control,
    Intervening,
    Passing,
    Queues,
    Timing,
    WatchRules,
    Notifying,
    Progress,
    Analytics,
):
    """The host, opened on one store; an async context manager.

    What changes an order is put into the store's inbox, durably, before a method returns; a worker (this runtime's
    own, see `run_forever`, or that of another process) applies it. Errors are those of `runtime.errors` and
    `runtime.store.errors`.
    """

    @classmethod
    async def open(
        cls,
        home: str | Path | None = None,
        *,
        database_url: str | None = None,
        environment: str = "default",
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Opens the store of a home (`~/.orderloom`, or ORDERLOOM_HOME), or the one at `database_url`.

        `environment` names the settings of the bundles to use; `environ` stands for `os.environ` where settings and
        secrets are looked up.
        """
        clock = clock or SystemClock()
        url = database_url or home_database(open_home(home))
        store = await asyncio.to_thread(open_store, url)
        library = Library(store)
        environ = os.environ if environ is None else environ
        return cls(store, library, Host(store, library, clock, environment, environ), clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends this runtime's worker, if any, and gives up the store. Nothing is lost."""
        await self._host.close()
        self._store.close()

    # --- orders

    @needs(Permission.ORDERS_SUBMIT)
    async def submit(
        self,
        document: Mapping[str, Any] | bytes | str,
        *,
        bundle: str | None = None,
        idempotency_key: str | None = None,
    ) -> OrderView:
        """Takes a TMF622 v4 ProductOrder; when this returns, the order is durable.

        It runs on the active version of `bundle` (the only bundle's, where none is named). Its id is the document's
        `id`, else made from the idempotency key, else new. The same order under the same id, key or external id is
        taken once, and the first is returned; another one under it raises SubmittedBefore or ExternalIdUsed. An
        external id is free again once its order was rejected or cancelled. Raises OrderRefused with every problem of
        the document.
        """
        design = await self._design(self._active(bundle).digest)
        parsed = tmf622.parse(document)
        checked = tmf622.read(parsed)
        now = self._clock.now()
        id = checked.id or (keyed_order_id(idempotency_key) if idempotency_key else new_order_id(now))
        order = self._ordered(checked, design, id, now, "submit")
        deed = self._deed("submit", "order", order.id, order=order.id, after={"account": order.account.id})
        try:
            self._store.submit([NewOrder(order=order, document=orjson.dumps(parsed), design=design.digest)], now, deed)
        except ExternalIdTaken as taken:
            same = self._same(taken.order, order)
            if taken.order != order.id and (checked.id or idempotency_key or not same):
                unlike = "the same content under another id" if same else "other content"
                raise ExternalIdUsed(external_id=order.external_id, order=taken.order, unlike=unlike) from None
            if not same:
                raise SubmittedBefore(key=checked.id or idempotency_key, order=order.id) from None
            return self._store.order(taken.order)
        except Conflict:
            if not self._same(order.id, order):
                raise SubmittedBefore(key=checked.id or idempotency_key, order=order.id) from None
        self._host.wake()
        return self._store.order(order.id)

    @needs(Permission.ORDERS_VIEW)
    async def order(self, id: str) -> OrderView:
        """Raises UnknownOrder."""
        return self._order(id)

    @needs(Permission.ORDERS_VIEW)
    async def orders(
        self,
        *,
        status: OrderStatus | str | Sequence[OrderStatus | str] = (),
        account: str = "",
        external_id: str = "",
        limit: int = 100,
        before: int | None = None,
    ) -> list[OrderView]:
        """Newest first; `before` is the `sequence` of the last order of the page before."""
        statuses = (status,) if isinstance(status, str) else status
        where = OrderFilter(
            statuses=tuple(OrderStatus(each) for each in statuses),
            account=account,
            accounts=self._principal.accounts,
            external_id=external_id,
        )
        return self._store.orders(where, limit, before)

    @needs(Permission.PLANS_VIEW)
    async def state(self, id: str) -> OrderState:
        """The whole order: what was asked for, lines, tasks, reasons. Raises UnknownOrder."""
        return await self._state(id)

    @needs(Permission.ORDERS_VIEW)
    async def resource(self, id: str) -> dict[str, Json]:
        """The order as a TMF622 v4 ProductOrder: what was submitted, with the states of order and items. Raises
        UnknownOrder."""
        state = await self._state(id)
        # what was submitted holds only as long as no change has taken its place
        document = b"" if state.revision else self._store.document(id)
        return tmf622.to_tmf622(
            orjson.loads(document) if document else tmf622.document(state.order),
            id=id,
            status=state.status,
            order_date=state.order.order_date,
            completion_date=state.completed_at,
            item_states={line: state.lines[line].state for line in state.lines},
        )

    @needs(Permission.PLANS_VIEW)
    async def lines(self, id: str) -> list[LineView]:
        """The order's lines at all levels, sources before what they feed. Raises UnknownOrder."""
        state = await self._state(id)
        design = await self._design(state.design)
        return [line_view(line, design) for line in state.lines.values()]

    @needs(Permission.PLANS_VIEW)
    async def tasks(self, id: str) -> list[PlanTask]:
        """The order's tasks, in plan order. Raises UnknownOrder."""
        state = await self._state(id)
        design = await self._design(state.design)
        return [plan_task(task, design) for task in state.tasks.values()]

    @needs(Permission.PLANS_VIEW)
    async def schedule(self, id: str) -> Schedule:
        """When the order's tasks can and must start and end, as things stand now. Raises UnknownOrder."""
        return await self.schedule_of(await self._state(id))

    @needs(Permission.PLANS_VIEW)
    async def schedule_of(self, state: OrderState) -> Schedule:
        """The same for an order that was read already."""
        return schedule(self._library.program(state.design), state, self._clock.now())

    @needs(Permission.PLANS_VIEW)
    async def superseded(self, id: str) -> dict[str, LineView]:
        """Versions of lines that changes have superseded, as `line~change`. Raises UnknownOrder."""
        state = await self._state(id)
        design = await self._design(state.design)
        return {name: line_view(line, design) for name, line in state.former.items()}

    @needs(Permission.PLANS_VIEW)
    async def journal(self, id: str, after: int = 0, limit: int = 1000) -> list[JournalRecord]:
        """What happened to the order, oldest first, from the version after `after`. Raises UnknownOrder."""
        self._order(id)
        return self._store.journal(id, after, limit)

    @needs(Permission.EXCHANGES_VIEW)
    async def attempts(self, id: str, task: str = "") -> list[AttemptView]:
        """Calls of external systems made for the order or one of its tasks, oldest first. Raises UnknownOrder."""
        self._order(id)
        return self._store.attempts(id, task)

    @needs(Permission.ORDERS_HOLD)
    async def hold(self, id: str, by: str = "", reason: str = "") -> Receipt:
        """Stops the order where it is. Raises UnknownOrder, NotAllowed."""
        before = {"status": self._order(id).status.value}
        self._demand_queue(id, "hold")
        deed = self._deed("hold", "order", id, by=by, order=id, before=before, after={"status": "held"}, reason=reason)
        return await self._ask(id, OrderHeld(by=deed.who, reason=reason), "hold", deed)

    @needs(Permission.ORDERS_HOLD)
    async def resume(self, id: str, by: str = "", reason: str = "") -> Receipt:
        """Lets a held order go on. Raises UnknownOrder, NotAllowed."""
        before = {"status": self._order(id).status.value}
        self._demand_queue(id, "resume")
        deed = self._deed("resume", "order", id, by=by, order=id, before=before, reason=reason)
        return await self._ask(id, OrderReleased(by=deed.who, reason=reason), "resume", deed)

    # --- messages

    @needs(Permission.MESSAGES_SEND)
    async def callback(
        self, operation: str, message: bytes | Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> Delivery:
        """The answer of an external system to a call it had taken on. Raises UnknownOperation.

        The message is read by the operation's response template, on the newest deployed bundle that has it.
        """
        for bundle in self._store.active_bundles():
            design = await self._design(bundle.digest)
            if operation in design.operations:
                correlation, answer = self._host.read_callback(design, operation, message, headers or {})
                tasks = self._store.post_callback(
                    operation,
                    correlation,
                    answer.outcome,
                    answer.outputs,
                    self._clock.now(),
                    answer.code,
                    answer.message,
                    self._said("callback", "operation", operation),
                )
                self._host.wake()
                return Delivery(tasks=tasks)
        raise UnknownOperation(operation=operation)

    @needs(Permission.MESSAGES_SEND)
    async def publish(self, event: str, payload: Mapping[str, Json]) -> Delivery:
        """Tells of an event that orders may wait for."""
        tasks = self._store.post_event(event, payload, self._clock.now(), self._said("publish", "event", event))
        self._host.wake()
        return Delivery(tasks=tasks)

    @needs(Permission.EVENTS_VIEW)
    async def events(self, after: int = 0, limit: int = 1000, order: str = "") -> list[PublishedEvent]:
        """What orders told the world, oldest first, from the sequence after `after`. Who sees only the orders of some
        accounts names one of them. Raises UnknownOrder."""
        if order or self._principal.accounts is not None:
            self._order(order)
        return self._store.events(after, limit, order)

    # --- inventory

    @needs(Permission.INVENTORY_VIEW)
    async def inventory(
        self, *, account: str = "", spec: str = "", state: AssetState | str = "", limit: int = 100, after: str = ""
    ) -> list[AssetView]:
        """What accounts have, by id; `after` is the id of the last one of the page before."""
        states = (AssetState(state),) if state else ()
        return self._store.assets(
            AssetFilter(account=account, accounts=self._principal.accounts, spec=spec, states=states), limit, after
        )

    # --- work

    @needs(Permission.WORKER_CONTROL)
    async def run_until_idle(self, within: float = 60) -> None:
        """Works until nothing is left to do but wait for people, messages and later times. Raises StillWorking after so
        many seconds, WorkerRunning where another process works on this store."""
        try:
            await self._host.run_until_idle(within)
        except TimeoutError:
            raise StillWorking(within=within) from None

    @needs(Permission.WORKER_CONTROL)
    async def run_forever(self, stop: asyncio.Event | None = None) -> None:
        """Works until `stop` is set (for ever without one), then ends what is under way. Raises WorkerRunning."""
        await self._host.run_forever(stop or asyncio.Event())

    # --- inside

    def _said(self, what: str, kind: str, subject: str) -> Deed | None:
        """For the trail, where a user sends a message; what the program itself passes on is in the journals."""
        return None if self._principal.trusted else self._deed(what, kind, subject)
