"""A depot that fails for what is too heavy, and rules that watch it."""

from __future__ import annotations

from typing import Any

from orderloom.runtime.synchronous import SyncRuntime

SCRIPT = (
    "{depot.send: [{when: 'request.weight > 20', status: 503}, {when: 'request.weight > 10', status: 409, "
    "body: {error: {code: NO_ROOM}}}, {status: 201, body: {tracking: T}}]}"
)
DESIGN = """\
product Box { weight integer required }
service Parcel customer_facing { weight integer required  tracking string? }
decompose Box into Parcel { weight = weight }

queue trouble fallout { sla 2h warn at 50% }
queue duty { sla 1h }

connector depot simulator { script "SCRIPT" }
operation depot.send {
  request  "templates/send.http.j2"
  response "templates/send.yaml.j2"
  retry    on 5xx
  output   tracking string required
}
plan Ship for Parcel on add {
  call send {
    operation depot.send
    set       tracking = response.tracking
    retry     fixed 2 times every 1m
    fallout   trouble
  }
}
RULES
"""
TEMPLATES = {
    "templates/send.http.j2": """\
POST /parcels
Content-Type: application/json

{"weight": {{ line.weight }}}
""",
    "templates/send.yaml.j2": """\
outcome: {{ "completed" if status == 201 else "failed" }}
set: { tracking: {{ body.tracking }} }
code: {{ body.error.code | default(none) }}
""",
}


def bundle(*rules: str, version: str = "1.0.0") -> dict[str, str]:
    design = DESIGN.replace("SCRIPT", SCRIPT).replace("RULES", "\n".join(rules))
    return {"bundle.yaml": f"name: storms\nversion: {version}\n", "design.loom": design, **TEMPLATES}


def box(weight: int = 30, account: str = "A-1", priority: int = 4) -> dict[str, Any]:
    """An order; over 20 fails for a time, over 10 for good."""
    product = {
        "productSpecification": {"id": "Box"},
        "productCharacteristic": [{"name": "weight", "value": weight}],
    }
    return {
        "billingAccount": {"id": account},
        "priority": str(priority),
        "productOrderItem": [{"id": "1", "action": "add", "product": product}],
    }


def fired(runtime: SyncRuntime) -> list[dict[str, Any]]:
    return [dict(event.data) for event in runtime.events(limit=10_000) if event.kind == "watch.fired"]
