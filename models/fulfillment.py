"""What decomposition makes of an order: lines of all levels with their provenance."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from orderloom.models.catalog import Action, Level, RelationKind, Scope
from orderloom.models.inventory import Asset
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.order import OrderStatus
from orderloom.models.values import Value


class Origin(StrEnum):
    """What set an attribute."""

    ORDER = "order"
    DEFAULT = "default"
    INVENTORY = "inventory"
    RULE = "rule"
    TASK = "task"
    PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the value of one attribute came from."""

    origin: Origin
    #: rule id, task id, or the person's name
    by: str = ""
    #: id of the source line, for RULE
    source: str = ""
    #: the expression as written, for RULE and TASK
    text: str = ""


@dataclass(frozen=True, slots=True)
class LineSource:
    """One source line that a technical line stands for, and the rule that related them."""

    line: str
    rule: str


@dataclass(frozen=True, slots=True)
class LineRelation:
    kind: RelationKind
    line: str


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of any level. Product lines have the ids of their order items; technical ones `Spec:anchor`."""

    id: str
    spec: str
    level: Level
    action: Action
    quantity: int
    attributes: dict[str, Value]
    #: structural parent: for a product its parent item; for a technical line its first source's line
    parent: str
    #: id of the root product line of the bundle it belongs to (of its first source)
    root: str
    #: id of the inventory item that it makes or changes
    asset: str
    scope: Scope = Scope.LINE
    #: what it merged by, see `Asset.anchor`; "" for products
    anchor: str = ""
    sources: tuple[LineSource, ...] = ()
    relations: tuple[LineRelation, ...] = ()
    #: a product of the account that the order does not touch, looked at because it shares technical lines
    context: bool = False
    #: required attributes that a task will supply; the line is staged while there are any
    missing: tuple[str, ...] = ()
    #: what inventory held before, by attribute; empty for an add
    before: dict[str, Value] = field(default_factory=dict)
    #: users (asset ids) that its inventory item gains and loses by this order
    users_added: frozenset[str] = frozenset()
    users_removed: frozenset[str] = frozenset()
    #: its inventory item as the order found it; None for an add
    held: Asset | None = None
    #: products: order that the product came with; what is scoped by order merges by it
    ordered: str = ""
    #: whether inventory was told of the line: an add from its start on, anything else once it was completed
    written: bool = False
    provenance: dict[str, Provenance] = field(default_factory=dict)
    state: OrderStatus = OrderStatus.ACKNOWLEDGED
    #: the worst of its open tasks and of lines made from it
    jeopardy: Jeopardy = Jeopardy.GREEN


class ProblemKind(StrEnum):
    """Why an order cannot be decomposed; each is a reason to reject it."""

    UNKNOWN_SPEC = "unknown spec"
    UNKNOWN_ATTRIBUTE = "unknown attribute"
    BAD_VALUE = "bad value"
    MISSING_VALUE = "missing value"
    CARDINALITY = "cardinality"
    RELATION = "relation"
    INVENTORY = "inventory"
    CONFLICT = "conflict"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason, in words that the one who ordered can act on."""

    kind: ProblemKind
    #: id of the line it is about, "" for the whole order
    line: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decomposition:
    """All lines of an order, sources before what they feed. With problems the lines are not to be used."""

    order: str
    lines: dict[str, Line]
    problems: tuple[Problem, ...] = ()
