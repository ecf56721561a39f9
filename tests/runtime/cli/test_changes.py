"""Change of orders in flight by the command line alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orderloom.runtime.cli import command
from tests.runtime.change.boxes import FILES, change, order


class Boxes:
    """The bundle of boxes in a folder, with one order of two boxes whose parcels are sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.deploy(FILES)
        self("submit", self.file("two", order(externalId="X-1", count=2)))
        self("run", "--until-idle")

    def __call__(self, *arguments: str, exit: int = 0) -> Result:
        environ = {"ORDERLOOM_HOME": str(self.folder / "home"), "NO_COLOR": "1", "ORDERLOOM_DEBUG": "0"}
        result = CliRunner().invoke(command, arguments, env=environ)
        assert result.exit_code == exit, f"{arguments}: {result.exit_code}\n{result.stdout}\n{result.stderr}"
        return result

    def deploy(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.folder / "boxes" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self("deploy", str(self.folder / "boxes"))

    def file(self, name: str, document: object) -> str:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(document))
        return str(path)


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    return Boxes(tmp_path)


def test_an_amendment_is_tried_drawn_made_and_replayed(boxes: Boxes, tmp_path: Path) -> None:
    wanted = boxes.file("large", order(size="large"))
    picture = tmp_path / "plan.svg"
    text = boxes("orders", "amend", "X-1", wanted, "--dry-run", "--svg", str(picture)).stdout
    assert "amend of order X-1: would go through" in text
    for part in ("undo and redo", "completed → pending", "size small → large", "cancel", "waiting → cancelled"):
        assert part in text, part
    drawn = picture.read_text()
    assert "undo and redo: completed → pending" in drawn and drawn.startswith("<svg")
    found = json.loads(boxes("orders", "amend", "X-1", wanted, "--dry-run", "--json").stdout)
    assert found["refused"] is False
    assert {each["verdict"] for each in found["tasks"]} == {"undo and redo", "keep", "undo", "cancel", "add"}
    assert "noted: order X-1 is amended" in boxes("orders", "amend", "X-1", wanted, "--reason", "bigger").stdout
    boxes("run", "--until-idle")
    shown = boxes("orders", "show", "X-1").stdout
    for part in ("LINE~CHANGE", "1~1", "size small", "earlier run: send", "undo: send", "EARLIEST START", "● green"):
        assert part in shown, part
    assert "is what its" in boxes("orders", "replay", "X-1").stdout
    (schedule,) = [json.loads(boxes("orders", "show", "X-1", "--schedule", "--json").stdout)["schedule"]]
    assert schedule["expected"]


def test_a_dry_run_tells_what_becomes_of_dates(boxes: Boxes) -> None:
    later = boxes.file("later", order(count=2, requestedCompletionDate="2999-01-01T12:00:00Z"))
    text = boxes("orders", "amend", "X-1", later, "--dry-run").stdout
    assert "requested completion  – → 2999-01-01 " in text and "expected completion" in text
    found = json.loads(boxes("orders", "amend", "X-1", later, "--dry-run", "--json").stdout)
    assert found["dates"] == [{"name": "requested completion", "before": None, "after": "2999-01-01T12:00:00Z"}]
    assert found["outlook"]["expected_after"] and found["outlook"]["jeopardy_after"] == "green"


def test_what_is_not_named_is_not_found(boxes: Boxes) -> None:
    for what in ("show", "cancel", "hold", "replay"):
        assert "there is no order ``" in boxes("orders", what, "", exit=1).stderr
    assert "there is no bundle `boxes `" in boxes("migrate", "--order", "X-1", "--to", "", exit=1).stderr
    assert "there is no bundle `typo`" in boxes("migrate", "--all-open", "typo", "--to", "1.0.0", exit=1).stderr
    assert "name the event" in boxes("event", "", exit=2).stderr
    assert json.loads(boxes("orders", "show", "X-1", "--json").stdout)["order"]["status"] == "pending"


def test_nothing_is_changed_where_a_picture_is_asked_for(boxes: Boxes, tmp_path: Path) -> None:
    picture = str(tmp_path / "plan.svg")
    wanted = boxes.file("large", order(size="large"))
    for asked in (("cancel", "X-1"), ("amend", "X-1", wanted)):
        assert "a picture is drawn of one order" in boxes("orders", *asked, "--svg", picture, exit=2).stderr
    assert not Path(picture).exists()


def test_of_the_past_the_parts_that_are_asked_for_are_shown(boxes: Boxes) -> None:
    at = json.loads(boxes("orders", "journal", "X-1", "--json").stdout)[-1]["at"]
    found = json.loads(boxes("orders", "show", "X-1", "--at", at, "--journal", "--json").stdout)
    assert "journal" in found and "lines" not in found and "tasks" not in found
    assert "lines of" not in boxes("orders", "show", "X-1", "--at", at, "--plan").stdout
    for part in ("--schedule", "--calls", "--tmf622"):
        assert "with `--at` there are" in boxes("orders", "show", "X-1", "--at", at, part, exit=2).stderr


def test_an_order_is_tried_and_drawn_before_it_is_submitted(boxes: Boxes, tmp_path: Path) -> None:
    picture = tmp_path / "plan.svg"
    new = boxes.file("new", order(externalId="X-9", account="A-9", size="large"))
    text = boxes("submit", new, "--dry-run", "--svg", str(picture)).stdout
    assert "order X-9: would go through" in text and "size = large" in text and "Ship.pack" in text
    assert "Ship.send" in picture.read_text()
    assert json.loads(boxes("orders", "list", "--account", "A-9", "--json").stdout) == []
    product = json.loads(boxes("inventory", "--spec", "Box", "--json").stdout)[0]["id"]
    modify = boxes.file("modify", change("modify", product, size="large"))
    text = boxes("submit", modify, "--dry-run").stdout
    assert "size = large  (was small)" in text and f"is changing product `{product}`" in text
    used = boxes.file("used", order(externalId="X-1"))
    found = json.loads(boxes("submit", used, "--dry-run", "--json", exit=1).stdout)
    assert found["refused"] and "another order was submitted before" in found["reasons"][0]
    assert "a picture is drawn" in boxes("submit", new, "--svg", str(picture), exit=2).stderr
    assert "a dry run is made of one order" in boxes("submit", new, used, "--dry-run", exit=2).stderr


def test_the_past_is_shown(boxes: Boxes) -> None:
    records = json.loads(boxes("orders", "journal", "X-1", "--json").stdout)
    boxes("orders", "cancel", "X-1", "--by", "ada", "--reason", "not wanted")
    boxes("run", "--until-idle")
    assert json.loads(boxes("orders", "show", "X-1", "--json", "--plan").stdout)["order"]["status"] == "cancelled"
    past = json.loads(boxes("orders", "show", "X-1", "--at", records[-1]["at"], "--json").stdout)
    assert (past["status"], past["version"], len(past["tasks"])) == ("pending", len(records), 4)
    assert "was submitted later" in boxes("orders", "show", "X-1", "--at", "2020-01-01", exit=1).stderr
    assert "expected a date and time" in boxes("orders", "show", "X-1", "--at", "soon", exit=2).stderr
    asset = json.loads(boxes("inventory", "--spec", "Parcel", "--json").stdout)[0]["id"]
    history = boxes("inventory", "show", asset, "--history").stdout
    assert "reserved" in history and "terminated" in history
    assert "inventory holds no `x`" in boxes("inventory", "show", "x", exit=1).stderr


def test_orders_migrate(boxes: Boxes) -> None:
    newer = FILES["design.loom"].replace(
        "  manual pack", '  milestone on_its_way "On its way" { after send }\n  manual pack'
    )
    boxes.deploy({**FILES, "bundle.yaml": "name: boxes\nversion: 1.1.0\n", "design.loom": newer})
    tried = boxes("migrate", "--to", "1.1.0", "--all-open", "boxes", "--dry-run").stdout
    assert "migrate of order X-1 to 1.1.0: would go through" in tried and "Ship.on_its_way" in tried
    boxes("migrate", "--to", "1.1.0", "--order", "X-1")
    boxes("run", "--until-idle")
    assert "bundle boxes 1.1.0" in boxes("orders", "show", "X-1").stdout
    assert "no open orders" in boxes("migrate", "--to", "1.1.0", "--all-open", "boxes").stderr
    assert "there is no bundle `boxes 7`" in boxes("migrate", "--to", "7", "--order", "X-1", exit=1).stderr
    assert "name the orders" in boxes("migrate", "--to", "1.1.0", exit=2).stderr


def test_what_is_refused_is_told_by_the_exit_code(tmp_path: Path) -> None:
    hard = FILES["design.loom"].replace("undo      depot.fetch", "no return hard")
    boxes = Boxes(tmp_path)
    boxes.deploy({**FILES, "bundle.yaml": "name: boxes\nversion: 2.0.0\n", "design.loom": hard})
    boxes("submit", boxes.file("hard", order(externalId="X-2", account="A-2")))
    boxes("run", "--until-idle")
    text = boxes("orders", "cancel", "X-2", "--dry-run", exit=1).stdout
    assert "would be refused" in text and "Ship.send" in text
    assert "would go through" in boxes("orders", "cancel", "X-2", "--dry-run", "--force").stdout


def test_an_order_that_waits_is_started_by_hand(boxes: Boxes) -> None:
    related = [{"id": "X-1", "relationshipType": "dependsOn"}]
    boxes("submit", boxes.file("after", order(externalId="X-2", account="A-2", orderRelationship=related)))
    boxes("run", "--until-idle")
    assert "because waits until order" in boxes("orders", "show", "X-2").stdout
    assert "order X-2 has started" in boxes("orders", "start", "X-2", "--by", "ada", "--reason", "urgent").stdout
    boxes("run", "--until-idle")
    assert "started by ada in spite of other orders: urgent" in boxes("orders", "journal", "X-2").stdout


def test_what_a_task_waits_for_in_another_order_is_shown(boxes: Boxes) -> None:
    lid = """
product Lid { }
queue lids { }
plan Close for Lid on add { manual close { queue lids   after Parcel.pack within related order } }
"""
    newer = {**FILES, "bundle.yaml": "name: boxes\nversion: 1.1.0\n", "design.loom": FILES["design.loom"] + lid}
    boxes.deploy(newer)
    document = order(
        externalId="X-2", account="A-2", orderRelationship=[{"id": "X-1", "relationshipType": "relatedTo"}]
    )
    document["productOrderItem"][0]["product"] = {"productSpecification": {"id": "Lid"}}
    file = boxes.file("lid", document)
    planned = json.loads(boxes("plan", str(boxes.folder / "boxes"), file, "--json").stdout)
    assert [task["elsewhere"] for task in planned["tasks"]] == [[["X-1", "Ship.pack"]]]
    assert "after Ship.pack of order X-1" in boxes("plan", str(boxes.folder / "boxes"), file, "--tree").stdout
    boxes("submit", file)
    boxes("run", "--until-idle")
    shown = json.loads(boxes("orders", "show", "X-2", "--json", "--plan").stdout)
    assert [task["elsewhere"] for task in shown["tasks"]] == [[["X-1", "Ship.pack"]]]
    assert "Ship.pack of order" in boxes("orders", "show", "X-2", "--plan").stdout
    boxes("orders", "start", "X-2", "--by", "ada", "--reason", "no need to wait")
    boxes("run", "--until-idle")
    assert "close" in boxes("work", "list", "--queue", "lids").stdout
