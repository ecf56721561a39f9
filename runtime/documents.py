"""TMF622 v4 documents as they come: limits against hostile ones, the fields that are read, every problem named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

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
REPORTED = 50
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


class OrderRelationship(_Document):
    """OrderRelationship: `dependsOn` another order, by its id or external id."""

    id: _Id
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
    orderRelationship: list[OrderRelationship] = []
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
        raise OrderRefused(tuple(_problem(each) for each in found[:REPORTED])) from None


def shown(found: object) -> str:
    """A value for a message, on one line and short."""
    text = repr(found)
    return f"`{text if len(text) <= 60 else text[:57] + '…'}`"


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
