"""TM Forum TMF622 Product Ordering v4: documents in, orders of the core out, and back.

What a document holds beyond the fields read here is tolerated and kept; what is read is checked, and every problem says
where it is, what was found and what was expected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from orderloom.models.catalog import Action, RelationKind
from orderloom.models.conversion import Json, to_json
from orderloom.models.order import Account, ItemRelation, OrderItem, OrderStatus, ProductOrder
from orderloom.runtime.documents import (
    REPORTED,
    Limits,
    Product,
    ProductOrderCreate,
    ProductOrderItem,
    parse,
    read,
    shown,
)
from orderloom.runtime.errors import DocumentProblem, OrderRefused

__all__ = ["Limits", "ProductOrderCreate", "account_of", "document", "parse", "read", "shown", "to_order", "to_tmf622"]


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
        raise OrderRefused(tuple(problems[:REPORTED]))
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
        depends_on=tuple(_related(document, gating=True)),
        related=tuple(each for each in _related(document, gating=False) if each not in (id, document.externalId)),
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
    related: list[Json] = [{"id": each, "relationshipType": "dependsOn"} for each in order.depends_on]
    related += [{"id": each, "relationshipType": "relatedTo"} for each in order.related]
    found: dict[str, Json] = {
        "externalId": order.external_id,
        "category": order.category,
        "description": order.description,
        "priority": str(order.priority),
        "requestedStartDate": to_json(order.requested_start),
        "requestedCompletionDate": to_json(order.requested_completion),
        "orderRelationship": related or None,
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


#: relationships to orders that must be completed first; in all others only tasks wait for tasks
_DEPENDS_ON = ("dependson", "requires", "after")
_BUNDLES = ("bundles", "hasparticipant", "contains")
_BUNDLED = ("bundled", "isbundledby", "bundledby", "iscontainedby", "iscontainedin", "childof")
_RELATIONS = {
    "relieson": RelationKind.RELIES_ON,
    "requires": RelationKind.REQUIRES,
    "excludes": RelationKind.EXCLUDES,
    "replaces": RelationKind.REPLACES,
}

_RELATION_NAMES = {
    RelationKind.RELIES_ON: "reliesOn",
    RelationKind.REQUIRES: "requires",
    RelationKind.EXCLUDES: "excludes",
    RelationKind.REPLACES: "replaces",
    RelationKind.REPLACED_BY: "replacedBy",
    RelationKind.MOVED_FROM: "movedFrom",
    RelationKind.MOVED_TO: "movedTo",
}


def _related(document: ProductOrderCreate, *, gating: bool) -> dict[str, None]:
    """The orders that a document names, each once: those to be completed first, or all others."""
    found = document.orderRelationship
    first = dict.fromkeys(each.id for each in found if each.relationshipType.lower() in _DEPENDS_ON)
    return first if gating else {each.id: None for each in found if each.id not in first}


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
