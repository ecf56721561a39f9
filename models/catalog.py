"""The catalog: products, services and resources with their attributes, scopes and structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from orderloom.models.expression import Formula
from orderloom.models.source import Span
from orderloom.models.values import Type, Value


class Action(StrEnum):
    """What is to be done with a line (TMF622 `OrderItemActionType` and its usual extensions)."""

    ADD = "add"
    MODIFY = "modify"
    DELETE = "delete"
    NO_CHANGE = "noChange"
    SUSPEND = "suspend"
    RESUME = "resume"
    MOVE = "move"


class Level(StrEnum):
    """The level of a spec: commercial, customer-facing service, resource-facing service, resource."""

    PRODUCT = "product"
    CUSTOMER_SERVICE = "customer_facing"
    RESOURCE_SERVICE = "resource_facing"
    RESOURCE = "resource"


class Scope(StrEnum):
    """When several sources merge into one technical line (`one per …`), from narrow to broad."""

    LINE = "line"
    PARENT = "parent"
    BUNDLE = "bundle"
    RELATION = "relation"
    KEY = "key"
    ORDER = "order"
    ACCOUNT = "account"


class RelationKind(StrEnum):
    RELIES_ON = "relies_on"
    REQUIRES = "requires"
    EXCLUDES = "excludes"
    #: takes the place of another product; in orders as well
    REPLACES = "replaces"
    REPLACED_BY = "replaced_by"
    #: is another product at a new site; made from the action `move`
    MOVED_FROM = "moved_from"
    MOVED_TO = "moved_to"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enum:
    """A closed set of names."""

    name: str
    title: str
    values: tuple[str, ...]
    doc: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A typed attribute of a spec (TMF: characteristic)."""

    name: str
    title: str
    type: Type
    required: bool = False
    #: given where an add leaves the attribute out; None for none
    default: Value = None
    doc: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contains:
    """A child spec and how many of it a line may have."""

    spec: str
    least: int
    #: None: any number
    most: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    kind: RelationKind
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A product, service or resource, with everything it inherits already merged in."""

    name: str
    title: str
    level: Level
    attributes: Mapping[str, Attribute]
    contains: tuple[Contains, ...] = ()
    relations: tuple[Relation, ...] = ()
    #: technical levels only
    scope: Scope = Scope.LINE
    #: for scope KEY: evaluated with the source line as `line`
    scope_key: Formula | None = None
    #: itself first, then what it extends, nearest first
    lineage: tuple[str, ...] = ()
    version: str = "1"
    valid_from: date | None = None
    valid_until: date | None = None
    doc: str = ""
    span: Span | None = None
    #: attributes that some task of this design may supply later; a line without them is staged, not wrong
    supplied_later: frozenset[str] = field(default_factory=frozenset)
