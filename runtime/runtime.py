"""The library face of the host: everything that a service, a script or the command line does with orders."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.scheduling import Schedule, schedule
from orderloom.models.catalog import Attribute
from orderloom.models.conversion import Json
from orderloom.models.design import Design
from orderloom.models.inventory import AssetState
from orderloom.models.journal import (
    Event,
    FalloutAction,
    FalloutResolved,
    LineCorrected,
    OrderHeld,
    OrderReleased,
    WorkCompleted,
    WorkKind,
)
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.models.values import Value
from orderloom.runtime import forms, tmf622
from orderloom.runtime.administration import Administration
from orderloom.runtime.changing import Changes
from orderloom.runtime.clock import Clock, SystemClock
from orderloom.runtime.deployment import Library
from orderloom.runtime.errors import (
    DocumentProblem,
    ExternalIdUsed,
    NotAllowed,
    NothingDeployed,
    OrderRefused,
    StillWorking,
    SubmittedBefore,
    UnknownBundle,
    UnknownLine,
    UnknownOperation,
    UnknownOrder,
    UnknownTask,
    UnknownWork,
    WhichBundle,
)
from orderloom.runtime.home import database_url as home_database
from orderloom.runtime.home import open_home
from orderloom.runtime.hosting import Host
from orderloom.runtime.ids import keyed_order_id, new_order_id
from orderloom.runtime.store.errors import Conflict, ExternalIdTaken, NotFound
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.records import RequestState
from orderloom.runtime.store.sqlite import open_store
from orderloom.runtime.store.views import (
    AssetFilter,
    AssetView,
    AttemptView,
    BundleView,
    JournalRecord,
    NewOrder,
    OrderFilter,
    OrderView,
    PublishedEvent,
    WorkFilter,
    WorkItem,
    WorkState,
)
from orderloom.runtime.views import (
    Delivery,
    LineView,
    PlanTask,
    Receipt,
    Verdict,
    line_view,
    plan_task,
)

#: seconds to wait for a running worker's verdict
_PATIENCE = 5.0


class Runtime(Administration, Changes):
    """The host, opened on one store; an async context manager.

    What changes an order is put into the store's inbox, durably, before a method returns; a worker (this runtime's
    own, see `run_forever`, or that of another process) applies it. Errors are those of `runtime.errors` and
    `runtime.store.errors`.
    """

    def __init__(self, store: Store, library: Library, host: Host, clock: Clock) -> None:
        """See `open`."""
        self._store = store
        self._library = library
        self._host = host
        self._clock = clock

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
        design = await self.design(self._active(bundle).digest)
        parsed = tmf622.parse(document)
        checked = tmf622.read(parsed)
        now = self._clock.now()
        order = tmf622.to_order(
            checked,
            id=checked.id or (keyed_order_id(idempotency_key) if idempotency_key else new_order_id(now)),
            order_date=now,
            specs=design.specs,
            products=self._products(checked),
        )
        order = replace(order, depends_on=self._related(order.depends_on))
        try:
            self._store.submit([NewOrder(order=order, document=orjson.dumps(parsed), design=design.digest)], now)
        except ExternalIdTaken as taken:
            if taken.order != order.id and (checked.id or idempotency_key or not self._same(taken.order, order)):
                raise ExternalIdUsed(external_id=order.external_id, order=taken.order) from None
            if not self._same(taken.order, order):
                raise SubmittedBefore(key=checked.id or idempotency_key, order=order.id) from None
            return self._store.order(taken.order)
        except Conflict:
            if not self._same(order.id, order):
                raise SubmittedBefore(key=checked.id or idempotency_key, order=order.id) from None
        self._host.wake()
        return self._store.order(order.id)

    async def order(self, id: str) -> OrderView:
        """Raises UnknownOrder."""
        try:
            return self._store.order(id)
        except NotFound:
            raise UnknownOrder(order=id) from None

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
            statuses=tuple(OrderStatus(each) for each in statuses), account=account, external_id=external_id
        )
        return self._store.orders(where, limit, before)

    async def state(self, id: str) -> OrderState:
        """The whole order: what was asked for, lines, tasks, reasons. Raises UnknownOrder."""
        try:
            return await asyncio.to_thread(self._store.state, id)
        except NotFound:
            raise UnknownOrder(order=id) from None

    async def resource(self, id: str) -> dict[str, Json]:
        """The order as a TMF622 v4 ProductOrder: what was submitted, with the states of order and items. Raises
        UnknownOrder."""
        state = await self.state(id)
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

    async def lines(self, id: str) -> list[LineView]:
        """The order's lines at all levels, sources before what they feed. Raises UnknownOrder."""
        state = await self.state(id)
        design = await self.design(state.design)
        return [line_view(line, design) for line in state.lines.values()]

    async def tasks(self, id: str) -> list[PlanTask]:
        """The order's tasks, in plan order. Raises UnknownOrder."""
        state = await self.state(id)
        design = await self.design(state.design)
        return [plan_task(task, design) for task in state.tasks.values()]

    async def schedule(self, id: str) -> Schedule:
        """When the order's tasks can and must start and end, as things stand now. Raises UnknownOrder."""
        return await self.schedule_of(await self.state(id))

    async def schedule_of(self, state: OrderState) -> Schedule:
        """The same for an order that was read already."""
        return schedule(self._library.program(state.design), state, self._clock.now())

    async def superseded(self, id: str) -> dict[str, LineView]:
        """Versions of lines that changes have superseded, as `line~change`. Raises UnknownOrder."""
        state = await self.state(id)
        design = await self.design(state.design)
        return {name: line_view(line, design) for name, line in state.former.items()}

    async def journal(self, id: str, after: int = 0, limit: int = 1000) -> list[JournalRecord]:
        """What happened to the order, oldest first, from the version after `after`. Raises UnknownOrder."""
        await self.order(id)
        return self._store.journal(id, after, limit)

    async def attempts(self, id: str, task: str = "") -> list[AttemptView]:
        """Calls of external systems made for the order or one of its tasks, oldest first. Raises UnknownOrder."""
        await self.order(id)
        return self._store.attempts(id, task)

    async def hold(self, id: str, by: str, reason: str = "") -> Receipt:
        """Stops the order where it is. Raises UnknownOrder, NotAllowed."""
        return await self._ask(id, OrderHeld(by=by, reason=reason), "hold")

    async def resume(self, id: str, by: str, reason: str = "") -> Receipt:
        """Lets a held order go on. Raises UnknownOrder, NotAllowed."""
        return await self._ask(id, OrderReleased(by=by, reason=reason), "resume")

    async def correct(self, id: str, line: str, values: Mapping[str, object], by: str, reason: str = "") -> Receipt:
        """Corrects attributes of a line, read against its spec. Raises UnknownOrder, UnknownLine, ValuesRefused,
        NotAllowed."""
        state = await self.state(id)
        if line not in state.lines:
            raise UnknownLine(order=id, line=line)
        design = await self.design(state.design)
        attributes = design.specs[state.lines[line].spec].attributes
        read = forms.read_values(attributes, values, design.enums)
        return await self._ask(id, LineCorrected(line=line, values=read, by=by, reason=reason), "correct")

    # --- messages

    async def callback(
        self, operation: str, message: bytes | Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> Delivery:
        """The answer of an external system to a call it had taken on. Raises UnknownOperation.

        The message is read by the operation's response template, on the newest deployed bundle that has it.
        """
        for bundle in self._store.active_bundles():
            design = await self.design(bundle.digest)
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
                )
                self._host.wake()
                return Delivery(tasks=tasks)
        raise UnknownOperation(operation=operation)

    async def publish(self, event: str, payload: Mapping[str, Json]) -> Delivery:
        """Tells of an event that orders may wait for."""
        tasks = self._store.post_event(event, payload, self._clock.now())
        self._host.wake()
        return Delivery(tasks=tasks)

    async def events(self, after: int = 0, limit: int = 1000, order: str = "") -> list[PublishedEvent]:
        """What orders told the world, oldest first, from the sequence after `after`."""
        return self._store.events(after, limit, order)

    # --- inventory

    async def inventory(
        self, *, account: str = "", spec: str = "", state: AssetState | str = "", limit: int = 100, after: str = ""
    ) -> list[AssetView]:
        """What accounts have, by id; `after` is the id of the last one of the page before."""
        states = (AssetState(state),) if state else ()
        return self._store.assets(AssetFilter(account=account, spec=spec, states=states), limit, after)

    # --- people

    async def work(
        self,
        *,
        queue: str = "",
        kind: WorkKind | str = "",
        order: str = "",
        state: WorkState | str = "",
        claimed_by: str = "",
        code: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> list[WorkItem]:
        """Manual and failed tasks that wait for people, most urgent first; done ones only where asked for."""
        where = WorkFilter(
            kinds=(WorkKind(kind),) if kind else (),
            queue=queue,
            order=order,
            states=(WorkState(state),) if state else (WorkState.OPEN, WorkState.CLAIMED),
            claimed_by=claimed_by,
            code=code,
        )
        return self._store.work(where, limit, offset)

    async def work_item(self, item: int) -> WorkItem:
        """Raises UnknownWork."""
        try:
            return self._store.work_item(item)
        except NotFound:
            raise UnknownWork(item=item) from None

    async def claim(self, item: int, by: str) -> WorkItem:
        """Takes a work item. Raises UnknownWork, NotAllowed where somebody else has it."""
        await self.work_item(item)
        try:
            return self._store.claim(item, by, self._clock.now())
        except Conflict as conflict:
            raise NotAllowed(what="claim", why=conflict) from None

    async def release(self, item: int, by: str) -> WorkItem:
        """Gives a work item back. Raises UnknownWork, NotAllowed where it is not theirs."""
        await self.work_item(item)
        try:
            return self._store.unclaim(item, by)
        except Conflict as conflict:
            raise NotAllowed(what="release", why=conflict) from None

    async def complete(self, item: int, by: str, values: Mapping[str, object] | None = None) -> Receipt:
        """Completes a manual task; the values are read against its form. An open item is claimed first. Raises
        UnknownWork, ValuesRefused, NotAllowed."""
        work = await self._open_work(item, by, WorkKind.MANUAL, "complete")
        design = await self._design_of(work.order)
        read = forms.read_form(work.form, values or {}, design.enums)
        await self._take(work, by)
        return await self._ask(work.order, WorkCompleted(task=work.task, by=by, values=read), "complete")

    async def retry(self, item: int, by: str, reason: str = "") -> Receipt:
        """Tries a failed task again. Raises UnknownWork, NotAllowed."""
        return await self._resolve(item, by, FalloutAction.RETRY, reason, {})

    async def skip(self, item: int, by: str, reason: str = "") -> Receipt:
        """Goes on without a failed task. Raises UnknownWork, NotAllowed."""
        return await self._resolve(item, by, FalloutAction.SKIP, reason, {})

    async def complete_by_hand(
        self, item: int, by: str, outputs: Mapping[str, object] | None = None, reason: str = ""
    ) -> Receipt:
        """Counts a failed task as done, with what its operation would have put out. Raises UnknownWork, ValuesRefused,
        NotAllowed."""
        work = await self._open_work(item, by, WorkKind.FALLOUT, "complete")
        design = await self._design_of(work.order)
        read = forms.read_form(self._outputs(work), outputs or {}, design.enums)
        return await self._resolve(item, by, FalloutAction.COMPLETE, reason, read)

    # --- work

    async def run_until_idle(self, within: float = 60) -> None:
        """Works until nothing is left to do but wait for people, messages and later times. Raises StillWorking after so
        many seconds, WorkerRunning where another process works on this store."""
        try:
            await self._host.run_until_idle(within)
        except TimeoutError:
            raise StillWorking(within=within) from None

    async def run_forever(self, stop: asyncio.Event | None = None) -> None:
        """Works until `stop` is set (for ever without one), then ends what is under way. Raises WorkerRunning."""
        await self._host.run_forever(stop or asyncio.Event())

    # --- inside

    def _same(self, first: str, order: ProductOrder) -> bool:
        """Whether an order that was submitted before asks for the same."""
        found = self._store.origin(first)[0]
        return replace(order, id=found.id, order_date=found.order_date) == found

    def _related(self, named: Sequence[str]) -> tuple[str, ...]:
        """The ids of orders that a document names, by id or external id. Raises OrderRefused."""
        found: dict[str, None] = {}
        for index, name in enumerate(named):
            if not self._store.statuses((name,)):
                outside = self._store.orders(OrderFilter(external_id=name), 1)
                if not outside:
                    path = f"orderRelationship[{index}].id"
                    raise OrderRefused([DocumentProblem(path, tmf622.shown(name), "an order that was submitted")])
                name = outside[0].id
            found[name] = None
        return tuple(found)

    def _active(self, name: str | None) -> BundleView:
        active = {each.name: each for each in self._store.active_bundles()}
        if name is not None:
            if name not in active:
                raise UnknownBundle(name=name)
            return active[name]
        if not active:
            raise NothingDeployed()
        if len(active) > 1:
            raise WhichBundle(names=", ".join(active))
        return next(iter(active.values()))

    def _products(self, document: tmf622.ProductOrderCreate) -> dict[str, str]:
        """Specs of the products that an order's account has, for items that name a product only."""
        account = tmf622.account_of(document)
        if account is None:
            return {}
        return {asset.id: asset.spec for asset in self._store.inventory(account.id).assets.values()}

    async def _design_of(self, order: str) -> Design:
        return await self.design((await self.order(order)).design)

    def _outputs(self, work: WorkItem) -> Iterable[Attribute]:
        """What the task of a work item may put out."""
        state = self._store.state(work.order)
        task = state.tasks.get(work.task)
        if task is None:
            raise UnknownTask(order=work.order, task=work.task)
        return definitions(self._library.program(state.design)).tasks[task.definition].results().values()

    async def _open_work(self, item: int, by: str, kind: WorkKind, what: str) -> WorkItem:
        """The work item, which this person has or may take."""
        work = await self.work_item(item)
        if work.kind is not kind:
            wanted = "a manual task" if kind is WorkKind.MANUAL else "a task in fallout"
            raise NotAllowed(what=what, why=f"work item {item} is no {wanted.removeprefix('a ')}")
        if work.state is WorkState.DONE:
            raise NotAllowed(what=what, why=f"work item {item} is done")
        if work.claimed_by and work.claimed_by != by:
            raise NotAllowed(what=what, why=f"work item {item} is claimed by {work.claimed_by}")
        return work

    async def _take(self, work: WorkItem, by: str) -> None:
        if not work.claimed_by:
            await self.claim(work.id, by)

    async def _resolve(
        self, item: int, by: str, action: FalloutAction, reason: str, outputs: Mapping[str, Value]
    ) -> Receipt:
        work = await self._open_work(item, by, WorkKind.FALLOUT, str(action))
        await self._take(work, by)
        event = FalloutResolved(task=work.task, action=action, by=by, reason=reason, outputs=outputs)
        return await self._ask(work.order, event, str(action))

    async def _ask(self, order: str, event: Event, what: str) -> Receipt:
        """Puts an event into the inbox and waits, where a worker runs, for what it makes of it."""
        try:
            number = self._store.post(order, event, self._clock.now())
        except NotFound:
            raise UnknownOrder(order=order) from None
        return await self._answered(number, order, what)

    async def _answered(self, number: int, order: str, what: str) -> Receipt:
        self._host.wake()
        loop = asyncio.get_running_loop()
        patience = loop.time() + (_PATIENCE if self._host.worker_runs() else 0)
        pause = 0.002
        while (found := self._store.request(number))[0] is RequestState.PENDING:
            if loop.time() >= patience:
                return Receipt(verdict=Verdict.QUEUED, number=number, order=order)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)
        if found[0] is RequestState.REFUSED:
            raise NotAllowed(what=what, why=found[1])
        return Receipt(verdict=Verdict.APPLIED, number=number, order=order)
