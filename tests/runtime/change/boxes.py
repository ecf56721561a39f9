"""A small bundle whose plan can be changed in flight: a person packs, a depot sends."""

from __future__ import annotations

from typing import Any

from orderloom.runtime.synchronous import SyncRuntime

FILES = {
    "bundle.yaml": "name: boxes\nversion: 1.0.0\n",
    "design.loom": """\
enum Size { small large }

product Box {
  size  Size = small
}
service Parcel customer_facing one per bundle {
  size  Size required
}
decompose Box into Parcel { size = size }

queue packers { sla 4h }
queue trouble fallout { sla 4h }

connector depot simulator {
  script "{depot.send: [{status: 201, body: {tracking: 'T-1'}}], depot.fetch: [{status: 200, body: {}}]}"
}
operation depot.send {
  request  "templates/send.http.j2"
  response "templates/send.yaml.j2"
  output   tracking string required
}
operation depot.fetch {
  request  "templates/fetch.http.j2"
  response "templates/fetch.yaml.j2"
}

plan Ship for Parcel on add, modify, delete {
  call send {
    operation depot.send
    undo      depot.fetch
  }
  manual pack "Pack the parcel" {
    queue packers
    after send
  }
}
""",
    "templates/send.http.j2": """\
POST /parcels
Content-Type: application/json

{"order": {{ order.id }}, "size": {{ line.size }}}
""",
    "templates/send.yaml.j2": """\
outcome: {{ "completed" if status == 201 else "failed" }}
set: { tracking: {{ body.tracking }} }
""",
    "templates/fetch.http.j2": 'POST /fetches\nContent-Type: application/json\n\n{"order": {{ order.id }}}\n',
    "templates/fetch.yaml.j2": 'outcome: {{ "completed" if status == 200 else "failed" }}\n',
}


def order(account: str = "A-1", size: str | None = None, count: int = 1, **more: Any) -> dict[str, Any]:
    """An order of boxes."""
    characteristics = [] if size is None else [{"name": "size", "value": size}]
    product = {"productSpecification": {"id": "Box"}, "productCharacteristic": characteristics}
    items = [{"id": str(each), "action": "add", "product": product} for each in range(1, count + 1)]
    return {"billingAccount": {"id": account}, "productOrderItem": items, **more}


def change(action: str, product: str, account: str = "A-1", size: str | None = None) -> dict[str, Any]:
    """An order that changes a box."""
    characteristics = [] if size is None else [{"name": "size", "value": size}]
    wanted = {"id": product, "productSpecification": {"id": "Box"}, "productCharacteristic": characteristics}
    return {
        "billingAccount": {"id": account},
        "productOrderItem": [{"id": "1", "action": action, "product": wanted}],
    }


def finish(runtime: SyncRuntime, id: str) -> None:
    """Works until nothing of the order waits for a person."""
    runtime.run_until_idle()
    while found := runtime.work(order=id):
        for item in found:
            runtime.complete(item.id, "ada")
        runtime.run_until_idle()
