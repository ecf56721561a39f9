"""The part of the host's face for orders in flight: amend, cancel, migrate, and ask first what that would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from orderloom.engine.advance import advance, with_outlook
from orderloom.engine.change import assess, kind_of
from orderloom.engine.decomposition import decompose
from orderloom.engine.orchestration import orchestrate
from orderloom.engine.scheduling import schedule
from orderloom.models.change import ChangePlan
from orderloom.models.inventory import EMPTY, AssetVersion
from orderloom.models.journal import (
    AmendmentRequested,
    CancellationRequested,
    ChangeRequest,
    EntryKind,
    MigrationRequested,
    Submitted,
)
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.runtime import past, tmf622
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import (
    ChangeRefused,
    DocumentProblem,
    NotAllowed,
    OrderRefused,
    UnknownAsset,
    UnknownBundle,
)
from orderloom.runtime.face import Face
from orderloom.runtime.past import Replayed
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.views import OrderFilter
from orderloom.runtime.views import LineView, PlanTask, Receipt, Verdict, line_view, plan_task
from orderloom.runtime.worker.gating import conflicts_of, gates_of_new

#: states of an order that leave its external id free
_FREES = (OrderStatus.REJECTED, OrderStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPreview:
    """What an order would become if it were submitted now; nothing of it is kept."""

    order: ProductOrder
    lines: tuple[LineView, ...] = ()
    tasks: tuple[PlanTask, ...] = ()
    #: why it would not be taken, or be rejected, in words
    problems: tuple[str, ...] = ()
    #: the order that it is already, "" for none: the same content was submitted before, and is taken once
    same_as: str = ""
    #: what it would wait for before it starts, in words
    waits: tuple[str, ...] = ()
    #: of one that waits for other orders: what stands against it as things are now; it is looked at anew when it starts
    doubts: tuple[str, ...] = ()
    #: when it would be completed by the durations of its tasks, were it to start at once or on its requested date
    expected: datetime | None = None


class Changes(Face):
    """Change of orders in flight, their past, and the history of inventory; a part of `Runtime`.

    A change takes effect once no callout of the order is under way. `accept` agrees to the consequences of soft points
    of no return, `roles` are those of whoever asks or has approved, `force` goes behind hard ones: the caller sees to
    it that only an administrator does so. All of it is in the journal.
    """

    @needs(Permission.ORDERS_CHANGE)
    async def amend(
        self,
        id: str,
        document: Mapping[str, Any] | bytes | str,
        by: str = "",
        reason: str = "",
        *,
        accept: bool = False,
        roles: Sequence[str] = (),
        force: bool = False,
    ) -> Receipt:
        """The order is to have the content of this TMF622 document instead, all of it. Raises UnknownOrder,
        OrderRefused, NotAllowed, ChangeRefused."""
        order = await self._amended(id, document)
        event = AmendmentRequested(
            order=order, inventory=EMPTY, by=by, reason=reason, accept=accept, roles=tuple(roles), force=force
        )
        return await self._change(id, event, "amend")

    @needs(Permission.ORDERS_CHANGE)
    async def cancel(
        self,
        id: str,
        by: str = "",
        reason: str = "",
        *,
        items: Sequence[str] = (),
        accept: bool = False,
        roles: Sequence[str] = (),
        force: bool = False,
    ) -> Receipt:
        """Takes back the order, or some of its items with what stands under them. Raises UnknownOrder, NotAllowed,
        ChangeRefused."""
        event = CancellationRequested(
            inventory=EMPTY,
            by=by,
            items=tuple(items),
            reason=reason,
            accept=accept,
            roles=tuple(roles),
            force=force,
        )
        return await self._change(id, event, "cancel")

    @needs(Permission.ORDERS_MIGRATE)
    async def migrate(
        self,
        id: str,
        version: str,
        by: str = "",
        reason: str = "",
        *,
        accept: bool = False,
        roles: Sequence[str] = (),
        force: bool = False,
    ) -> Receipt:
        """The order goes on with another deployed version of its bundle. Raises UnknownOrder, UnknownBundle,
        NotAllowed, ChangeRefused."""
        design = await self._version(id, version)
        event = MigrationRequested(
            design=design, inventory=EMPTY, by=by, reason=reason, accept=accept, roles=tuple(roles), force=force
        )
        return await self._change(id, event, "migrate")

    @needs(Permission.ORDERS_CHANGE)
    async def preview_amend(
        self,
        id: str,
        document: Mapping[str, Any] | bytes | str,
        *,
        accept: bool = False,
        roles: Sequence[str] = (),
        force: bool = False,
    ) -> ChangePlan:
        """What `amend` would do now, asked for by the same user. Changes nothing. Raises UnknownOrder, OrderRefused."""
        order = await self._amended(id, document)
        request = AmendmentRequested(
            order=order, inventory=EMPTY, by="", accept=accept, roles=tuple(roles), force=force
        )
        return await self._preview(id, request)

    @needs(Permission.ORDERS_CHANGE)
    async def preview_cancel(
        self,
        id: str,
        *,
        items: Sequence[str] = (),
        accept: bool = False,
        roles: Sequence[str] = (),
        force: bool = False,
    ) -> ChangePlan:
        """What `cancel` would do now. Changes nothing. Raises UnknownOrder."""
        request = CancellationRequested(
            inventory=EMPTY, by="", items=tuple(items), accept=accept, roles=tuple(roles), force=force
        )
        return await self._preview(id, request)

    @needs(Permission.ORDERS_MIGRATE)
    async def preview_migrate(
        self, id: str, version: str, *, accept: bool = False, roles: Sequence[str] = (), force: bool = False
    ) -> ChangePlan:
        """What `migrate` would do now. Changes nothing. Raises UnknownOrder, UnknownBundle."""
        design = await self._version(id, version)
        request = MigrationRequested(
            design=design, inventory=EMPTY, by="", accept=accept, roles=tuple(roles), force=force
        )
        return await self._preview(id, request)

    @needs(Permission.ORDERS_SUBMIT)
    async def preview(self, document: Mapping[str, Any] | bytes | str, *, bundle: str | None = None) -> OrderPreview:
        """What an order (an add, a modify, a delete, …) would become against what inventory holds now, and
        what it would wait for. Raises OrderRefused."""
        design = await self._design(self._active(bundle).digest)
        checked = tmf622.read(tmf622.parse(document))
        now = self._clock.now()
        order = self._ordered(checked, design, checked.id or "preview", now, "preview")
        found = OrderPreview(order=order)
        if taken := self._taken(order, checked.id):
            same = self._same(taken, order)
            other = () if same else (f"another order was submitted before, as `{taken}`",)
            return replace(found, problems=other, same_as=taken if same else "")
        inventory = replace(self._store.inventory(order.account.id), at=now)
        program = self._library.program(design.digest)
        gates = tuple(gate.reason for gate in gates_of_new(self._store, program, order, inventory))
        later = order.requested_start if order.requested_start and order.requested_start > now else None
        found = replace(found, waits=(*gates, *([f"its requested start, {later.isoformat()}"] if later else ())))
        state = OrderState(order=order, design=design.digest)
        advance(program, state, Submitted(inventory=inventory), now)
        if state.status is OrderStatus.REJECTED:
            return replace(found, doubts=state.reasons) if gates else replace(found, problems=state.reasons)
        lines = decompose(program, order, inventory).lines
        return replace(
            found,
            lines=tuple(line_view(line, design) for line in lines.values()),
            tasks=tuple(plan_task(task, design) for task in orchestrate(program, order, lines, inventory).tasks),
            expected=schedule(program, state, now).expected,
        )

    @needs(Permission.ORDERS_HOLD)
    async def start(self, id: str, by: str = "", reason: str = "", *, force: bool = False) -> Receipt:
        """Takes up an order although it waits for others; of one that has started, lets tasks go on that wait for tasks
        of related orders. Orders that change the same products, or have to do with the same technical items, are passed
        by force only. Raises UnknownOrder, NotAllowed."""
        if force:
            self.demand(Permission.ORDERS_FORCE, "force start", id, id)
        deed = self._deed(
            "start", "order", id, by=by, order=id, reason=reason, after={"force": True} if force else None
        )
        self._order(id)
        number = self._store.start(id, deed.who, reason, self._clock.now(), deed, force=force)
        return await self._answered(number, id, "start")

    @needs(Permission.PLANS_VIEW)
    async def order_at(self, id: str, at: datetime) -> OrderState:
        """The order as it was at that instant, made again from its journal. Raises UnknownOrder, NotAllowed where it
        was submitted later."""
        view = self._order(id)
        if at < view.submitted_at:
            raise NotAllowed(what="show", why=f"order `{id}` was submitted later, at {view.submitted_at.isoformat()}")
        return past.state_at(self._store, self._library.program, id, at)

    @needs(Permission.PLANS_VIEW)
    async def replay(self, id: str) -> Replayed:
        """Makes the order again from its journal and compares the result with what is stored, byte for byte. Raises
        UnknownOrder."""
        self._order(id)
        return past.replayed(self._store, self._library.program, id)

    @needs(Permission.INVENTORY_VIEW)
    async def asset_history(self, id: str) -> list[AssetVersion]:
        """All versions of an item of inventory, oldest first. Raises UnknownAsset."""
        try:
            found = self._store.asset_history(id)
        except NotFound:
            raise UnknownAsset(asset=id) from None
        if not self._principal.sees_account(found[-1].asset.account):
            raise UnknownAsset(asset=id)
        return found

    # --- inside

    def _taken(self, order: ProductOrder, id: str | None) -> str:
        """The order that has the id or external id already, "" for none."""
        named = OrderFilter(external_id=order.external_id)
        known = self._store.orders(named) if order.external_id else []
        taken = next((view.id for view in known if view.status not in _FREES), "")
        return taken or next(iter(self._store.statuses((id,)) if id else ()), "")

    async def _amended(self, id: str, document: Mapping[str, Any] | bytes | str) -> ProductOrder:
        """The order with the content of a document; what names it and places it in time stays."""
        state = await self._state(id)
        design = await self._design(state.design)
        checked = tmf622.read(tmf622.parse(document))
        now = state.order
        if checked.id and checked.id != id:
            raise OrderRefused([DocumentProblem("id", tmf622.shown(checked.id), f"`{id}`, or nothing")])
        specs = {item.product: item.spec for item in now.items if item.product}
        wanted = tmf622.to_order(
            checked,
            id=id,
            order_date=now.order_date,
            specs=design.specs,
            products={**self._products(checked), **specs},
        )
        if wanted.account.id != now.account.id:
            found = tmf622.shown(wanted.account.id)
            raise OrderRefused([DocumentProblem("billingAccount.id", found, f"`{now.account.id}`, as ordered")])
        return replace(wanted, external_id=now.external_id, depends_on=now.depends_on, related=now.related)

    async def _version(self, id: str, version: str) -> str:
        """Digest of a deployed version of the order's bundle, which may also be told by the start of the digest."""
        name = self._order(id).bundle
        for each in self._store.bundles():
            named = each.version == version or (version and each.digest.startswith(version))
            if each.name == name and named:
                return each.digest
        raise UnknownBundle(name=f"{name} {version}")

    def _entitled(self, id: str, request: ChangeRequest, what: str) -> ChangeRequest:
        """The request with the roles of whoever makes it, who may force it where it does. Raises Forbidden."""
        if request.force:
            self.demand(Permission.ORDERS_FORCE, f"force {what}", id, id)
        return request if self._principal.trusted else replace(request, roles=self._principal.roles)

    async def _preview(self, id: str, request: ChangeRequest) -> ChangePlan:
        request = self._entitled(id, request, kind_of(request).value)
        state = await self._state(id)
        now = self._clock.now()
        inventory = replace(self._store.inventory(state.order.account.id), at=now)
        digest = request.design if isinstance(request, MigrationRequested) else state.design
        program = self._library.program(digest)
        request = replace(request, inventory=inventory)
        plan = assess(program, state, request)
        if isinstance(request, AmendmentRequested) and not request.force and state.tasks and not state.status.final:
            conflicts = conflicts_of(self._store, program, state, request.order, inventory)
            plan = replace(plan, reasons=(*plan.reasons, *conflicts), rows=None) if conflicts else plan
        return with_outlook(program, state, request, plan, now, self._library.program(state.design))

    async def _change(self, id: str, event: ChangeRequest, what: str) -> Receipt:
        event = self._entitled(id, event, what)
        view = self._order(id)
        before = view.version
        deed = self._deed(
            what,
            "order",
            id,
            by=event.by,
            order=id,
            before={"status": view.status.value, "version": view.version},
            after={"accept": event.accept, "force": event.force},
            reason=event.reason,
        )
        event = replace(event, by=deed.who)
        receipt = await self._ask(id, event, what, deed)
        if receipt.verdict is not Verdict.APPLIED:
            return receipt
        stage, reasons = self._outcome(id, before, event)
        if stage == "refused":
            raise ChangeRefused(what, id, reasons)
        return receipt if stage == "applied" else replace(receipt, verdict=Verdict.WAITING)

    def _outcome(self, id: str, after: int, event: ChangeRequest) -> tuple[str, tuple[str, ...]]:
        """The last stage that the request has reached."""
        stage, reasons = "requested", tuple[str, ...]()
        for record in self._store.journal(id, after, 1000):
            if type(record.event) is not type(event) or record.event.by != event.by:
                continue
            for entry in record.entries:
                if entry.kind is EntryKind.CHANGE and entry.data.get("stage") != "superseded":
                    stage = str(entry.data.get("stage"))
                    found = entry.data.get("reasons")
                    reasons = tuple(map(str, found)) if isinstance(found, list) else ()
        return stage, reasons
