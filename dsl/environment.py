"""What the names in an expression may refer to, by the place where the expression stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orderloom.models.expression import Root
from orderloom.models.values import ACTION, DATETIME, INTEGER, STRING, Type

#: built-ins of every line
LINE_BUILT_INS: Mapping[str, Type] = {"action": ACTION, "quantity": INTEGER, "id": STRING, "spec": STRING}
#: built-ins of an inventory item, in a quantifier over `assets`
ASSET_BUILT_INS: Mapping[str, Type] = {"quantity": INTEGER, "id": STRING, "spec": STRING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The names after `root.`: attributes and built-ins with their types."""

    #: what it is, for messages, e.g. "`FiberInternet`"
    owner: str
    attributes: Mapping[str, Type] = field(default_factory=dict)
    built_ins: Mapping[str, Type] = field(default_factory=dict)
    #: any name is fine and takes the type that is wanted (the payload of an event)
    open: bool = False
    #: names that were declared but are wrong; said already
    broken: frozenset[str] = frozenset()
    #: names that have different types in the specs that it may be, with the words for it
    conflicts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The roots that an expression may use; a bare name is looked up in `bare`."""

    #: e.g. "a decomposition rule", for messages
    place: str
    roots: Mapping[Root, Members]
    bare: Root | None = None


ORDER = Members(
    owner="the order",
    attributes={
        "id": STRING,
        "external_id": STRING.maybe(),
        "category": STRING.maybe(),
        "description": STRING.maybe(),
        "channel": STRING.maybe(),
        "priority": INTEGER,
        "requested_start": DATETIME.maybe(),
        "requested_completion": DATETIME.maybe(),
        "order_date": DATETIME,
    },
)

ACCOUNT = Members(owner="the account", attributes={"id": STRING, "name": STRING.maybe()})

#: where constants stand: nothing to refer to
NOTHING = Environment(place="a constant", roots={})
