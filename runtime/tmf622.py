"""TM Forum TMF622 Product Ordering v4: documents in, orders of the core out, and back.

What a document holds beyond the fields named here is tolerated and kept; what is named here is checked, and every
problem says where it is, what was found and what was expected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from orderloom.models.catalog import Action, RelationKind
from orderloom.models.conversion import Json, to_json
from orderloom.models.order import Account, ItemRelation, OrderItem, OrderStatus, ProductOrder
from orderloom.runtime.errors import DocumentProblem, OrderRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a document may hold at most."""

    #: bytes of JSON
    size: int = 20_000_000
    #: levels of nested objects and lists
    depth: int = 64
    #: order items, at all levels together
    items: int = 10_000


#: problems reported of one document
_REPORTED = 50
#: TMF's own actions, and the usual extensions of them
_ItemAction = Literal["add", "modify", "delete", "noChange", "suspend", "resume", "move"]
_ITEM_ID = re.compile(r"[A-Za-z0-9._~#@+-]{1,100}")
_ITEM_ID_EXPECTED = "1 to 100 letters, digits or any of `._~#@+-`"
_PRIORITIES = ("0", "1", "2", "3", "4")


def _instant(found: object) -> datetime:
    if isinstance(found, str) and len(found) > len("2026-01-31"):
        try:
            instant = datetime.fromisoformat(found)
            return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("a date and time in ISO 8601, e.g. `2026-01-31T08:00:00Z`")


def _priority(found: object) -> int:
    text = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
    if text in _PRIORITIES:
        return int(str(text))
    raise ValueError('one of "0" (highest) to "4"')


def _item_id(found: object) -> str:
    if isinstance(found, str) and _ITEM_ID.fullmatch(found):
        return found
    raise ValueError(_ITEM_ID_EXPECTED)


def _id(found: object) -> str:
    if isinstance(found, str) and 0 < len(found) <= 300 and found.isprintable():
        return found
    raise ValueError("a string of 1 to 300 printable characters")


_Instant = Annotated[datetime, BeforeValidator(_instant)]
_Priority = Annotated[int, BeforeValidator(_priority)]
_ItemId = Annotated[str, BeforeValidator(_item_id)]
_Id = Annotated[str, BeforeValidator(_id)]
_Text = Annotated[str, Field(max_length=100_000)]


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class Reference(_Document):
    """A reference to an entity kept elsewhere: an account, a specification, an offering, a channel."""

    id: _Id | None = None
    name: _Text | None = None


class RelatedParty(Reference):
    """RelatedParty."""

    role: _Text | None = None


class Characteristic(_Document):
    """Characteristic; `value` is read against the specification when the order is decomposed."""

    name: _Id
    value: Any


class Note(_Document):
    """Note."""

    text: _Text
    author: _Text | None = None


class ProductRelationship(_Document):
    """ProductRelationship: `reliesOn` a product in inventory."""

    relationshipType: _Text
    product: Reference


class Product(_Document):
    """ProductRefOrValue: the product wanted, or by `id` the one in inventory that is to change."""

    id: _Id | None = None
    productSpecification: Reference | None = None
    productOffering: Reference | None = None
    productCharacteristic: list[Characteristic] = []
    productRelationship: list[ProductRelationship] = []


class ItemRelationship(_Document):
    """OrderItemRelationship: `bundles`, `reliesOn` and the like, to another item of the order."""

    id: _ItemId
    relationshipType: _Text


class ProductOrderItem(_Document):
    """ProductOrderItem."""

    id: _ItemId
    action: _ItemAction
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    product: Product | None = None
    productOffering: Reference | None = None
    billingAccount: Reference | None = None
    productOrderItem: list[ProductOrderItem] = []
    productOrderItemRelationship: list[ItemRelationship] = []


class ProductOrderCreate(_Document):
    """ProductOrder_Create, and the `id` that a system before this one may have given the order."""

    id: _ItemId | None = None
    externalId: _Id | None = None
    category: _Text | None = None
    description: _Text | None = None
    priority: _Priority = 4
    requestedStartDate: _Instant | None = None
    requestedCompletionDate: _Instant | None = None
    billingAccount: Reference | None = None
    relatedParty: list[RelatedParty] = []
    channel: list[Reference] = []
    note: list[Note] = []
    productOrderItem: Annotated[list[ProductOrderItem], Field(min_length=1)]


def parse(document: bytes | str | Mapping[str, Any], limits: Limits = Limits()) -> dict[str, Any]:
    """The document as plain JSON values, within limits. Raises OrderRefused."""
    if isinstance(document, Mapping):
        try:
            document = orjson.dumps(document)
        except (TypeError, ValueError) as error:
            raise _refused("", str(error), "JSON") from error
    elif isinstance(document, str):
        document = document.encode("utf-8", "surrogatepass")
    if len(document) > limits.size:
        raise _refused("", f"{len(document):,} bytes", f"at most {limits.size:,}")
    if _depth(document) > limits.depth:
        raise _refused("", f"more than {limits.depth} levels of objects and lists", f"at most {limits.depth}")
    try:
        parsed = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise _refused("", f"no JSON ({error.msg} at line {error.lineno}, column {error.colno})", "JSON") from None
    if _MANY_DIGITS.search(document):
        json.loads(document, parse_int=_exact)
    if not isinstance(parsed, dict):
        raise _refused("", shown(parsed), "an object, a TMF622 `ProductOrder`")
    return parsed


def read(document: Mapping[str, Any], limits: Limits = Limits()) -> ProductOrderCreate:
    """The checked document. Raises OrderRefused with every problem found."""
    _count_items(document, limits)
    try:
        return ProductOrderCreate.model_validate(dict(document))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=True)
        raise OrderRefused(tuple(_problem(each) for each in found[:_REPORTED])) from None


def to_order(
    document: ProductOrderCreate,
    *,
    id: str,
    order_date: datetime,
    specs: Collection[str] = (),
    products: Mapping[str, str] | None = None,
) -> ProductOrder:
    """The order that a document asks for.

    `specs` are the names of the product specs that may be ordered: of an item's `productSpecification` and
    `productOffering`, the first id or name among them is taken. `products` gives the spec of products in inventory, for
    items that name a product only. Raises OrderRefused.
    """
    placed = _Placed(document)
    problems = list(placed.problems)
    items = []
    for item in placed.in_order():
        path = placed.paths[item.id]
        spec = _spec(item, frozenset(specs), products or {})
        if not spec:
            problems.append(DocumentProblem(f"{path}.product.productSpecification", "nothing", "the spec ordered"))
        items.append(
            OrderItem(
                id=item.id,
                action=Action(item.action),
                spec=spec,
                quantity=item.quantity,
                attributes=_attributes(item, path, problems),
                product=(item.product and item.product.id) or "",
                parent=placed.parents.get(item.id, ""),
                relations=tuple(_relations(item)),
            )
        )
    account = account_of(document)
    if account is None:
        problems.append(
            DocumentProblem("billingAccount", "nothing", "the account's `id` here, or a `relatedParty` as customer")
        )
    if problems or account is None:
        raise OrderRefused(tuple(problems[:_REPORTED]))
    return ProductOrder(
        id=id,
        account=account,
        items=tuple(items),
        order_date=order_date,
        external_id=document.externalId or "",
        category=document.category or "",
        description=document.description or "",
        channel=next((channel.id or channel.name or "" for channel in document.channel), ""),
        priority=document.priority,
        requested_start=document.requestedStartDate,
        requested_completion=document.requestedCompletionDate,
    )


def document(order: ProductOrder) -> dict[str, Json]:
    """The document that asks for an order, with its items nested."""
    children: dict[str, list[OrderItem]] = {}
    for item in order.items:
        children.setdefault(item.parent, []).append(item)

    def shaped(item: OrderItem) -> dict[str, Json]:
        product: dict[str, Json] = {"productSpecification": {"id": item.spec, "name": item.spec}}
        if item.product:
            product["id"] = item.product
        if item.attributes:
            product["productCharacteristic"] = [
                {"name": name, "value": item.attributes[name]} for name in item.attributes
            ]
        held: list[Json] = [
            {"relationshipType": _RELATION_NAMES[each.kind], "product": {"id": each.product}}
            for each in item.relations
            if each.product
        ]
        if held:
            product["productRelationship"] = held
        result: dict[str, Json] = {"id": item.id, "action": str(item.action), "quantity": item.quantity}
        result["product"] = product
        related: list[Json] = [
            {"relationshipType": _RELATION_NAMES[each.kind], "id": each.item} for each in item.relations if each.item
        ]
        if related:
            result["productOrderItemRelationship"] = related
        if item.id in children:
            result["productOrderItem"] = [shaped(child) for child in children[item.id]]
        return result

    account: dict[str, Json] = {"id": order.account.id}
    if order.account.name:
        account["name"] = order.account.name
    found: dict[str, Json] = {
        "externalId": order.external_id,
        "category": order.category,
        "description": order.description,
        "priority": str(order.priority),
        "requestedStartDate": to_json(order.requested_start),
        "requestedCompletionDate": to_json(order.requested_completion),
        "billingAccount": account,
        "channel": [{"id": order.channel}] if order.channel else None,
        "productOrderItem": [shaped(item) for item in children.get("", [])],
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def to_tmf622(
    document: Mapping[str, Json],
    *,
    id: str,
    status: OrderStatus,
    order_date: datetime,
    completion_date: datetime | None = None,
    item_states: Mapping[str, OrderStatus] | None = None,
    href: str = "",
) -> dict[str, Json]:
    """The ProductOrder resource: the document as it was submitted, with what became of it.

    A cancelled or rejected order bears no `completionDate`; item states that TMF622 lacks are given as the nearest.
    """
    states = item_states or {}
    result: dict[str, Json] = dict(document)
    result |= {"id": id, "state": str(status), "orderDate": to_json(order_date)}
    if href:
        result["href"] = href
    result.pop("completionDate", None)
    if completion_date is not None:
        result["completionDate"] = to_json(completion_date)
    result["productOrderItem"] = _with_states(document.get("productOrderItem"), states)
    result.setdefault("@type", "ProductOrder")
    return result


def shown(found: object) -> str:
    """A value for a message, on one line and short."""
    text = repr(found)
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


def _with_states(items: Json, states: Mapping[str, OrderStatus]) -> Json:
    if not isinstance(items, list):
        return items
    result: list[Json] = []
    for item in items:
        if isinstance(item, dict):
            shaped = dict(item)
            state = states.get(str(item.get("id")))
            if state is not None:
                # ProductOrderItemStateType has no `partial`
                shaped["state"] = str(OrderStatus.FAILED if state is OrderStatus.PARTIAL else state)
            if "productOrderItem" in item:
                shaped["productOrderItem"] = _with_states(item["productOrderItem"], states)
            result.append(shaped)
        else:
            result.append(item)
    return result


class _Placed:
    """The items of a document in their tree, whether it is given by nesting or by `bundles` relations."""

    def __init__(self, document: ProductOrderCreate) -> None:
        self.items: dict[str, ProductOrderItem] = {}
        self.paths: dict[str, str] = {}
        self.parents: dict[str, str] = {}
        self.problems: list[DocumentProblem] = []
        self._collect(document.productOrderItem, "productOrderItem", "")
        for item in self.items.values():
            self._relate(item)
        self._refuse_circles()

    def in_order(self) -> Iterator[ProductOrderItem]:
        """Parents before their children, otherwise as submitted."""
        children: dict[str, list[str]] = {}
        for id in self.items:
            children.setdefault(self.parents.get(id, ""), []).append(id)
        waiting = list(reversed(children.get("", [])))
        while waiting:
            id = waiting.pop()
            yield self.items[id]
            waiting.extend(reversed(children.get(id, [])))

    def _collect(self, items: list[ProductOrderItem], path: str, parent: str) -> None:
        for index, item in enumerate(items):
            here = f"{path}[{index}]"
            if item.id in self.items:
                self._problem(f"{here}.id", f"`{item.id}` again", f"an id unlike that of `{self.paths[item.id]}`")
                continue
            self.items[item.id] = item
            self.paths[item.id] = here
            if parent:
                self.parents[item.id] = parent
            self._collect(item.productOrderItem, f"{here}.productOrderItem", item.id)

    def _relate(self, item: ProductOrderItem) -> None:
        for index, relation in enumerate(item.productOrderItemRelationship):
            path = f"{self.paths[item.id]}.productOrderItemRelationship[{index}]"
            if relation.id not in self.items:
                self._problem(f"{path}.id", f"`{relation.id}`", "the id of an item of this order")
                continue
            kind = relation.relationshipType.lower()
            if kind in _BUNDLES:
                self._place(path, child=relation.id, parent=item.id)
            elif kind in _BUNDLED:
                self._place(path, child=item.id, parent=relation.id)

    def _place(self, path: str, *, child: str, parent: str) -> None:
        if self.parents.get(child, parent) != parent:
            self._problem(path, f"a second parent of item `{child}`", f"`{self.parents[child]}` as its only parent")
        else:
            self.parents[child] = parent

    def _refuse_circles(self) -> None:
        sound: set[str] = set()
        for start in self.items:
            trail: list[str] = []
            at = start
            while at and at not in sound:
                if at in trail:
                    self._problem(self.paths[at], "an item that is part of itself", "a tree of items")
                    break
                trail.append(at)
                at = self.parents.get(at, "")
            sound.update(trail)

    def _problem(self, path: str, found: str, expected: str) -> None:
        self.problems.append(DocumentProblem(path, found, expected))


_BUNDLES = ("bundles", "hasparticipant", "contains")
_BUNDLED = ("bundled", "isbundledby", "bundledby", "iscontainedby", "iscontainedin", "childof")
_RELATIONS = {"relieson": RelationKind.RELIES_ON, "requires": RelationKind.REQUIRES, "excludes": RelationKind.EXCLUDES}

_RELATION_NAMES = {
    RelationKind.RELIES_ON: "reliesOn",
    RelationKind.REQUIRES: "requires",
    RelationKind.EXCLUDES: "excludes",
}


def _relations(item: ProductOrderItem) -> Iterator[ItemRelation]:
    for relation in item.productOrderItemRelationship:
        if kind := _RELATIONS.get(relation.relationshipType.lower()):
            yield ItemRelation(kind=kind, item=relation.id)
    for held in item.product.productRelationship if item.product else ():
        kind = _RELATIONS.get(held.relationshipType.lower())
        if kind and held.product.id:
            yield ItemRelation(kind=kind, product=held.product.id)


def _spec(item: ProductOrderItem, specs: Collection[str], products: Mapping[str, str]) -> str:
    product = item.product or Product()
    references = (product.productSpecification, item.productOffering, product.productOffering)
    named = [name for each in references if each for name in (each.id, each.name) if name]
    known = next((name for name in named if name in specs), "")
    return known or products.get(product.id or "", "") or next(iter(named), "")


def _attributes(item: ProductOrderItem, path: str, problems: list[DocumentProblem]) -> dict[str, Json]:
    attributes: dict[str, Json] = {}
    for index, characteristic in enumerate(item.product.productCharacteristic if item.product else ()):
        if characteristic.name in attributes:
            place = f"{path}.product.productCharacteristic[{index}].name"
            problems.append(DocumentProblem(place, f"{shown(characteristic.name)} again", "each characteristic once"))
        attributes[characteristic.name] = characteristic.value
    return attributes


def account_of(document: ProductOrderCreate) -> Account | None:
    """The billing account, else the customer among the related parties, else the one account of all items."""
    billing = document.billingAccount
    if billing and billing.id:
        return Account(id=billing.id, name=billing.name or "")
    for party in document.relatedParty:
        if party.id and (party.role or "").lower() in ("customer", "buyer"):
            return Account(id=party.id, name=party.name or "")
    billed = [item.billingAccount for item in document.productOrderItem if item.billingAccount]
    accounts = {account.id: account for account in billed}
    if len(accounts) == 1:
        id, billing = next(iter(accounts.items()))
        return Account(id=id, name=billing.name or "") if id else None
    return None


def _count_items(document: Mapping[str, Any], limits: Limits) -> None:
    count, waiting = 0, [document.get("productOrderItem")]
    while waiting:
        items = waiting.pop()
        if not isinstance(items, list):
            continue
        count += len(items)
        if count > limits.items:
            raise _refused("productOrderItem", f"more than {limits.items:,} items", f"at most {limits.items:,}")
        waiting.extend(item.get("productOrderItem") for item in items if isinstance(item, dict))


#: strings (read past, also unclosed ones) and brackets; possessive, so that no document makes it backtrack
_NESTING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{\]}]', re.DOTALL)
_MANY_DIGITS = re.compile(rb"\d{19}")


def _depth(document: bytes) -> int:
    deepest = depth = 0
    for token in _NESTING.finditer(document):
        first = token[0][0]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def _exact(digits: str) -> int:
    """Refuses what a reader would round silently."""
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        raise _refused("", f"the number `{digits[:40]}`", "numbers within 64 bits, longer ones as strings")
    return int(digits)


def _refused(path: str, found: str, expected: str) -> OrderRefused:
    return OrderRefused((DocumentProblem(path, found, expected),))


_EXPECTED = {
    "string_type": "a string",
    "int_type": "an integer",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "missing": "a value",
}
_MISSING = {
    "action": f"one of {', '.join(get_args(_ItemAction))}",
    "id": "a string",
    "name": "a string",
    "text": "a string",
    "relationshipType": "a string, e.g. `reliesOn`",
    "product": "an object",
    "productOrderItem": "a list of at least one item",
}


def _problem(error: ErrorDetails) -> DocumentProblem:
    kind, context = error["type"], error.get("ctx", {})
    location = error["loc"]
    found = "nothing" if kind == "missing" else shown(error["input"])
    if kind == "missing":
        expected = _MISSING.get(str(location[-1]), "a value")
    elif kind == "literal_error":
        expected = f"one of {', '.join(get_args(_ItemAction))}"
    elif kind == "value_error":
        expected = str(context["error"])
    elif kind == "too_short":
        expected = "at least one item"
    elif kind == "string_too_long":
        found, expected = f"a string of {len(error['input']):,} characters", f"at most {context['max_length']:,}"
    else:
        expected = _EXPECTED.get(kind) or error["msg"].removeprefix("Input should be ").lower()
    return DocumentProblem(json_path(location), found, expected)


def json_path(location: tuple[int | str, ...]) -> str:
    """`productOrderItem[0].action` for ("productOrderItem", 0, "action")."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text
