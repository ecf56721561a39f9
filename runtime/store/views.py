"""What screens, the command line and reports read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orderloom.models.callout import Exchange
from orderloom.models.catalog import Attribute
from orderloom.models.conversion import Json
from orderloom.models.inventory import Asset, AssetState
from orderloom.models.journal import Entry, Event, WorkKind
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import PlanState
from orderloom.models.tasks import AssignMode
from orderloom.runtime.store.records import Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleView:
    """A deployed version of a bundle; it never changes."""

    name: str
    version: str
    digest: str
    deployed_at: datetime
    #: new orders run on it; one version of each name is active
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order to submit, with the digest of the deployed bundle version that it is to run on."""

    order: ProductOrder
    #: what was submitted, as it came, for whoever asks for the order again; may be empty
    document: bytes = b""
    design: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """One row of an order list."""

    #: rises with the order of submission; the cursor of a list
    sequence: int
    id: str
    external_id: str
    account: str
    account_name: str
    status: OrderStatus
    plan: PlanState
    priority: int
    #: digest, name and version of the bundle it runs on
    design: str
    bundle: str
    bundle_version: str
    #: number of events applied; 0 until the worker has taken it up
    version: int
    submitted_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Conditions that hold together; empty ones are left out."""

    statuses: tuple[OrderStatus, ...] = ()
    account: str = ""
    #: of one of these; None for all
    accounts: frozenset[str] | None = None
    external_id: str = ""
    design: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """One row of a task list over all orders. The whole task is in the order's state."""

    order: str
    id: str
    definition: str
    kind: str
    line: str
    state: str
    attempts: int
    queue: str
    code: str
    message: str
    due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRecord:
    """One applied event with its entries; `version` counts from 1."""

    order: str
    version: int
    at: datetime
    event: Event
    entries: tuple[Entry, ...]


class WorkState(StrEnum):
    OPEN = "open"
    #: somebody is to do it, and has not yet taken it
    ASSIGNED = "assigned"
    CLAIMED = "claimed"
    #: of a task whose definition is paused
    HELD = "held"
    #: waits for the owner of the order
    RETURNED = "returned"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A manual task or a failed one, waiting for a person."""

    id: int
    order: str
    task: str
    kind: WorkKind
    queue: str
    title: str
    form: tuple[Attribute, ...]
    due: datetime | None
    priority: int
    state: WorkState
    #: who has it or is to do it, "" for nobody
    claimed_by: str
    #: for FALLOUT: error code and message
    code: str
    message: str
    opened_at: datetime
    claimed_at: datetime | None
    closed_at: datetime | None
    #: how it finds a person by the design's rules, and what they must know
    assign: AssignMode = AssignMode.PULL
    skills: tuple[str, ...] = ()
    #: for CLAIMED: until when they keep it
    lease: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFilter:
    """Conditions that hold together; empty ones are left out."""

    kinds: tuple[WorkKind, ...] = ()
    queue: str = ""
    states: tuple[WorkState, ...] = (WorkState.OPEN, WorkState.ASSIGNED, WorkState.CLAIMED)
    order: str = ""
    claimed_by: str = ""
    code: str = ""
    #: in one of these; None for all
    queues: frozenset[str] | None = None
    #: of orders of one of these accounts; None for all
    accounts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """One attempt of a callout, secrets masked."""

    id: int
    order: str
    task: str
    attempt: int
    key: str
    connector: str
    operation: str
    outcome: str
    code: str
    message: str
    at: datetime
    exchange: Exchange | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """Conditions that hold together; empty ones are left out."""

    account: str = ""
    #: of one of these; None for all
    accounts: frozenset[str] | None = None
    spec: str = ""
    states: tuple[AssetState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetView:
    asset: Asset
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedEvent:
    """One event of the feed; `sequence` rises without end, and gaps mean nothing."""

    sequence: int
    order: str
    at: datetime
    kind: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonedView:
    """An event that was set aside because the core failed on it."""

    id: int
    order: str
    event: Event | Submission
    at: datetime
    message: str
    traceback: str
