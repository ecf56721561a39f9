"""A small bundle: boxes are packed by a person and sent by a depot that refuses what is too heavy."""

from __future__ import annotations

from typing import Any

#: how the depot answers
SCRIPT = (
    "{depot.send: [{when: 'request.weight > 20', status: 409, body: {error: {code: NO_ROOM, message: too heavy}}},"
    " {status: 201, body: {tracking: 'T-1'}}]}"
)
VERSION_1 = "name: parcels\nversion: 1.0.0\n"

FILES = {
    "bundle.yaml": VERSION_1,
    "design.loom": """\
enum Size { small large }

product Box {
  size   Size required
  label  string?
}
service Parcel customer_facing {
  size     Size required
  label    string?
  weight   integer unit "kg"?
  tracking string?
}
decompose Box into Parcel { size = size  label = label }
reject "No box is called forbidden" on Box when label == "forbidden"

queue packers { sla 4h }
queue trouble fallout { sla 4h }

connector depot simulator {
  script "SCRIPT"
}
operation depot.send {
  request  "templates/send.http.j2"
  response "templates/send.yaml.j2"
  output   tracking string required
}

plan Ship for Parcel on add {
  manual pack "Pack the parcel" {
    queue   packers
    collect { weight integer unit "kg" required  fragile boolean = false }
    set     weight = form.weight
  }
  call send {
    operation depot.send
    after     pack
    set       tracking = response.tracking
    on error  "NO_ROOM" fallout trouble
  }
  wait seen {
    after  send
    for    event "parcel.seen" matching event.tracking == tracking
    within 4d else fallout trouble
  }
}
""".replace("SCRIPT", SCRIPT),
    "templates/send.http.j2": """\
POST /parcels
Content-Type: application/json

{"order": {{ order.id }}, "weight": {{ line.weight }}, "label": {{ line.label }}}
""",
    "templates/send.yaml.j2": """\
outcome: {{ "completed" if status == 201 else "failed" }}
set: { tracking: {{ body.tracking }} }
code: {{ body.error.code | default(none) }}
message: {{ body.error.message | default(none) }}
""",
}


def box(label: str | None = None, account: str = "A-1", size: str = "small", **more: Any) -> dict[str, Any]:
    """An order of one box."""
    characteristics = [{"name": "size", "value": size}]
    if label is not None:
        characteristics.append({"name": "label", "value": label})
    product = {"productSpecification": {"id": "Box"}, "productCharacteristic": characteristics}
    return {
        "billingAccount": {"id": account},
        "productOrderItem": [{"id": "1", "action": "add", "product": product}],
        **more,
    }
