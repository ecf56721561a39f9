"""Operations and connectors that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.connectors.http import HttpConnector
from orderloom.connectors.options import Options
from orderloom.models.callout import Callout
from orderloom.models.catalog import Attribute
from orderloom.models.integration import Auth, Callback, ConnectorDefinition, Limit, Operation, Template
from orderloom.models.values import STRING, Type, Value

REQUEST = """\
POST /reservations
Content-Type: application/json

{"site": {{ line.site }}, "profile": {{ line.profile }}, "for": {{ order.id }}}
"""
RESPONSE = """\
outcome: {{ "completed" if status == 201 else "failed" }}
set: { port_id: {{ body.port.id }} }
code: {{ body.error.code | default(none) }}
"""
CONTEXT: Mapping[str, Mapping[str, Value]] = {
    "line": {"id": "L1", "action": "add", "spec": "GponAccess", "quantity": 1, "site": "S-1", "profile": "P100"},
    "order": {"id": "O-1", "external_id": None},
}


def operation(
    name: str = "inventory.reserve_port",
    request: str | None = REQUEST,
    response: str | None = RESPONSE,
    outputs: Mapping[str, Type] | None = None,
    callback: Callback | None = None,
    **more: object,
) -> Operation:
    outputs = {"port_id": STRING} if outputs is None else outputs
    return Operation(
        name=name,
        title="",
        connector=name.partition(".")[0],
        request=None if request is None else Template(path="templates/request.http.j2", text=request),
        response=None if response is None else Template(path="templates/response.yaml.j2", text=response),
        outputs={key: Attribute(name=key, title="", type=found, required=True) for key, found in outputs.items()},
        callback=callback,
        **more,  # type: ignore[arg-type]  # fields as a test gives them
    )


def callout(context: Mapping[str, Mapping[str, Value]] = CONTEXT, key: str = "key-1") -> Callout:
    return Callout(key=key, operation="inventory.reserve_port", attempt=1, context=context)


def http_connector(
    base_url: str,
    *operations: Operation,
    auth: Auth | None = None,
    resolved: Mapping[str, Value] | None = None,
    secrets: tuple[str, ...] = (),
    limit: Limit | None = None,
) -> HttpConnector:
    definition = ConnectorDefinition(
        name="inventory", title="", kind="http", options={}, auth=auth, limit=limit or Limit()
    )
    options = Options(values={"base_url": base_url}, auth=resolved or {}, secrets=secrets)
    return HttpConnector(definition, options, {found.name: found for found in operations}, {})
