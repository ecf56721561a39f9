"""What all parts of the host's face stand on: who acts, the store, and how a request becomes an event."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Self

from orderloom.models.conversion import Json
from orderloom.models.design import Design
from orderloom.models.journal import Event
from orderloom.models.order import ProductOrder
from orderloom.models.plan import OrderState
from orderloom.runtime import tmf622
from orderloom.runtime.access.permissions import ROLES, Permission
from orderloom.runtime.access.principals import SYSTEM, Principal
from orderloom.runtime.clock import Clock
from orderloom.runtime.deployment import Library
from orderloom.runtime.errors import (
    DocumentProblem,
    Forbidden,
    NotAllowed,
    NothingDeployed,
    OrderRefused,
    UnknownBundle,
    UnknownOrder,
    WhichBundle,
)
from orderloom.runtime.hosting import Host
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.records import RequestState
from orderloom.runtime.store.views import BundleView, OrderFilter, OrderView, WorkFilter
from orderloom.runtime.views import Receipt, Verdict

#: seconds to wait for a running worker's verdict
_PATIENCE = 5.0
#: characters of what somebody was not let do something with
_LONGEST = 200


@contextlib.contextmanager
def allowed(what: str) -> Iterator[None]:
    """Turns the store's Conflict into NotAllowed."""
    try:
        yield
    except Conflict as conflict:
        raise NotAllowed(what=what, why=conflict) from None


class Face:
    """The host as one principal may use it; each operation checks that they may, see `access.guarding.needs`."""

    def __init__(self, store: Store, library: Library, host: Host, clock: Clock) -> None:
        """See `Runtime.open`."""
        self._store = store
        self._library = library
        self._host = host
        self._clock = clock
        self._principal = SYSTEM

    @property
    def principal(self) -> Principal:
        """Who acts here."""
        return self._principal

    def bound(self, principal: Principal) -> Self:
        """The same host, as this principal may use it. It shares the store and is not closed by itself."""
        found = copy.copy(self)
        found._principal = principal
        return found

    # --- who may do what

    def demand(self, permission: Permission, operation: str, subject: str = "", order: str = "") -> None:
        """Raises Forbidden, which the trail keeps too, with what it was about."""
        if self._principal.may(permission):
            return
        self._deny(operation, subject, order)
        roles = ", ".join(name for name, role in ROLES.items() if permission in role.permissions)
        raise self._forbidden(operation, permission, roles)

    def _may_see(self, view: OrderView) -> bool:
        return self._principal.sees_account(view.account)

    def _demand_account(self, account: str, operation: str) -> None:
        """Raises Forbidden where the account is not theirs."""
        if not self._principal.sees_account(account):
            self._deny(operation, account)
            raise self._forbidden(f"{operation} for {account}", "account", "its owners")

    def _demand_queue(self, order: str, operation: str) -> None:
        """Raises Forbidden for those who see only the work of some queues, where none of it was of this order."""
        queues = self._principal.queues
        if queues is None or self._store.work(WorkFilter(order=order, queues=queues, states=()), 1):
            return
        self._deny(f"{operation} {order}")
        raise self._forbidden(f"{operation} `{order}`", "queue", "members of its queues")

    def _deny(self, operation: str, subject: str = "", order: str = "") -> None:
        self._store.record(
            Deed(
                at=self._clock.now(),
                who=self._principal.name,
                what=operation,
                kind="operation",
                subject=subject[:_LONGEST],
                order=order[:_LONGEST],
                denied=True,
            )
        )

    def _who(self, by: str) -> str:
        """In whose name something is done; only a trusted program may name another than itself. Raises Forbidden."""
        if not by or by == self._principal.name:
            return self._principal.name
        self._demand_trust(f"act as {by}")
        return by

    def _demand_trust(self, operation: str) -> None:
        """Raises Forbidden for whoever is not the program around the host."""
        if not self._principal.trusted:
            self._deny(operation)
            raise self._forbidden(operation, "trusted", "none")

    def _forbidden(self, operation: str, permission: str, roles: str) -> Forbidden:
        return Forbidden(who=self._principal.name, what=operation, permission=permission, roles=roles)

    def _deed(
        self,
        what: str,
        kind: str,
        subject: str = "",
        *,
        by: str = "",
        order: str = "",
        before: Mapping[str, Json] | None = None,
        after: Mapping[str, Json] | None = None,
        reason: str = "",
    ) -> Deed:
        """What is about to be done, for the trail; `by` as the caller gave it."""
        return Deed(
            at=self._clock.now(),
            who=self._who(by),
            what=what,
            kind=kind,
            subject=subject,
            order=order,
            before=dict(before or {}),
            after=dict(after or {}),
            reason=reason,
        )

    # --- orders, unchecked but for whose they are

    def _order(self, id: str) -> OrderView:
        """Raises UnknownOrder, also for an order of an account that is not theirs to see."""
        try:
            view = self._store.order(id)
        except NotFound:
            raise UnknownOrder(order=id) from None
        if not self._may_see(view):
            raise UnknownOrder(order=id)
        return view

    async def _state(self, id: str) -> OrderState:
        """The whole order. Raises UnknownOrder."""
        self._order(id)
        return await asyncio.to_thread(self._store.state, id)

    async def _design(self, digest: str) -> Design:
        return await asyncio.to_thread(self._library.design, digest)

    async def _ask(self, order: str, event: Event, what: str, deed: Deed | None = None) -> Receipt:
        """Puts an event into the inbox, the deed beside it, and waits, where a worker runs, for what becomes of it."""
        self._order(order)
        number = self._store.post(order, event, self._clock.now(), deed)
        return await self._answered(number, order, what)

    async def _answered(self, number: int, order: str, what: str) -> Receipt:
        """Raises NotAllowed with the core's reason."""
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

    # --- bundles and products

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

    def _ordered(
        self, document: tmf622.ProductOrderCreate, design: Design, id: str, at: datetime, operation: str
    ) -> ProductOrder:
        """The order that a document asks for. Raises OrderRefused, Forbidden where the account is not theirs."""
        order = tmf622.to_order(document, id=id, order_date=at, specs=design.specs, products=self._products(document))
        self._demand_account(order.account.id, operation)
        return replace(order, depends_on=self._related(order.depends_on))

    def _same(self, first: str, order: ProductOrder) -> bool:
        """Whether an order that was submitted before asks for the same."""
        found = self._store.origin(first)[0]
        return replace(order, id=found.id, order_date=found.order_date) == found

    def _related(self, named: Sequence[str]) -> tuple[str, ...]:
        """The ids of orders that a document names, by id or external id, and that are theirs to see. Raises
        OrderRefused."""
        found: dict[str, None] = {}
        for index, name in enumerate(named):
            try:
                id = self._order(name).id
            except UnknownOrder:
                where = OrderFilter(external_id=name, accounts=self._principal.accounts)
                outside = self._store.orders(where, 1) if name else []
                if not outside:
                    path = f"orderRelationship[{index}].id"
                    raise OrderRefused(
                        [DocumentProblem(path, tmf622.shown(name), "an order that was submitted")]
                    ) from None
                id = outside[0].id
            found[id] = None
        return tuple(found)

    def _products(self, document: tmf622.ProductOrderCreate) -> dict[str, str]:
        """Specs of the products that an order's account has, for items that name a product only."""
        account = tmf622.account_of(document)
        if account is None:
            return {}
        return {asset.id: asset.spec for asset in self._store.inventory(account.id).assets.values()}
