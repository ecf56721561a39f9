"""Failed tasks, one and many, and control of the running system by the command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.runtime.cli.conftest import Shell


@pytest.fixture
def trouble(shell: Shell, packed: Callable[..., str]) -> list[str]:
    """Two orders whose boxes are too heavy."""
    return [packed(name, weight=30) for name in ("one", "two")]


def line_of(shell: Shell, item: int) -> tuple[str, str]:
    found = shell.json("fallout", "show", str(item))["item"]
    return found["order"], found["task"].partition("/")[0]


def test_groups_and_corrections(shell: Shell, trouble: list[str]) -> None:
    (group,) = shell.json("fallout", "groups")
    assert (group["count"], group["cause"]["operation"], group["cause"]["status"]) == (2, "depot.send", 409)
    assert "NO_ROOM" in shell("fallout", "groups").stdout
    items = [each["id"] for each in shell.json("fallout", "list", "--group", str(group["cause"]["id"]))]
    assert len(items) == 2
    assert shell.json("fallout", "list", "--older", "1h") == []
    assert shell.json("fallout", "list", "--task", "Ship.pack") == []
    order, line = line_of(shell, items[0])
    said = shell("fallout", "correct", order, line, "--set", "weight=3", "--dry-run").stdout
    assert f"{line}.weight: 30 → 3" in said
    assert f"new request: {line}/Ship.send" in said
    assert "expected integer" in shell("fallout", "correct", order, line, "--set", "weight=x", exit=1).stderr
    assert "to be tried again" in shell("fallout", "correct", order, line, "--set", "weight=3", "--retry").stdout
    shell("run", "--until-idle")
    assert [each["id"] for each in shell.json("fallout", "list")] == items[1:]
    assert trouble[0] == order


def test_the_owner_is_asked(shell: Shell, trouble: list[str]) -> None:
    item = str(shell.json("fallout", "list", "--order", trouble[0])[0]["id"])
    assert "nothing is wanted" in shell("fallout", "wanted").stderr
    assert "name the attributes" in shell("fallout", "return", item, exit=1).stderr
    shell("fallout", "return", item, "--attribute", "weight", "--text", "how heavy?", "--by", "ada")
    shell("run", "--until-idle")
    assert "how heavy?" in shell("fallout", "wanted", "--order", trouble[0]).stdout
    assert "↩ returned" in shell("fallout", "show", item).stdout
    assert "open again" in shell("fallout", "take-back", item).stdout
    shell("fallout", "return", item, "--attribute", "weight")
    shell("run", "--until-idle")
    assert "weight" in shell("fallout", "answer", item, "--set", "size=small", exit=1).stderr
    shell("fallout", "answer", item, "--set", "weight=4", "--by", "customer")
    shell("run", "--until-idle")
    assert shell.json("fallout", "list", "--order", trouble[0]) == []


def test_bulks_and_schedules(shell: Shell, trouble: list[str]) -> None:
    assert "none yet" in shell("fallout", "bulk", "list").stderr
    assert "say --all" in shell("fallout", "bulk", "start", "retry", exit=2).stderr
    assert "not both" in shell("fallout", "bulk", "start", "retry", "4", "--code", "NO_ROOM", exit=2).stderr
    assert "nothing matches" in shell("fallout", "bulk", "start", "skip", "--code", "OTHER", exit=1).stderr
    assert "expected a pace" in shell("fallout", "bulk", "start", "skip", "--all", "--pace", "fast", exit=2).stderr
    item = str(shell.json("fallout", "list", "--order", trouble[0])[0]["id"])
    (scheduled,) = shell.json("fallout", "retry", item, "--in", "2h")
    assert shell.json("fallout", "show", item)["retry_at"] == scheduled["start_at"]
    assert "not both" in shell("fallout", "retry", item, "--in", "2h", "--at", "2030-01-01T08:00", exit=2).stderr
    assert "■ stopped" in shell("fallout", "bulk", "stop", str(scheduled["id"]), "--reason", "later").stdout
    assert shell.json("fallout", "bulk", "resume", str(scheduled["id"]))["state"] == "running"
    shell("fallout", "bulk", "stop", str(scheduled["id"]))
    started = shell.json(
        "fallout", "bulk", "start", "correct", "--code", "NO_ROOM", "--set", "weight=5", "--pace", "100/s",
        "--most-failed", "0",
    )  # fmt: skip
    shell("run", "--until-idle")
    number = str(started[0]["id"])
    while shell.json("fallout", "bulk", "show", number)["bulk"]["state"] != "done":
        shell("run", "--until-idle")
    shown = shell("fallout", "bulk", "show", number, "--follow").stdout
    assert "2 in all: 2 done, 0 failed" in shown
    assert "there is no bulk 99" in shell("fallout", "bulk", "show", "99", exit=1).stderr
    assert "bulk" in shell("orders", "bulk", "hold", trouble[0]).stdout
    assert "name orders" in shell("orders", "bulk", "hold", exit=2).stderr
    shell("run", "--until-idle")
    assert [each["id"] for each in shell.json("orders", "list", "--status", "held")] == trouble[:1]


def test_control(shell: Shell) -> None:
    shell("deploy", shell.bundle)
    assert "4 at once, 10/s" in shell("connectors", "limit", "depot", "--at-once", "4", "--per-second", "10").stdout
    assert "priority 4" in shell("connectors", "limit", "depot", "--priority", "4", "--at-once", "1").stdout
    assert "together" in shell("connectors", "limit", "--at-once", "9").stdout
    said = shell("connectors", "list").stdout
    assert "4 at once, 10/s; priority 4: 1 at once" in said
    assert "all connectors together: 9 at once" in said
    assert "as the design says" in shell("connectors", "limit", "depot", "--reset").stdout
    assert "say --at-once" in shell("connectors", "limit", "depot", exit=2).stderr
    assert "has no breaker" in shell("connectors", "breaker", "depot", "close", exit=1).stderr
    shell("connectors", "hold", "depot", "--reason", "maintenance")
    assert "at 10/s" in shell("connectors", "release", "depot", "--rate", "10/s").stdout
    assert shell.json("connectors", "list")[0]["release"] == "10/s"
    assert "no task definition is paused" in shell("tasks", "paused").stderr
    shell("tasks", "pause", "Ship.pack", "--reason", "no packers")
    shell("submit", shell.order("one"))
    shell("run", "--until-idle")
    (item,) = shell.json("work", "list", "--state", "held")
    assert "is held" in shell("work", "claim", str(item["id"]), exit=1).stderr
    assert "no packers" in shell("tasks", "paused").stdout
    assert "1 work items are open again" in shell("tasks", "resume", "Ship.pack").stdout
    assert "no active bundle has" in shell("tasks", "pause", "Ship.nothing", exit=1).stderr
    assert "take nothing new" in shell("drain").stdout
    order = shell.json("submit", shell.order("two"))["id"]
    shell("run", "--until-idle")
    assert shell.json("orders", "list", "--status", "acknowledged")[0]["id"] == order
    assert shell.json("drain", "--undo") == {"undone": True}
    assert "was not drained" in shell("drain", "--undo").stdout
    shell("run", "--until-idle")
    assert shell.json("orders", "list", "--status", "acknowledged") == []
