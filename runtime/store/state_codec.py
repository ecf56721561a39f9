"""Orders, lines, tasks and assets as JSON and back. Fields that hold their default are left out.

Enums are written by `_value_`: `value` is a Python function, called a dozen times a row.
"""

from __future__ import annotations

from typing import Any

from orderloom.models.catalog import Action, Attribute, Level, RelationKind, Scope
from orderloom.models.conversion import Json
from orderloom.models.fulfillment import Line, LineRelation, LineSource, Origin, Provenance
from orderloom.models.inventory import Asset, AssetState
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.order import Account, ItemRelation, OrderItem, OrderStatus, ProductOrder
from orderloom.models.plan import Task, TaskRole, TaskState
from orderloom.models.tasks import TaskKind
from orderloom.models.values import Kind, Type
from orderloom.runtime.store.codec import dumps, instant, loads, maybe_instant, micros, unpack
from orderloom.runtime.store.codec import unpack_values as values_of

Found = dict[str, Any]

_TASK_STATES = {str(state): state for state in TaskState}
_TASK_KINDS = {str(kind): kind for kind in TaskKind}
_STATUSES = {str(status): status for status in OrderStatus}


# --- tasks -----------------------------------------------------------------------------------------------------------


def task_bytes(task: Task) -> bytes:
    """All fields but its id, which is the row's key."""
    found: Found = {"def": task.definition, "kind": task.kind._value_, "line": task.line, "state": task.state._value_}
    if task.within:
        found["within"] = task.within
    if task.after:
        found["after"] = task.after
    if task.needs:
        found["needs"] = task.needs
    if task.elsewhere:
        found["elsewhere"] = task.elsewhere
    if task.attempts:
        found["attempts"] = task.attempts
    if task.retries:
        found["retries"] = task.retries
    if task.generation:
        found["generation"] = task.generation
    if task.outputs:
        found["outputs"] = task.outputs
    if task.code:
        found["code"] = task.code
    if task.message:
        found["message"] = task.message
    if task.queue:
        found["queue"] = task.queue
    if task.asked:
        found["asked"] = task.asked
    if task.by:
        found["by"] = task.by
    if task.role is not TaskRole.PLANNED:
        found["role"] = task.role._value_
    if task.of:
        found["of"] = task.of
    if task.version:
        found["version"] = task.version
    if task.due is not None:
        found["due"] = micros(task.due)
    if task.ready_at is not None:
        found["ready"] = micros(task.ready_at)
    if task.started_at is not None:
        found["started"] = micros(task.started_at)
    if task.finished_at is not None:
        found["finished"] = micros(task.finished_at)
    if task.jeopardy is not Jeopardy.GREEN:
        found["jeopardy"] = task.jeopardy._value_
    return dumps(found)


def task_from(id: str, data: bytes) -> Task:
    found = loads(data)
    get = found.get
    outputs = get("outputs")
    return Task(
        id=id,
        definition=found["def"],
        kind=_TASK_KINDS[found["kind"]],
        line=found["line"],
        within=get("within", ""),
        after=tuple(get("after", ())),
        needs=tuple(get("needs", ())),
        elsewhere=tuple((order, name) for order, name in get("elsewhere", ())),
        state=_TASK_STATES[found["state"]],
        attempts=get("attempts", 0),
        retries=get("retries", 0),
        generation=get("generation", 0),
        outputs=values_of(outputs) if outputs else {},
        code=get("code", ""),
        message=get("message", ""),
        queue=get("queue", ""),
        asked=get("asked", ""),
        due=maybe_instant(get("due")),
        ready_at=maybe_instant(get("ready")),
        started_at=maybe_instant(get("started")),
        finished_at=maybe_instant(get("finished")),
        by=get("by", ""),
        jeopardy=Jeopardy(get("jeopardy", "green")),
        role=TaskRole(get("role", "planned")),
        of=get("of", ""),
        version=get("version", 0),
    )


# --- lines -----------------------------------------------------------------------------------------------------------


def line_bytes(line: Line) -> bytes:
    """All fields but its id, which is the row's key."""
    found: Found = {
        "spec": line.spec,
        "level": line.level._value_,
        "action": line.action._value_,
        "quantity": line.quantity,
        "attributes": line.attributes,
        "parent": line.parent,
        "root": line.root,
        "asset": line.asset,
        "state": line.state._value_,
    }
    if line.scope is not Scope.LINE:
        found["scope"] = line.scope._value_
    if line.anchor:
        found["anchor"] = line.anchor
    if line.jeopardy is not Jeopardy.GREEN:
        found["jeopardy"] = line.jeopardy._value_
    if line.sources:
        found["sources"] = [(source.line, source.rule) for source in line.sources]
    if line.relations:
        found["relations"] = [(relation.kind._value_, relation.line) for relation in line.relations]
    if line.context:
        found["context"] = True
    if line.missing:
        found["missing"] = line.missing
    if line.before:
        found["before"] = line.before
    if line.users_added:
        found["added"] = sorted(line.users_added)
    if line.users_removed:
        found["removed"] = sorted(line.users_removed)
    if line.held is not None:
        found["held"] = packed_asset(line.held)
    if line.ordered:
        found["ordered"] = line.ordered
    if line.written:
        found["written"] = True
    if line.provenance:
        found["provenance"] = {
            name: (origin.origin._value_, origin.by, origin.source, origin.text)
            for name, origin in line.provenance.items()
        }
    return dumps(found)


def line_from(id: str, data: bytes) -> Line:
    found = loads(data)
    get = found.get
    before = get("before")
    return Line(
        id=id,
        spec=found["spec"],
        level=Level(found["level"]),
        action=Action(found["action"]),
        quantity=found["quantity"],
        attributes=values_of(found["attributes"]),
        parent=found["parent"],
        root=found["root"],
        asset=found["asset"],
        scope=Scope(get("scope", "line")),
        anchor=get("anchor", ""),
        jeopardy=Jeopardy(get("jeopardy", "green")),
        sources=tuple(LineSource(source, rule) for source, rule in get("sources", ())),
        relations=tuple(LineRelation(RelationKind(kind), other) for kind, other in get("relations", ())),
        context=get("context", False),
        missing=tuple(get("missing", ())),
        before=values_of(before) if before else {},
        users_added=frozenset(get("added", ())),
        users_removed=frozenset(get("removed", ())),
        held=asset_of(found["held"]) if "held" in found else None,
        ordered=get("ordered", ""),
        written=get("written", False),
        provenance={
            name: Provenance(origin=Origin(origin), by=by, source=source, text=text)
            for name, (origin, by, source, text) in get("provenance", {}).items()
        },
        state=_STATUSES[found["state"]],
    )


# --- orders ----------------------------------------------------------------------------------------------------------


def order_bytes(order: ProductOrder) -> bytes:
    return dumps(packed_order(order))


def packed_order(order: ProductOrder) -> Found:
    found: Found = {
        "id": order.id,
        "account": (order.account.id, order.account.name),
        "items": [
            {
                "id": item.id,
                "action": item.action._value_,
                "spec": item.spec,
                "quantity": item.quantity,
                "attributes": dict(item.attributes),
                "product": item.product,
                "parent": item.parent,
                "relations": [(r.kind._value_, r.item, r.product) for r in item.relations],
            }
            for item in order.items
        ],
        "date": micros(order.order_date),
        "external_id": order.external_id,
        "category": order.category,
        "description": order.description,
        "channel": order.channel,
        "priority": order.priority,
        "start": micros(order.requested_start),
        "completion": micros(order.requested_completion),
    }
    if order.depends_on:
        found["depends_on"] = order.depends_on
    if order.related:
        found["related"] = order.related
    return found


def order_from(data: bytes) -> ProductOrder:
    return order_of(loads(data))


def order_of(found: Found) -> ProductOrder:
    account, name = found["account"]
    return ProductOrder(
        id=found["id"],
        account=Account(id=account, name=name),
        items=tuple(_item(item) for item in found["items"]),
        order_date=instant(found["date"]),
        external_id=found["external_id"],
        category=found["category"],
        description=found["description"],
        channel=found["channel"],
        priority=found["priority"],
        requested_start=maybe_instant(found["start"]),
        requested_completion=maybe_instant(found["completion"]),
        depends_on=tuple(found.get("depends_on", ())),
        related=tuple(found.get("related", ())),
    )


def _item(found: Found) -> OrderItem:
    return OrderItem(
        id=found["id"],
        action=Action(found["action"]),
        spec=found["spec"],
        quantity=found["quantity"],
        attributes=found["attributes"],
        product=found["product"],
        parent=found["parent"],
        relations=tuple(
            ItemRelation(kind=RelationKind(kind), item=item, product=product)
            for kind, item, product in found["relations"]
        ),
    )


# --- inventory -------------------------------------------------------------------------------------------------------


#: what few assets have, left out where it is empty
_TIES = ("ordered", "moved_from", "moved_to", "replaces", "replaced_by")


def packed_asset(asset: Asset) -> Found:
    return {
        **{name: value for name in _TIES if (value := getattr(asset, name))},
        "id": asset.id,
        "spec": asset.spec,
        "level": asset.level._value_,
        "account": asset.account,
        "state": asset.state._value_,
        "attributes": asset.attributes,
        "quantity": asset.quantity,
        "parent": asset.parent,
        "users": sorted(asset.users),
        "relies_on": sorted(asset.relies_on),
        "anchor": asset.anchor,
        "order": asset.order,
    }


def asset_of(found: Found) -> Asset:
    return Asset(
        id=found["id"],
        spec=found["spec"],
        level=Level(found["level"]),
        account=found["account"],
        state=AssetState(found["state"]),
        attributes=values_of(found["attributes"]),
        quantity=found["quantity"],
        parent=found["parent"],
        users=frozenset(found["users"]),
        relies_on=frozenset(found["relies_on"]),
        anchor=found["anchor"],
        order=found["order"],
        **{name: found[name] for name in _TIES if name in found},
    )


# --- forms of work items ---------------------------------------------------------------------------------------------


def packed_attribute(attribute: Attribute) -> Found:
    return {
        "name": attribute.name,
        "title": attribute.title,
        "type": _packed_type(attribute.type),
        "required": attribute.required,
        "default": attribute.default,
        "doc": attribute.doc,
    }


def attribute_of(found: Found) -> Attribute:
    return Attribute(
        name=found["name"],
        title=found["title"],
        type=_type_of(found["type"]),
        required=found["required"],
        default=unpack(found["default"]),
        doc=found["doc"],
    )


def _packed_type(type: Type) -> Json:
    item = None if type.item is None else _packed_type(type.item)
    return [type.kind._value_, type.name, item, type.unit, type.optional]


def _type_of(found: list[Any]) -> Type:
    kind, name, item, unit, optional = found
    return Type(Kind(kind), name, None if item is None else _type_of(item), unit, optional)


def form_bytes(form: tuple[Attribute, ...]) -> bytes:
    return dumps([packed_attribute(attribute) for attribute in form])


def form_from(data: bytes) -> tuple[Attribute, ...]:
    return tuple(attribute_of(found) for found in loads(data))
