"""Orders of scenarios: TMF622 documents in files or in place, or the short form of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from orderloom.models.catalog import Action
from orderloom.models.conversion import Json
from orderloom.models.order import ProductOrder
from orderloom.runtime import documents, tmf622
from orderloom.runtime.errors import OrderRefused
from orderloom.runtime.scenarios.names import Names
from orderloom.runtime.scenarios.nodes import Node

_ACTIONS = tuple(str(action) for action in Action)
_ORDER_KEYS = (
    "id",
    "account",
    "date",
    "items",
    "priority",
    "external_id",
    "category",
    "channel",
    "description",
    "requested_start",
    "requested_completion",
    "related",
)
_ITEM_KEYS = (*_ACTIONS, "id", "with", "quantity", "items", "spec", "relies_on", "requires", "excludes", "replaces")
_RELATIONS = {"relies_on": "reliesOn", "requires": "requires", "excludes": "excludes", "replaces": "replaces"}


class Orders:
    """Reads the orders of one scenario."""

    def __init__(self, names: Names, folder: Path) -> None:
        self._names = names
        self._folder = folder
        #: products by their id in inventory -> spec, from inventory and from the orders read before
        self.products: dict[str, str] = {}

    def read(self, node: Node, *, id: str, date: datetime) -> ProductOrder | None:
        """None where it cannot be read, which is told of."""
        try:
            document = self._document(node, id)
            if document is None:
                return None
            if "date" in document:
                date = datetime.fromisoformat(str(document.pop("date")).replace("Z", "+00:00"))
            read = documents.read(document)
            order = tmf622.to_order(
                read,
                id=read.id or id,
                order_date=date,
                specs=self._names.design.specs,
                products=self.products,
            )
        except OrderRefused as refusal:
            node.problem(f"`{node.name}`: {refusal}")
            return None
        except OSError as problem:
            node.problem(f"`{node.name}`: cannot read the order: {problem.strerror}")
            return None
        for item in order.items:
            if not item.product:
                self.products[f"{order.id}:{item.id}"] = item.spec
        self._names.assets |= self.products
        return order

    def _document(self, node: Node, id: str) -> dict[str, Json] | None:
        if not node.is_mapping:
            path = self._folder / node.text()
            if not path.is_file():
                near = sorted(str(each.relative_to(self._folder)) for each in path.parent.glob("*.json"))
                node.unknown(node.text(), near, "file of an order")
                return None
            return documents.parse(path.read_bytes())
        plain = node.plain()
        if isinstance(plain, dict) and "productOrderItem" in plain:
            return plain
        found = node.mapping(_ORDER_KEYS)
        if "items" not in found:
            node.problem(f"`{node.name}`: expected `items`, or a TMF622 document with `productOrderItem`")
            return None
        document: dict[str, Json] = {
            "id": found["id"].plain() if "id" in found else id,
            "billingAccount": {"id": found["account"].plain() if "account" in found else "A-1"},
            "productOrderItem": list(self._items(found["items"], "")),
        }
        if "date" in found:
            document["date"] = found["date"].instant().isoformat()
        if "priority" in found:
            document["priority"] = str(found["priority"].plain())
        if "channel" in found:
            document["channel"] = [{"id": found["channel"].plain()}]
        if "related" in found:
            named = found["related"].texts()
            document["orderRelationship"] = [{"id": each, "relationshipType": "relatedTo"} for each in named]
        for name, field in _FIELDS.items():
            if name in found:
                document[field] = found[name].plain()
        return document

    def _items(self, node: Node, parent: str) -> Iterator[dict[str, Json]]:
        for number, each in enumerate(node.items(), start=1):
            found = each.mapping(_ITEM_KEYS)
            actions = [action for action in _ACTIONS if action in found]
            if len(actions) != 1:
                each.expected(f"one action out of {', '.join(_ACTIONS)}")
                continue
            id = str(found["id"].plain()) if "id" in found else f"{parent}{number}"
            yield self._item(actions[0], found, id)

    def _item(self, action: str, found: Mapping[str, Node], id: str) -> dict[str, Json]:
        named = found[action]
        name = named.text()
        product: dict[str, Json] = {}
        spec = found["spec"].text() if "spec" in found else name
        if action == "add":
            self._names.spec(spec, named)
        else:
            product["id"] = name
            spec = found["spec"].text() if "spec" in found else self.products.get(name, "")
            if not spec:
                named.unknown(name, self.products, "product in inventory")
        product["productSpecification"] = {"id": spec}
        if "with" in found:
            known = self._names.design.specs.get(spec)
            values = found["with"].mapping(known.attributes if known else None, f"attribute of `{spec}`")
            product["productCharacteristic"] = [{"name": key, "value": value.plain()} for key, value in values.items()]
        item: dict[str, Json] = {"id": id, "action": action, "product": product}
        if "quantity" in found:
            item["quantity"] = found["quantity"].integer()
        related: list[Json] = []
        held: list[Json] = []
        for key, kind in _RELATIONS.items():
            for other in found[key].texts() if key in found else ():
                if other in self.products:
                    held.append({"relationshipType": kind, "product": {"id": other}})
                else:
                    related.append({"relationshipType": kind, "id": other})
        if related:
            item["productOrderItemRelationship"] = related
        if held:
            product["productRelationship"] = held
        if "items" in found:
            item["productOrderItem"] = list(self._items(found["items"], f"{id}."))
        return item


_FIELDS = {
    "external_id": "externalId",
    "category": "category",
    "description": "description",
    "requested_start": "requestedStartDate",
    "requested_completion": "requestedCompletionDate",
}
