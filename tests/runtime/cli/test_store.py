"""Commands on a store: deploy, submit, run, orders, work, fallout, inventory, callback, event."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderloom.runtime.cli import command
from orderloom.runtime.worker import advancing
from tests.runtime.cli.conftest import Shell


def test_deploy_and_bundles(shell: Shell) -> None:
    assert "deployed parcels 1.0.0" in shell("deploy", shell.bundle).stdout
    assert "was deployed before" in shell("deploy", shell.bundle).stdout
    assert shell.json("bundles")[0]["active"] is True
    Path(shell.bundle, "notes.md").write_text("more")
    said = shell("deploy", shell.bundle, exit=1).stderr
    assert "is deployed with other content" in said
    assert "raise `version` in bundle.yaml" in said


def test_a_bundle_with_errors_is_not_deployed(shell: Shell) -> None:
    design = Path(shell.bundle, "design.loom")
    design.write_text(design.read_text().replace("depot.send\n", "depot.sent\n"))
    result = shell("deploy", shell.bundle, exit=1)
    assert "depot.sent" in result.stdout
    assert "nothing is deployed" in result.stderr
    assert shell.json("bundles") == []


def test_an_order_by_the_command_line_alone(shell: Shell, packed: Callable[..., str]) -> None:
    order = packed("one", externalId="X-1")
    assert "delivered to 1 task" in shell("event", "parcel.seen", "--set", "tracking=T-1").stdout
    assert "kept: no task awaits it yet" in shell("event", "parcel.lost").stdout
    shell("run", "--until-idle")
    assert shell.json("orders", "list", "--status", "completed")[0]["id"] == order
    # by its external id too
    text = shell("orders", "show", "X-1").stdout
    for part in ("✓ completed", "weight = 3", "Ship.send", "WorkCompleted", "tracking = T-1"):
        assert part in text, part
    shown = shell.json("orders", "show", order)
    assert set(shown) == {"order", "reasons", "lines", "tasks", "journal", "calls"}
    assert set(shell.json("orders", "show", order, "--plan")) == {"order", "reasons", "tasks"}
    assert shell.json("orders", "show", order, "--tmf622")["state"] == "completed"
    assert "POST /parcels" in shell("orders", "show", order, "--calls").stdout
    assert shell("orders", "show", order, "--mermaid").stdout.startswith("flowchart")
    assert "order.state" in shell("orders", "journal", order).stdout
    assert shell.json("orders", "journal", order)[0]["event"]["type"] == "Submitted"
    assert shell.json("inventory", "--account", "A-1", "--spec", "Parcel")[0]["state"] == "active"
    assert "Parcel" in shell("inventory").stdout


def test_work_is_listed_shown_claimed_and_refused(shell: Shell) -> None:
    shell("deploy", shell.bundle)
    assert "no work" in shell("work", "list").stderr
    shell("submit", shell.order("one"))
    shell("run", "--until-idle")
    (item,) = shell.json("work", "list", "--queue", "packers")
    number = str(item["id"])
    assert "is no failed task" in shell("fallout", "show", number, exit=1).stderr
    assert "weight" in shell("work", "show", number).stdout
    assert "claimed by ada" in shell("work", "claim", number, "--by", "ada").stdout
    assert shell.json("work", "list", "--mine", "--by", "bob") == []
    assert "not possible" in shell("work", "claim", number, "--by", "bob", exit=1).stderr
    assert "open again" in shell("work", "release", number, "--by", "ada").stdout
    said = shell("work", "complete", number, "--set", "weight=much", exit=1).stderr
    assert "weight: expected integer" in said
    assert "there is no work item `99`" in shell("work", "show", "99", exit=1).stderr
    assert "NAME=VALUE" in shell("work", "complete", number, "--set", "weight", exit=2).stderr
    values = shell.folder / "values.json"
    values.write_text(json.dumps({"weight": 2}))
    receipt = shell.json("work", "complete", number, "--values", str(values))
    assert receipt["verdict"] == "queued"


def test_fallout_is_corrected_and_retried_in_bulk(shell: Shell, packed: Callable[..., str]) -> None:
    orders = [packed(name, weight=30) for name in ("one", "two")]
    assert "too heavy" in shell("fallout", "list", "--code", "NO_ROOM").stdout
    item = shell.json("fallout", "list")[0]
    assert "409" in shell("fallout", "show", str(item["id"])).stdout
    assert "is no manual task" in shell("work", "show", str(item["id"]), exit=1).stderr
    for order in orders:
        parcel = next(line["id"] for line in shell.json("orders", "show", order)["lines"] if line["spec"] == "Parcel")
        shell("fallout", "correct", order, parcel, "--set", "weight=5", "--by", "ada", "--reason", "repacked")
    shell("fallout", "retry", exit=2)
    results = shell.json("fallout", "retry", "--code", "NO_ROOM")
    assert [each["verdict"] for each in results] == ["queued", "queued"]
    shell("run", "--until-idle")
    assert shell.json("fallout", "list") == []


def test_fallout_is_skipped_or_completed(shell: Shell, packed: Callable[..., str]) -> None:
    first, second = (packed(name, weight=30) for name in ("one", "two"))
    items = {item["order"]: str(item["id"]) for item in shell.json("fallout", "list")}
    shell("fallout", "skip", items[first], "--reason", "fine")
    said = shell("fallout", "complete", items[second], exit=1).stderr
    assert "tracking: expected string, found nothing" in said
    shell("fallout", "complete", items[second], "--set", "tracking=HAND")
    shell("run", "--until-idle")
    states = {
        order: next(task["state"] for task in shell.json("orders", "show", order)["tasks"] if task["operation"])
        for order in (first, second)
    }
    assert states == {first: "skipped", second: "completed"}
    result = shell("fallout", "skip", items[first], "99", exit=1)
    assert "there is no work item `99`" in result.stdout


def test_hold_and_resume(shell: Shell) -> None:
    shell("deploy", shell.bundle)
    order = shell.json("submit", shell.order("one", id="O-9"))["id"]
    assert order == "O-9"
    shell("run", "--until-idle")
    result = shell("orders", "hold", order)
    assert "once a worker takes it up" in result.stdout
    assert "no worker answered" in result.stderr
    shell("run", "--until-idle")
    assert shell.json("orders", "list")[0]["status"] == "held"
    shell("orders", "resume", order)
    assert "there is no order `nowhere`" in shell("orders", "hold", "nowhere", exit=1).stderr


def test_a_system_is_taken_offline_and_goes_on(shell: Shell, packed: Callable[..., str]) -> None:
    assert "no connectors" in shell("connectors", "list").stderr
    assert "no active bundle has" in shell("connectors", "hold", "depot", exit=1).stderr
    shell("deploy", shell.bundle)
    shell("connectors", "hold", "depot", "--reason", "moving house")
    assert "moving house" in shell("connectors", "list").stdout
    order = packed("one")
    (task,) = [each for each in shell.json("orders", "show", order)["tasks"] if each["operation"]]
    assert task["state"] == "held"
    assert shell.json("fallout", "list") == []
    shell("connectors", "release", "depot")
    shell("run", "--until-idle")
    (task,) = [each for each in shell.json("orders", "show", order)["tasks"] if each["operation"]]
    assert task["state"] == "completed"
    assert [(each["name"], each["held"]) for each in shell.json("connectors", "list")] == [("depot", False)]
    assert "`depot` is not held" in shell("connectors", "release", "depot", exit=1).stderr
    assert "no active bundle has" in shell("connectors", "release", "nowhere", exit=1).stderr


def test_what_was_set_aside_is_listed_and_tried_again(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nothing was set aside" in shell("aside", "list").stderr
    shell("deploy", shell.bundle)
    order = shell.json("submit", shell.order("one"))["id"]

    def broken(*_given: object) -> None:
        raise ZeroDivisionError("a fault of the core")

    with monkeypatch.context() as patched:
        patched.setattr(advancing, "advance", broken)
        shell("run", "--until-idle")
    assert "a fault of the core" in shell("aside", "list").stdout
    # the one place where a traceback is shown
    said = CliRunner().invoke(command, ("aside", "list", "--json"), env={"ORDERLOOM_HOME": str(shell.home)}).stdout
    (found,) = json.loads(said)
    assert (found["order"], found["message"]) == (order, "ZeroDivisionError: a fault of the core")
    assert "in broken" in found["traceback"]
    assert "no event 99 was set aside" in shell("aside", "retry", "99", exit=1).stderr
    shell("aside", "retry", str(found["id"]))
    shell("run", "--until-idle")
    assert shell.json("orders", "list")[0]["status"] == "pending"


def test_what_is_refused_says_why(shell: Shell) -> None:
    assert "no bundle is deployed" in shell("submit", shell.order("one"), exit=1).stderr
    shell("deploy", shell.bundle)
    bad = shell.folder / "bad.json"
    bad.write_text('{"productOrderItem": [{"id": 1}]}')
    said = shell("submit", str(bad), exit=1).stderr
    assert "productOrderItem[0].action: expected one of add" in said
    result = shell("submit", shell.order("one"), str(bad), exit=1)
    assert result.stdout.startswith("order ")
    assert "no deployed bundle has the operation `a.b`" in shell("callback", "a.b", str(bad), exit=1).stderr


def test_options_may_stand_before_the_command_and_win_over_the_environment(shell: Shell) -> None:
    other = str(shell.folder / "other")
    shell("--home", other, "deploy", shell.bundle)
    assert shell.json("bundles") == []
    assert len(shell.json("bundles", "--home", other)) == 1
    url = f"sqlite:///{shell.folder / 'own.db'}"
    shell("deploy", shell.bundle, "--database-url", url)
    assert len(shell.json("--database-url", url, "bundles")) == 1
    assert "is not supported yet" in shell("bundles", "--database-url", "oracle://x", exit=1).stderr


def test_errors_are_json_where_results_are(shell: Shell) -> None:
    error = json.loads(shell("orders", "show", "x", "--json", exit=1).stderr)["error"]
    assert (error["code"], error["message"]) == ("unknown-order", "there is no order `x`")
    shell("deploy", shell.bundle)
    bad = shell.folder / "bad.json"
    bad.write_text("{}")
    error = json.loads(shell("submit", str(bad), "--json", exit=1).stderr)["error"]
    assert error["code"] == "order-refused"
    assert error["details"][0].startswith("productOrderItem: expected")


def test_a_home_that_cannot_be_is_told(shell: Shell) -> None:
    path = shell.folder / "file"
    path.write_text("")
    assert "file" in shell("bundles", "--home", str(path / "home"), exit=1).stderr


def test_simulated_systems_call_back_before_the_worker_is_idle(shell: Shell) -> None:
    fiber = Path(__file__).parents[3] / "designs/fiber"
    shell("deploy", str(fiber))
    shell("submit", str(fiber / "orders/voip_port_in.json"))
    shell("run", "--simulated", "fiber", "--until-idle")
    tasks = shell.json("orders", "show", "FIB-1005")["tasks"]
    porting = next(each for each in tasks if each["id"].endswith("ConnectVoice.request_port"))
    assert porting["state"] == "completed"
