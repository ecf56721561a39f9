"""`orderloom work` and `orderloom queues` for those who work queues and those who manage them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.cli.conftest import Shell

#: as a manager and two packers see it
PEOPLE = (
    ("root", "--role", "administrator"),
    ("mia", "--role", "manager"),
    ("ada", "--role", "operator", "--queue", "packers", "--skill", "fragile"),
    ("bob", "--role", "operator", "--queue", "packers"),
)


@pytest.fixture
def desk(shell: Shell) -> Shell:
    """Two orders whose boxes wait to be packed."""
    design = Path(shell.bundle) / "design.loom"
    text = design.read_text().replace("queue packers { sla 4h }", "queue packers { sla 4h escalate to leads }")
    design.write_text(text.replace("queue trouble", "queue leads { }\nqueue trouble", 1))
    shell("deploy", shell.bundle)
    for name, *more in PEOPLE:
        shell("users", "add", name, *more, by="root")
    for name in ("one", "two"):
        shell("submit", shell.order(name, label=name), by="root")
    shell("run", "--until-idle", by="root")
    return shell


def test_next_gives_one_item_after_the_other(desk: Shell) -> None:
    first = desk.json("work", "next", by="ada")
    assert (first["state"], first["claimed_by"]) == ("claimed", "ada")
    assert "kept until" in desk("work", "next", by="bob").stdout
    assert desk.json("work", "next", by="ada") is None
    assert desk("work", "next", by="ada").stderr == "nothing to do\n"
    assert desk.json("work", "list", "--mine", by="ada")[0]["id"] == first["id"]


def test_an_item_is_taken_kept_and_given_back(desk: Shell) -> None:
    assert "item 1 is claimed by ada until" in desk("work", "claim", "1", by="ada").stdout
    assert "item 1 is kept by ada until" in desk("work", "renew", "1", by="ada").stdout
    assert "is with `ada`" in desk("work", "claim", "1", by="bob", exit=1).stderr
    assert desk("work", "release", "1", by="ada").stdout == "item 1 is open again\n"


def test_a_manager_assigns_and_reassigns(desk: Shell) -> None:
    assert desk("work", "assign", "1", "ada", by="mia").stdout == "item 1 is for ada to do\n"
    assert "assigned to ada" in desk("work", "list", by="mia").stdout
    assert "work.assign" in desk("work", "assign", "1", "bob", by="ada", exit=1).stderr
    moved = desk("work", "reassign", "--from", "ada", "--to", "bob", "--reason", "ill", by="mia")
    assert moved.stdout == "1 of 1 items are for bob to do\n"
    some = desk("work", "reassign", "1", "99", "--to", "ada", by="mia", exit=1)
    assert some.stdout == "1 of 2 items are for ada to do\n"
    assert some.stderr == "item 99: there is no work item `99`\n"


def test_notes_attachments_and_history_are_shown(desk: Shell) -> None:
    desk("work", "claim", "1", by="ada")
    assert desk("work", "note", "1", "the label is torn", by="ada").stdout == "noted at item 1\n"
    attached = desk("work", "attach", "1", "https://files.example.net/a/torn.jpg", "--type", "image/jpeg", by="ada")
    assert attached.stdout == "torn.jpg is noted at item 1\n"
    refused = desk("work", "attach", "1", "https://ada:pw-9f3@files.example.net/x", by="ada", exit=1)
    assert "pw-9f3" not in refused.output
    shown = desk("work", "show", "1", by="ada").stdout
    assert "the label is torn" in shown
    assert "https://files.example.net/a/torn.jpg" in shown
    found = desk.json("work", "show", "1", by="ada")
    assert [each["what"] for each in found["history"]] == ["opened", "claimed"]
    assert [each["media_type"] for each in found["notes"]] == ["", "image/jpeg"]


def test_what_is_no_text_is_refused(desk: Shell) -> None:
    broken = "\udcff\udcfe"
    for arguments in (("work", "note", "1", broken), ("work", "list", "--queue", broken)):
        result = desk(*arguments, exit=1)
        assert "text that holds" in result.stderr
        assert "internal error" not in result.stderr


def test_items_go_to_other_queues(desk: Shell) -> None:
    assert desk("work", "escalate", "1", "--reason", "too big", by="ada").stdout == "item 1 is in leads\n"
    assert desk("work", "show", "1", by="ada", exit=1).stderr.startswith("error: there is no work item `1`")
    assert desk("work", "handover", "1", "packers", by="mia").stdout == "item 1 is in packers\n"
    refused = desk("work", "handover", "1", "trouble", by="mia", exit=1)
    assert "`trouble` takes failed tasks" in refused.stderr
    assert "there are: " in desk("work", "handover", "1", "attic", by="mia", exit=1).stderr


def test_the_form_is_asked_for_on_a_terminal(desk: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderloom.runtime.cli.work.on_terminal", lambda: True)
    done = desk("work", "complete", "1", by="ada", input="much\n3\n\n")
    assert "weight (integer" in done.stderr
    assert "weight: expected integer" in done.stderr
    desk("run", "--until-idle", by="root")
    assert desk.json("work", "show", "1", by="mia")["state"] == "done"
    # what is given is not asked for
    desk("work", "complete", "2", "--set", "weight=3", "--set", "fragile=true", by="ada", input="")


def test_queues_are_listed_shown_overridden_and_reset(desk: Shell) -> None:
    (queue,) = desk.json("queues", "list", by="ada")
    assert (queue["name"], queue["count"]["open"]) == ("packers", 2)
    assert len(desk.json("queues", "list", by="mia")) == 4
    assert "override_queue" in desk("queues", "override", "packers", "--pause", by="ada", exit=1).stderr
    override = ("queues", "override", "packers", "--assign", "by_skill", "--skill", "fragile", "--lease", "1h30m")
    assert "assign by_skill fragile, lease 1h30m by mia" in desk(*override, "--reason", "rush", by="mia").stdout
    desk("run", "--until-idle", by="root")
    assert [each["claimed_by"] for each in desk.json("work", "list", by="mia")] == ["ada", "ada"]
    shown = desk("queues", "show", "packers", by="mia").stdout
    assert "by_skill fragile (override)" in shown
    assert "rush" in shown
    assert [each["load"] for each in desk.json("queues", "show", "packers", by="mia")["members"]] == [2, 0]
    assert desk("queues", "reset", "packers", by="mia").stdout == "queue packers assigns as designed: pull\n"
    assert (
        "expected a span of time" in desk("queues", "override", "packers", "--lease", "long", by="mia", exit=2).stderr
    )
    assert "there is no queue `attic`" in desk("queues", "show", "attic", by="mia", exit=1).stderr
