"""Product orders at the boundary: what is read, what is refused and how, what is given back."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderloom.models.catalog import Action, RelationKind
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.runtime import tmf622
from orderloom.runtime.errors import OrderRefused

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPEC = Path(__file__).parents[4] / "shared/specs/tmf/TMF622-ProductOrder-v4.0.0.swagger.json"


def item(id: str = "1", action: str = "add", spec: str = "Fiber", **more: Any) -> dict[str, Any]:
    return {"id": id, "action": action, "product": {"productSpecification": {"id": spec}}, **more}


def document(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"billingAccount": {"id": "A-1"}, "productOrderItem": list(items or (item(),)), **more}


def read(found: Any, **more: Any) -> ProductOrder:
    return tmf622.to_order(tmf622.read(tmf622.parse(found)), id="O", order_date=AT, **more)


def problems(found: Any) -> dict[str, str]:
    with pytest.raises(OrderRefused) as refused:
        read(found)
    return {each.path: f"{each.found} | {each.expected}" for each in refused.value.problems}


def test_an_order_with_everything() -> None:
    order = read(
        document(
            item(
                "1",
                productOrderItem=[item("1.1", spec="Router", quantity=2)],
                productOrderItemRelationship=[{"id": "2", "relationshipType": "reliesOn"}],
            ),
            item("2", "modify", "Voice"),
            externalId="X-7",
            category="residential",
            description="move in",
            priority="1",
            channel=[{"id": "shop"}],
            requestedStartDate="2026-03-02T09:00:00+01:00",
            requestedCompletionDate="2026-03-05T09:00:00Z",
        )
    )
    assert order.external_id == "X-7"
    assert order.account.id == "A-1"
    assert (order.category, order.description, order.channel, order.priority) == ("residential", "move in", "shop", 1)
    assert order.requested_start == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert [each.id for each in order.items] == ["1", "1.1", "2"]
    assert order.items[1].parent == "1"
    assert order.items[1].quantity == 2
    assert order.items[2].action is Action.MODIFY
    assert [(each.kind, each.item) for each in order.items[0].relations] == [(RelationKind.RELIES_ON, "2")]


def test_characteristics_keep_their_json() -> None:
    product = {
        "productSpecification": {"id": "Fiber"},
        "productCharacteristic": [
            {"name": "speed", "value": "gbps_1", "valueType": "string"},
            {"name": "ports", "value": [1, 2.5, None]},
        ],
    }
    order = read(document({"id": "1", "action": "add", "product": product}))
    assert order.items[0].attributes == {"speed": "gbps_1", "ports": [1, 2.5, None]}


def test_flat_items_are_placed_by_bundles() -> None:
    child, top = item("b", spec="Router"), item("a")
    top["productOrderItemRelationship"] = [{"id": "b", "relationshipType": "bundles"}]
    assert [(each.id, each.parent) for each in read(document(child, top)).items] == [("a", ""), ("b", "a")]


def test_the_spec_may_be_named_by_offering_name_or_held_product() -> None:
    offered = {"id": "1", "action": "add", "productOffering": {"id": "77", "name": "Fiber"}}
    assert read(document(offered), specs=["Fiber"]).items[0].spec == "Fiber"
    held = {"id": "1", "action": "delete", "product": {"id": "P-9"}}
    assert read(document(held), products={"P-9": "Fiber"}).items[0].spec == "Fiber"


@pytest.mark.parametrize(
    "more",
    [
        {"relatedParty": [{"id": "S", "role": "seller"}, {"id": "C-1", "role": "Customer", "name": "Ada"}]},
        {"productOrderItem": [item(billingAccount={"id": "C-1"})]},
    ],
)
def test_the_account_may_stand_elsewhere(more: dict[str, Any]) -> None:
    found = {"productOrderItem": [item()], **more}
    assert read(found).account.id == "C-1"


def test_every_problem_is_told_with_its_place() -> None:
    found = problems(
        {
            "productOrderItem": [
                {"id": 1, "action": "ad", "quantity": "x"},
                {"action": "add", "product": {"productCharacteristic": [{"value": 1}]}},
            ],
            "priority": "9",
            "requestedStartDate": "soon",
        }
    )
    assert found["productOrderItem[0].id"] == "`1` | 1 to 100 letters, digits or any of `._~#@+-`"
    assert found["productOrderItem[0].action"].startswith("`'ad'` | one of add, modify, delete, noChange")
    assert found["productOrderItem[0].quantity"] == "`'x'` | an integer"
    assert found["productOrderItem[1].id"] == "nothing | a string"
    assert found["productOrderItem[1].product.productCharacteristic[0].name"] == "nothing | a string"
    assert found["priority"] == '`\'9\'` | one of "0" (highest) to "4"'
    assert found["requestedStartDate"].startswith("`'soon'` | a date and time")


def test_problems_between_items_are_told_together() -> None:
    twice = item("1", productOrderItem=[item("1")])
    circle = [
        item(each, productOrderItemRelationship=[{"id": other, "relationshipType": "bundles"}])
        for each, other in (("x", "y"), ("y", "x"))
    ]
    stray = item("9", productOrderItemRelationship=[{"id": "nowhere", "relationshipType": "reliesOn"}])
    found = problems({"productOrderItem": [twice, *circle, stray, {"id": "s", "action": "add"}]})
    assert found["productOrderItem[0].productOrderItem[0].id"].startswith("`1` again")
    assert found["productOrderItem[1]"] == "an item that is part of itself | a tree of items"
    assert "an item of this order" in found["productOrderItem[3].productOrderItemRelationship[0].id"]
    assert found["productOrderItem[4].product.productSpecification"] == "nothing | the spec ordered"
    assert found["billingAccount"].startswith("nothing")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("[]", "an object"),
        ("{", "JSON"),
        ('{"a": NaN}', "JSON"),
        ('{"a": "\\ud800"}', "JSON"),
        ('{"a": 123456789012345678901}', "numbers within 64 bits"),
        ("[" * 5_000, "at most 64"),
        ('{"a": "' + "x" * 20_000_001 + '"}', "at most 20,000,000"),
        (b'"' + b'\\"' * 1_000_000, "JSON"),
    ],
    ids=["list", "broken", "nan", "surrogate", "digits", "depth", "size", "quotes"],
)
def test_hostile_documents_are_refused(found: str | bytes, said: str) -> None:
    assert said in problems(found)[""]


def test_too_many_items_are_refused_before_they_are_read() -> None:
    found = document(item(productOrderItem=[{} for _ in range(10_000)]))
    assert problems(found) == {"productOrderItem": "more than 10,000 items | at most 10,000"}


@pytest.mark.parametrize("id", ["a/b", "Spec:1", "a\nb", "", "x" * 101, "\u202e1", "a b"])
def test_item_ids_cannot_be_taken_for_others(id: str) -> None:
    assert "productOrderItem[0].id" in problems(document(item(id)))


junk: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 2**63 - 1, 2**70, 1e308, "", "\0", "\u202e", "x" * 301, [], {}, [[]], [{}], {"id": {}}, {"id": []}]
)
places = st.lists(st.sampled_from(["productOrderItem", "product", "billingAccount", "id", "action", 0]), max_size=5)


@settings(max_examples=200, deadline=None)
@given(places, junk, st.sampled_from(["id", "name", "priority", "quantity", "product", "productOrderItem", "action"]))
def test_whatever_comes_is_read_or_refused(place: list[Any], value: Any, name: str) -> None:
    found: Any = document(item("1", productOrderItem=[item("2")]))
    at = found
    for step in place:
        if (isinstance(at, dict) and step in at) or (isinstance(at, list) and step == 0):
            at = at[step]
    if isinstance(at, dict):
        at[name] = value
    elif isinstance(at, list):
        at.append(value)
    try:
        read(json.dumps(found))
    except OrderRefused as refused:
        assert refused.problems


def test_an_order_comes_back_as_it_went_in_with_its_states() -> None:
    top = item("1", productOrderItem=[item("1.1", spec="Router")])
    submitted = document(top, externalId="X", note=[{"text": "ring twice"}], anything={"kept": True})
    shown = tmf622.to_tmf622(
        submitted,
        id="O",
        status=OrderStatus.PARTIAL,
        order_date=AT,
        completion_date=AT,
        item_states={"1": OrderStatus.PARTIAL, "1.1": OrderStatus.COMPLETED},
    )
    assert shown["anything"] == {"kept": True}
    assert (shown["state"], shown["completionDate"]) == ("partial", "2026-03-01T12:00:00Z")
    first: Any = shown["productOrderItem"]
    # items have no state `partial` in TMF622
    assert first[0]["state"] == "failed"
    assert first[0]["productOrderItem"][0]["state"] == "completed"
    assert "state" not in top


def test_the_document_of_an_order_asks_for_the_same_order() -> None:
    order = read(
        document(
            item("1", "modify", product={"id": "P-1", "productSpecification": {"id": "Fiber"}}),
            item(
                "2",
                productOrderItem=[
                    item("3", productOrderItemRelationship=[{"id": "1", "relationshipType": "requires"}])
                ],
            ),
            priority="2",
            requestedStartDate="2026-03-02T09:00:00Z",
            channel=[{"id": "web"}],
        )
    )
    assert read(tmf622.document(order)) == order


@pytest.mark.skipif(not SPEC.exists(), reason="the official schema is not at hand")
def test_what_is_shown_satisfies_the_official_schema() -> None:
    definitions = json.loads(SPEC.read_text())["definitions"]
    order = read(
        document(item("1", productOrderItem=[item("2", spec="Router")]), externalId="X", channel=[{"id": "web"}])
    )
    shown = tmf622.to_tmf622(
        tmf622.document(order),
        id="O",
        status=OrderStatus.COMPLETED,
        order_date=AT,
        completion_date=AT,
        item_states={"1": OrderStatus.COMPLETED, "2": OrderStatus.COMPLETED},
    )
    assert list(violations(shown, {"$ref": "#/definitions/ProductOrder"}, definitions, "")) == []
    assert list(violations({"state": "odd"}, {"$ref": "#/definitions/ProductOrder"}, definitions, ""))


def violations(found: Any, schema: dict[str, Any], definitions: dict[str, Any], path: str) -> Any:
    """What a value breaks of a Swagger schema: types, enums, required and unknown properties."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    kind = kinds.get(schema.get("type", ""))
    if kind and not isinstance(found, kind):
        yield f"{path}: no {schema['type']}"
        return
    if "enum" in schema and found not in schema["enum"]:
        yield f"{path}: {found!r} is none of {schema['enum']}"
    if isinstance(found, dict) and "properties" in schema:
        for name in schema.get("required", ()):
            if name not in found:
                yield f"{path}.{name}: missing"
        for name, value in found.items():
            if name in schema["properties"]:
                yield from violations(value, schema["properties"][name], definitions, f"{path}.{name}")
            else:
                yield f"{path}.{name}: unknown"
    if isinstance(found, list):
        if len(found) < schema.get("minItems", 0):
            yield f"{path}: too short"
        for index, value in enumerate(found):
            yield from violations(value, schema["items"], definitions, f"{path}[{index}]")
