"""What stands against a request, told before anything is done: orders in the way, lines that an order leaves alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from orderloom.models.order import OrderStatus
from orderloom.runtime.errors import NotAllowed
from orderloom.runtime.synchronous import SyncRuntime

SITES = {
    "bundle.yaml": "name: sites\nversion: 1.0.0\n",
    "design.loom": """\
product Site { geo string?  contains Dev 0..* }
product Dev { }
resource Pool one per key(root.geo default "none") { }
decompose Site into Pool { when geo is present }
queue ops { sla 4h }
plan Survey for Site on add { manual survey { queue ops  collect { g string required }  set geo = form.g } }
plan Ship for Dev on add { manual ship { queue ops } }
""",
}
NETS = {
    "bundle.yaml": "name: nets\nversion: 1.0.0\n",
    "design.loom": """\
product Net { speed integer = 1  contains Phone 0..* }
product Phone { }
product Other { }
resource Pool one per account { speed integer }
decompose Net into Pool { speed = speed  quantity 1 }
queue ops { sla 4h }
plan GoNet for Net on add { manual go { queue ops } }
plan GoOther for Other on add { manual go { queue ops } }
plan GoPhone for Phone on add { manual go { queue ops } }
""",
}


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home") as runtime:
        yield runtime


def item(id: str, spec: str, action: str = "add", product: str = "", below: Sequence[Any] = ()) -> dict[str, Any]:
    named: dict[str, Any] = {"productSpecification": {"id": spec}, **({"id": product} if product else {})}
    return {"id": id, "action": action, "product": named, "productOrderItem": list(below)}


def sent(runtime: SyncRuntime, id: str, *items: dict[str, Any], after: str = "") -> str:
    document: dict[str, Any] = {"id": id, "billingAccount": {"id": "A"}, "productOrderItem": list(items)}
    if after:
        document["orderRelationship"] = [{"id": after, "relationshipType": "dependsOn"}]
    runtime.submit(document)
    runtime.run_until_idle()
    return id


def finish(runtime: SyncRuntime) -> None:
    while found := runtime.work():
        for each in found:
            runtime.complete(each.id, "ada")
        runtime.run_until_idle()


def test_lines_stand_in_the_store_in_the_order_in_which_the_worker_has_them(runtime: SyncRuntime) -> None:
    """A line that was taken back comes last; what then joins a line that is there puts all of them in order."""
    runtime.deploy(SITES)
    id = sent(runtime, "R1", item("1", "Site", below=[item("1.1", "Dev")]), item("2", "Site"))
    surveys = {each.task[0]: each.id for each in runtime.work() if "survey" in each.task}
    runtime.complete(surveys["1"], "ada", {"g": "G1"})
    runtime.run_until_idle()
    runtime.cancel(id, "ada", items=("1.1",))
    runtime.run_until_idle()
    runtime.complete(surveys["2"], "ada", {"g": "G1"})
    runtime.run_until_idle()
    (pool,) = [line for line in runtime.lines(id) if line.spec == "Pool"]
    assert [each.line for each in pool.sources] == ["1", "2"]
    assert runtime.replay(id).differences == ()


def test_what_an_order_leaves_as_it_is_is_not_corrected(runtime: SyncRuntime) -> None:
    runtime.deploy(NETS)
    sent(runtime, "C1", item("1", "Net"))
    finish(runtime)
    id = sent(runtime, "C2", item("1", "Net", "noChange", "C1:1", [item("1.1", "Phone")]))
    for correct in (runtime.preview_correction, runtime.correct):
        with pytest.raises(NotAllowed, match="stays as it is in this order"):
            correct(id, "1", {"speed": 7})
    finish(runtime)
    assert {each.asset.attributes.get("speed") for each in runtime.inventory(account="A")} == {1, None}


def test_an_order_is_started_past_what_works_on_the_same_by_force_only(runtime: SyncRuntime) -> None:
    runtime.deploy(NETS)
    sent(runtime, "X", item("1", "Other"))
    for id in ("Y", "Z"):
        sent(runtime, id, item("1", "Net"), after="X")
    runtime.cancel("X", "ada", "not wanted")
    runtime.run_until_idle()
    assert runtime.start("Y", "ada").verdict == "queued"
    runtime.run_until_idle()
    assert runtime.order("Y").status is OrderStatus.PENDING and runtime.tasks("Y")
    runtime.start("Z", "ada")
    runtime.run_until_idle()
    assert not runtime.tasks("Z")
    assert any("has to do with `Pool" in reason for reason in runtime.state("Z").reasons)
    finish(runtime)
    runtime.start("Z", "ada")
    runtime.run_until_idle()
    finish(runtime)
    (pool,) = runtime.inventory(spec="Pool")
    assert (pool.asset.quantity, sorted(pool.asset.users)) == (2, ["Y:1", "Z:1"])


def test_force_starts_an_order_past_all_others(runtime: SyncRuntime) -> None:
    runtime.deploy(NETS)
    sent(runtime, "Y", item("1", "Net"))
    sent(runtime, "Z", item("1", "Net"))
    assert not runtime.tasks("Z")
    runtime.start("Z", "root", "urgent", force=True)
    runtime.run_until_idle()
    assert runtime.tasks("Z")
    assert runtime.audit(what="start")[0].deed.after == {"force": True}


def test_an_order_that_is_cancelled_while_it_waits_says_so(runtime: SyncRuntime) -> None:
    runtime.deploy(NETS)
    sent(runtime, "Y", item("1", "Net"))
    sent(runtime, "Z", item("1", "Net"))
    runtime.cancel("Z", "ada", "changed his mind")
    runtime.run_until_idle()
    assert runtime.order("Z").status is OrderStatus.CANCELLED
    assert runtime.state("Z").reasons == ("cancelled by ada before it started: changed his mind",)
