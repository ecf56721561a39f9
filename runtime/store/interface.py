"""The store as the worker and the library face see it. All methods are synchronous, short and safe to call from any
thread; an application with an event loop may call them directly (a write waits at most for the commit under way).
A `deed` is kept in the trail by the transaction that does it.

Every writing method is one transaction, durable when it returns. Errors are those of `runtime.store.errors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from orderloom.models.callout import Outcome
from orderloom.models.conversion import Json
from orderloom.models.inventory import AssetVersion, Inventory
from orderloom.models.journal import Event
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import OrderState
from orderloom.models.values import Value
from orderloom.runtime.store.auditing import Deed, DeedFilter, DeedView
from orderloom.runtime.store.deliveries import Attempted, Backlog, Channel, Delivery, DeliveryState, Untold
from orderloom.runtime.store.facts import FactKey, JournalSlice, OpenWork, OtherSlice, Stretch, Tally
from orderloom.runtime.store.identity import Grant, Held, Member, OwnRole, Team, User
from orderloom.runtime.store.interventions import Bulks, Controlling, Fallouts
from orderloom.runtime.store.queueing import Assigning, Desk
from orderloom.runtime.store.records import Batch, Gate, InboxEvent, PendingCall, RequestState, Timer
from orderloom.runtime.store.timing import Calendars, Clocks
from orderloom.runtime.store.views import (
    AssetFilter,
    AssetView,
    AttemptView,
    BundleView,
    JournalRecord,
    NewOrder,
    OrderFilter,
    OrderView,
    PoisonedView,
    PublishedEvent,
    TaskView,
    WorkFilter,
    WorkItem,
)
from orderloom.runtime.store.watches import Watches


class Bundles(Protocol):
    """Deployed versions of bundles."""

    def deploy(
        self, name: str, version: str, digest: str, sources: Mapping[str, bytes], at: datetime, deed: Deed | None = None
    ) -> BundleView:
        """Keeps a checked bundle (path -> content) and makes it the active version of its name.

        Deploying the same digest again only activates it. Raises Conflict where the version exists with other content.
        """

    def activate(self, digest: str, deed: Deed | None = None) -> BundleView:
        """New orders run on this version from now on. Raises NotFound."""

    def bundles(self) -> list[BundleView]:
        """All versions, latest deployment first."""

    def active_bundles(self) -> list[BundleView]:
        """The active version of each name, by name."""

    def bundle(self, digest: str) -> BundleView:
        """Raises NotFound."""

    def bundle_sources(self, digest: str) -> dict[str, bytes]:
        """The files of a version, path -> content. Raises NotFound."""


class Requests(Protocol):
    """What the outside asks for. Each is an event in the inbox, which the worker takes up."""

    def submit(self, orders: Sequence[NewOrder], at: datetime, deed: Deed | None = None) -> None:
        """Keeps the orders, all or none. Raises Conflict where an order of that id exists, ExternalIdTaken where one of
        that external id does that was neither rejected nor cancelled, NotFound for a design that is not deployed."""

    def start(
        self, order: str, by: str, reason: str, at: datetime, deed: Deed | None = None, *, force: bool = False
    ) -> int:
        """Asks for an order to be taken up although it waits for others, with `force` also for such that are in its
        way; returns the request's number. Raises NotFound."""

    def document(self, order: str) -> bytes:
        """The document that was submitted, as it came; empty where none was kept."""

    def post(self, order: str, event: Event, at: datetime, deed: Deed | None = None) -> int:
        """Puts an event into the inbox and returns the request's number, see `request`. Raises NotFound."""

    def request(self, number: int) -> tuple[RequestState, str]:
        """What became of a posted event, with the reason where it was refused."""

    def post_callback(
        self,
        operation: str,
        correlation: str,
        outcome: Outcome,
        outputs: Mapping[str, Value],
        at: datetime,
        code: str = "",
        message: str = "",
        deed: Deed | None = None,
    ) -> int:
        """Routes the message of an operation to the tasks that await it and returns how many there were; a message that
        nobody awaits yet is kept for a while (see `forget_early`) and 0 is returned."""

    def post_event(self, name: str, payload: Mapping[str, Json], at: datetime, deed: Deed | None = None) -> int:
        """Routes an event to the tasks that listen for it, as `post_callback` does."""

    def forget_early(self, before: datetime) -> int:
        """Drops messages that came before that instant and that nobody has awaited since; returns how many."""

    def retry_poisoned(self, number: int, at: datetime, deed: Deed | None = None) -> int:
        """Puts an event that was set aside into the inbox again; returns the request's number. Raises NotFound."""


class Trail(Protocol):
    """What people did."""

    def record(self, deed: Deed) -> None:
        """A deed that changed nothing else."""

    def deeds(self, where: DeedFilter, limit: int = 100, before: int | None = None) -> list[DeedView]:
        """Newest first; `before` is the `id` of the last one seen."""


class Identity(Protocol):
    """Who is who."""

    def has_users(self) -> bool:
        """Whether any user was ever defined."""

    def users(self) -> list[User]:
        """By name."""

    def user(self, name: str) -> User:
        """Raises NotFound."""

    def add_user(self, user: User, grants: Iterable[tuple[Grant, str]], deed: Deed) -> None:
        """With what they are granted. Raises Conflict where the name is taken."""

    def change_user(self, user: User, deed: Deed) -> None:
        """Raises NotFound."""

    def teams(self) -> list[Team]:
        """By name."""

    def put_team(self, team: Team, deed: Deed) -> None:
        """Makes a team, or gives it another title."""

    def drop_team(self, name: str, deed: Deed) -> None:
        """With all that it holds. Raises NotFound."""

    def own_roles(self) -> list[OwnRole]:
        """By name."""

    def put_role(self, role: OwnRole, deed: Deed) -> None:
        """Makes a role, or changes what it is."""

    def drop_role(self, name: str, deed: Deed) -> None:
        """Whoever has it loses it. Raises NotFound."""

    def held(self) -> list[Held]:
        """All grants, by holder."""

    def held_by(self, user: str) -> list[Held]:
        """What a user holds, also through teams."""

    def give(self, grant: Held, deed: Deed) -> None:
        """Giving again changes nothing."""

    def take(self, grant: Held, deed: Deed) -> None:
        """Raises NotFound where it is not held."""

    def members_of(self, queue: str) -> list[Member]:
        """The active users who are members of a queue, by name."""


class Screens(Protocol):
    """What people and programs look at. Lists are cut at `limit`; a cursor goes on where the last page ended."""

    def order(self, order: str) -> OrderView:
        """Raises NotFound."""

    def orders(self, where: OrderFilter, limit: int = 100, before: int | None = None) -> list[OrderView]:
        """Newest first; `before` is the `sequence` of the last order seen."""

    def count_orders(self, where: OrderFilter) -> dict[str, int]:
        """Number of orders by status."""

    def state(self, order: str) -> OrderState:
        """The whole order with its lines and tasks. Raises NotFound."""

    def tasks(self, states: Sequence[str], limit: int = 100) -> list[TaskView]:
        """Tasks of all orders in these states, in the order of their orders' ids."""

    def journal(self, order: str, after: int = 0, limit: int = 1000) -> list[JournalRecord]:
        """What happened to an order, oldest first, from the version after `after`."""

    def work_item(self, work: int) -> WorkItem:
        """Raises NotFound."""

    def work(self, where: WorkFilter, limit: int = 100, offset: int = 0) -> list[WorkItem]:
        """Most urgent first: priority, due date, age."""

    def count_work(self, where: WorkFilter) -> dict[str, int]:
        """Number of work items by queue."""

    def attempts(self, order: str, task: str = "") -> list[AttemptView]:
        """Callouts made for an order or one of its tasks, oldest first."""

    def inventory(self, account: str) -> Inventory:
        """What the account has; terminated assets are left out."""

    def assets(self, where: AssetFilter, limit: int = 100, after: str = "") -> list[AssetView]:
        """By id; `after` is the id of the last one seen. Terminated assets are included."""

    def events(self, after: int = 0, limit: int = 1000, order: str = "") -> list[PublishedEvent]:
        """The feed, oldest first, from the sequence after `after`."""

    def last_event(self) -> int:
        """The sequence of the latest published event, 0 for none."""

    def poisoned(self) -> list[PoisonedView]:
        """Events set aside because the core failed on them, oldest first."""


class Gating(Protocol):
    """What an order may have to wait for before it is taken up."""

    def statuses(self, orders: Sequence[str]) -> dict[str, OrderStatus]:
        """The states of these orders; the ones that do not exist are left out."""

    def earlier_open(self, order: str) -> list[str]:
        """Orders of the same account that were submitted before it and are not final, oldest first."""

    def earlier_states(self, order: str) -> list[OrderState]:
        """Their whole states."""

    def others_open(self, order: str) -> bool:
        """Whether there are others of the same account that are not final."""

    def later_started(self, order: str) -> list[OrderState]:
        """The states of those of the same account that were submitted after it, have started and are not final."""

    def account_open(self, account: str) -> list[OrderState]:
        """The states of the orders of an account that are not final, in the order in which they were submitted."""

    def gates(self, order: str) -> list[Gate]:
        """What the order waits for now."""


class Histories(Protocol):
    """What things were before."""

    def asset_history(self, asset: str) -> list[AssetVersion]:
        """All versions of an asset, oldest first. Raises NotFound."""

    def origin(self, order: str) -> tuple[ProductOrder, str, datetime]:
        """The order as it was submitted, the digest of the design that it was submitted to, and when. Raises
        NotFound."""


class Telling(Protocol):
    """Channels of notifications and what is to be delivered to them, see `store.deliveries`."""

    def add_channel(self, channel: Channel, deed: Deed) -> None:
        """It is told what is published from now on. Raises Conflict where the name is taken."""

    def remove_channel(self, name: str, deed: Deed) -> None:
        """With all that waited for it. Raises NotFound."""

    def pause_channel(self, name: str, paused: bool, deed: Deed) -> None:
        """What is published meanwhile waits. Raises NotFound."""

    def channels(self) -> list[Channel]:
        """By name."""

    def backlogs(self) -> dict[str, Backlog]:
        """By channel; those without any are left out."""

    def untold(self) -> bool:
        """Whether a channel that is not paused has events of the feed before it."""

    def next_untold(self, limit: int) -> Untold:
        """The next events, for the channels furthest behind and all that are not at the end."""

    def route(self, channels: Sequence[Channel], position: int, deliveries: Sequence[Delivery]) -> None:
        """Keeps what these channels are to be told of the feed up to `position`, and that they are there now."""

    def next_delivery(self) -> datetime | None:
        """When the earliest attempt is due; None for none."""

    def due_deliveries(self, channel: str, now: datetime, limit: int) -> list[Delivery]:
        """What is to be attempted, longest due first."""

    def settle(self, attempts: Sequence[Attempted], now: datetime) -> None:
        """Keeps what became of attempts; what waited behind a delivery that is done or given up is due then."""

    def deliveries(
        self, states: Sequence[DeliveryState], channel: str = "", order: str = "", limit: int = 100
    ) -> list[Delivery]:
        """Newest first; empty conditions are left out."""

    def resend(self, deliveries: Sequence[Delivery], now: datetime, deed: Deed) -> int:
        """Tries again what was given up; returns how many there still were."""


class Facts(Protocol):
    """What happened, counted by hour, see `store.facts`."""

    def uncounted(self) -> int:
        """Rows of the journal, the history of work and the feed that are not counted yet."""

    def journal_slice(self, limit: int) -> JournalSlice:
        """The next rows of the journal."""

    def work_slice(self, limit: int) -> OtherSlice:
        """The next rows of the history of work."""

    def feed_slice(self, limit: int) -> OtherSlice:
        """The next events of the feed that are about work."""

    def keep_facts(
        self,
        source: str,
        position: int,
        last: int,
        facts: Mapping[FactKey, Tally],
        memories: Mapping[str, dict[str, Any]] | None = None,
        over: Iterable[str] = (),
    ) -> bool:
        """Adds what was counted from `position` to `last`; False where somebody else has counted it."""

    def forget_facts(self, deed: Deed) -> None:
        """All of them; counting begins anew."""

    def facts(self, measures: Sequence[str], product: str, stretches: Sequence[Stretch]) -> list[tuple[FactKey, Tally]]:
        """What was counted in these stretches of time, for orders with this product, "" for all."""

    def products_counted(self) -> list[str]:
        """Products of which there are orders, by name."""

    def open_work(self) -> list[OpenWork]:
        """All work that is open."""


class Sealing(Protocol):
    """A batch that is written but not yet durable. The event loop may do other work while `seal` runs in a thread."""

    def seal(self) -> int:
        """Makes it durable and returns how many inbox events it woke (early messages that found their task). Where it
        raises, nothing of the batch was kept."""


class Work(Protocol):
    """The worker's side."""

    def lock_worker(self) -> None:
        """Makes this process the store's only worker until `close`. Raises WorkerRunning."""

    def worker_runs(self) -> bool:
        """Whether a worker runs on this store, in whatever process."""

    def load(self, orders: Sequence[str]) -> list[OrderState]:
        """The committed states of these orders; the ones that do not exist are left out."""

    def inbox(self, after: int, limit: int) -> list[InboxEvent]:
        """Events that wait, oldest first, with an id above `after`."""

    def inbox_of_each(self, after: Sequence[int], limit: int) -> list[InboxEvent]:
        """The same by priority of the orders: of each priority at most `limit`, with ids above that in `after`."""

    def inbox_may_have_changed(self) -> bool:
        """A cheap test: False when certainly nothing came into the database since the last call."""

    def timers(self, until: datetime, limit: int) -> list[Timer]:
        """Timers due at or before that instant, earliest first."""

    def next_timer(self) -> datetime | None:
        """When the earliest timer is due, None for none."""

    def pending_connectors(self) -> list[str]:
        """Connectors with calls that have no recorded answer."""

    def pending_calls(self, connector: str, limit: int) -> list[PendingCall]:
        """Calls of this connector without a recorded answer, by priority and age; at most `limit` of each priority, so
        that the less urgent are seen too."""

    def commit(self, batch: Batch) -> int:
        """`write` and `seal` in one."""

    def write(self, batch: Batch) -> Sealing:
        """Writes a batch in one transaction. Raises VersionConflict, and then nothing of it was kept."""

    def close(self) -> None:
        """Gives up files and locks. Nothing is pending: what is durable is durable already."""


class Store(
    Bundles,
    Requests,
    Desk,
    Assigning,
    Trail,
    Identity,
    Screens,
    Gating,
    Histories,
    Telling,
    Facts,
    Clocks,
    Calendars,
    Watches,
    Fallouts,
    Bulks,
    Controlling,
    Work,
    Protocol,
):
    """All of it."""
