"""Commands that need no store: check, decompose, plan, simulate, explain."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.runtime.cli.conftest import Shell


def test_check_says_that_a_bundle_is_sound(shell: Shell) -> None:
    assert shell("check", shell.bundle).stdout.startswith("parcels 1.0.0 is sound: 2 specs, 1 rules")
    assert shell.json("check", shell.bundle) == []


def test_check_shows_what_is_wrong_and_where(shell: Shell) -> None:
    design = Path(shell.bundle, "design.loom")
    design.write_text(design.read_text().replace("size = size", "size = sice"))
    result = shell("check", shell.bundle, exit=1)
    assert "error[LM" in result.stdout
    assert "design.loom:1" in result.stdout
    assert "^^^^" in result.stdout
    assert "1 error, 0 warnings" in result.stdout
    (found,) = shell.json("check", shell.bundle, exit=1)
    assert found["severity"] == "error"
    assert found["place"]["file"] == "design.loom"


@pytest.mark.parametrize(
    "arguments",
    [("check", "nowhere"), ("check",), ("explian",), ("orders", "show"), ("submit",), ("check", "x", "--jsn")],
)
def test_wrong_usage_is_exit_code_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    shell(*arguments, exit=2)


def test_a_misspelt_command_is_met_with_the_nearest(shell: Shell) -> None:
    assert "Did you mean `explain`?" in shell("explian", exit=2).stderr


def test_decompose_shows_lines_with_provenance(shell: Shell) -> None:
    text = shell("decompose", shell.bundle, shell.order("one")).stdout
    assert "+ add Parcel" in text
    assert "size = small   ← Box->Parcel from 1: size" in text
    assert "staged" not in text
    lines = {line["spec"]: line for line in shell.json("decompose", shell.bundle, shell.order("one"))["lines"]}
    assert lines["Parcel"]["sources"] == [{"line": "1", "rule": "Box->Parcel"}]


def test_decompose_compares_with_inventory(shell: Shell) -> None:
    inventory = shell.folder / "held.json"
    held = {"id": "P-1", "spec": "Box", "account": "A-1", "attributes": {"size": "small", "label": "old"}}
    inventory.write_text(json.dumps([held]))
    order = shell.folder / "change.json"
    order.write_text(
        json.dumps(
            {
                "billingAccount": {"id": "A-1"},
                "productOrderItem": [
                    {
                        "id": "1",
                        "action": "modify",
                        "product": {"id": "P-1", "productCharacteristic": [{"name": "label", "value": "new"}]},
                    }
                ],
            }
        )
    )
    text = shell("decompose", shell.bundle, str(order), "--inventory", str(inventory)).stdout
    assert "label = new  (was old)" in text
    inventory.write_text(json.dumps([{**held, "spec": "Bax"}, {"id": "x"}, {**held, "attributes": {"size": "huge"}}]))
    said = shell("decompose", shell.bundle, str(order), "--inventory", str(inventory), exit=1).stderr
    assert "inventory[0]: expected an asset of this design, found unknown spec `Bax`" in said
    assert "inventory[1]" in said
    assert "one of small, large" in said


def test_an_order_that_cannot_be_decomposed_is_told_why(shell: Shell) -> None:
    said = shell("decompose", shell.bundle, shell.order("odd", size="huge"), exit=1).stderr
    assert "the order cannot be decomposed" in said
    assert "small, large" in said


def test_plan_as_table_tree_and_pictures(shell: Shell) -> None:
    order = shell.order("one", id="O-1")
    assert "Ship.send" in shell("plan", shell.bundle, order).stdout
    assert "after Ship.pack" in shell("plan", shell.bundle, order, "--tree").stdout
    assert shell("plan", shell.bundle, order, "--mermaid").stdout.startswith("flowchart LR")
    assert shell("plan", shell.bundle, order, "--dot").stdout.startswith("digraph plan {")
    picture = shell.folder / "plan.svg"
    shell("plan", shell.bundle, order, "--svg", str(picture))
    root = ElementTree.fromstring(picture.read_text())
    assert "Pack the parcel" in {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    tasks = {task["definition"]: task for task in shell.json("plan", shell.bundle, order)["tasks"]}
    assert tasks["Ship.send"]["after"] == [tasks["Ship.pack"]["id"]]


def test_simulate_runs_an_order_to_its_end(shell: Shell) -> None:
    found = shell.json("simulate", shell.bundle, shell.order("one"))
    assert found["status"] == "completed"
    assert [call["outcome"] for call in found["calls"]] == ["completed"]
    assert found["took"] > 3600
    assert shell("simulate", shell.bundle, shell.order("one"), "--calls").stdout.count("depot.send") == 1


def test_simulate_ends_with_1_where_an_order_does_not_end(shell: Shell) -> None:
    systems = shell.folder / "systems.yaml"
    systems.write_text("depot.send: {status: 409, body: {error: {code: NO_ROOM, message: full}}}")
    found = shell.json("simulate", shell.bundle, shell.order("one"), "--systems", str(systems), exit=1)
    assert {task["code"] for task in found["tasks"]} == {"", "NO_ROOM"}
    systems.write_text("depot.paint: {status: 200}")
    said = shell("simulate", shell.bundle, shell.order("one"), "--systems", str(systems), exit=1).stderr
    assert "no operation is called `depot.paint`" in said


def test_explain_a_rule_a_plan_and_a_line(shell: Shell) -> None:
    order = shell.order("one", id="O-1")
    assert "fires for line 1" in shell("explain", shell.bundle, order, "Box->Parcel").stdout
    assert "plan Ship for Parcel on add" in shell("explain", shell.bundle, order, "Ship").stdout
    assert "inventory has none" in shell("explain", shell.bundle, order, "Parcel").stdout
    assert shell.json("explain", shell.bundle, order, "1")[0]["reason"] == "as ordered"
    said = shell("explain", shell.bundle, order, "Parsel", exit=1).stderr
    assert "did you mean `Parcel`" in said


def test_an_order_may_come_by_standard_input(shell: Shell) -> None:
    text = Path(shell.order("one")).read_text()
    assert "Parcel" in shell("decompose", shell.bundle, "-", input=text).stdout
    assert "cannot read" in shell("decompose", shell.bundle, "gone.json", exit=1).stderr
    assert "expected JSON" in shell("decompose", shell.bundle, "-", input="{", exit=1).stderr
