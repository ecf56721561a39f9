"""A commercial order as the core sees it, whatever interface it came through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orderloom.models.catalog import Action, RelationKind
from orderloom.models.conversion import Json


class OrderStatus(StrEnum):
    """TMF622 v4 ProductOrderStateType; also the states of items (ProductOrderItemStateType)."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    PARTIAL = "partial"
    ASSESSING_CANCELLATION = "assessingCancellation"
    PENDING_CANCELLATION = "pendingCancellation"

    @property
    def final(self) -> bool:
        """Whether nothing comes after it."""
        return self in _FINAL


_FINAL = frozenset(
    (
        OrderStatus.REJECTED,
        OrderStatus.CANCELLED,
        OrderStatus.COMPLETED,
        OrderStatus.FAILED,
        OrderStatus.PARTIAL,
    )
)
#: states of a line that a change has taken back
TAKEN_BACK = (OrderStatus.PENDING_CANCELLATION, OrderStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The customer account that the order is for; account-scoped lines and inventory hang on its id."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRelation:
    """A relation of an order item to another item, or to a product in inventory."""

    kind: RelationKind
    #: id of another item of the order, or "" where it is a product in inventory
    item: str = ""
    #: id of a product in inventory
    product: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItem:
    """One commercial line; the tree is given by `parent`."""

    id: str
    action: Action
    #: name of the product spec
    spec: str
    quantity: int = 1
    #: characteristics as they came; read against the spec's types at decomposition
    attributes: Mapping[str, Json] = field(default_factory=dict)
    #: inventory id of the product that is changed; "" for an add
    product: str = ""
    #: id of the item it stands under, "" for a root
    parent: str = ""
    relations: tuple[ItemRelation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductOrder:
    """A commercial order. All instants are in UTC."""

    id: str
    account: Account
    #: in submit order, parents before their children
    items: tuple[OrderItem, ...]
    order_date: datetime
    external_id: str = ""
    category: str = ""
    description: str = ""
    channel: str = ""
    #: 0 highest … 4
    priority: int = 4
    requested_start: datetime | None = None
    requested_completion: datetime | None = None
    #: ids of orders that must be completed first
    depends_on: tuple[str, ...] = ()
    #: ids, or external ids, of orders that it is related to otherwise; they may come later. Only tasks wait for theirs
    related: tuple[str, ...] = ()
