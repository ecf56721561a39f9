"""What customers have: product, service and resource inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orderloom.models.catalog import Level
from orderloom.models.values import Value


class AssetState(StrEnum):
    RESERVED = "reserved"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One item of inventory."""

    id: str
    spec: str
    level: Level
    account: str
    state: AssetState
    attributes: Mapping[str, Value]
    quantity: int = 1
    #: what it stands under, "" for none: product children and technical children alike
    parent: str = ""
    #: assets of the level above that it realises; while there is one, it is in use
    users: frozenset[str] = frozenset()
    #: products it relies on
    relies_on: frozenset[str] = frozenset()
    #: what its line merged by: identity within the account, e.g. `InternetAccess bundle ORD-1:1`
    anchor: str = ""
    #: order that wrote it last
    order: str = ""
    #: order that the product came with, also if it has moved since
    ordered: str = ""
    #: the product at the former site, and at the next one
    moved_from: str = ""
    moved_to: str = ""
    #: the product that it took the place of, and that took its place
    replaces: str = ""
    replaced_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetChange:
    """A change to one asset, as a delta, so that changes of two orders to a shared asset do not undo each other.

    The asset is made from the change where it does not exist.
    """

    id: str
    spec: str
    level: Level
    account: str
    order: str
    state: AssetState
    attributes: Mapping[str, Value] = field(default_factory=dict)
    quantity: int = 1
    parent: str = ""
    users_added: frozenset[str] = frozenset()
    users_removed: frozenset[str] = frozenset()
    relies_on: frozenset[str] = frozenset()
    anchor: str = ""
    #: see `Asset`; "" leaves what is there
    ordered: str = ""
    moved_from: str = ""
    moved_to: str = ""
    replaces: str = ""
    replaced_by: str = ""
    #: the item is to be again as this was, but for users that others have added or removed
    restored: Asset | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetVersion:
    """One state of an asset in its history: what it was after one change, and since when."""

    #: from 1, without gaps
    number: int
    #: when the change was written, in UTC; the next version's instant ends this one
    at: datetime
    #: the change, with its order
    change: AssetChange
    #: the asset after it; terminated ones are kept
    asset: Asset


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What inventory holds for one account at one moment; terminated assets are left out."""

    assets: Mapping[str, Asset]
    #: when it was read, for the journal
    at: datetime | None = None


EMPTY = Inventory(assets={})
