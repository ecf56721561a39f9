"""Visits that are to be made in time, in queues that warn and pass on what is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orderloom.runtime.store.views import PublishedEvent
from orderloom.runtime.synchronous import SyncRuntime

HOUR = timedelta(hours=1)
#: a Monday; the office in Berlin opens at 07:00 UTC
MONDAY = datetime(2026, 3, 23, 7, tzinfo=UTC)

DESIGN = """\
product Line { site string required }
service Access customer_facing { site string required }
decompose Line into Access { site = site }

queue field {
  sla 4h warn at 75%
  escalate to leads
  escalate to chief after 2h
}
queue leads { sla 2h warn at 50%  escalate to directors }
queue chief { }
queue directors { }
queue office { sla 8 business hours in office warn at 50%  escalate to chief }
queue slow { }

plan Visit for Access on add {
  manual visit "Visit the site" { QUEUE }
}
"""
MANIFEST = """\
name: visits
version: VERSION
time_zone: Europe/Berlin
calendars:
  office: { hours: { mon-fri: "08:00-16:00" }, holidays: { dates: [HOLIDAYS] } }
REASONS
"""


def bundle(
    queue: str = "field", version: str = "1.0.0", holidays: str = "", reasons: str = "", design: str = DESIGN
) -> dict[str, str]:
    """The files; `queue` may go on with a due time."""
    manifest = MANIFEST.replace("VERSION", version).replace("HOLIDAYS", holidays).replace("REASONS", reasons)
    return {"bundle.yaml": manifest, "design.loom": design.replace("QUEUE", f"queue {queue}")}


def visit(account: str = "A-1") -> dict[str, Any]:
    characteristic = {"name": "site", "value": "Main St 1"}
    product = {"productSpecification": {"id": "Line"}, "productCharacteristic": [characteristic]}
    return {
        "billingAccount": {"id": account},
        "productOrderItem": [{"id": "1", "action": "add", "product": product}],
    }


def told(runtime: SyncRuntime, *kinds: str) -> list[PublishedEvent]:
    """What was told of clocks, or only these."""
    wanted = kinds or ("warned", "breached", "escalated", "paused", "resumed", "rescheduled")
    return [event for event in runtime.events(limit=10_000) if event.kind in {f"work.{kind}" for kind in wanted}]


def story(runtime: SyncRuntime) -> list[tuple[str, float]]:
    """Kind and hours since Monday of each."""
    return [(event.kind.removeprefix("work."), (event.at - MONDAY) / HOUR) for event in told(runtime)]
