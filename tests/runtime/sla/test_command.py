"""`orderloom sla`, `work pause` and `calendars` from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.cli.conftest import Shell
from tests.runtime.sla.visits import bundle, visit


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with SyncRuntime(tmp_path / "home") as runtime:
        runtime.deploy(bundle("office"))
        runtime.submit(visit())
        runtime.run_until_idle()
    yield Shell(tmp_path, tmp_path / "home")


def test_clocks_are_listed_stopped_and_let_go_on(shell: Shell) -> None:
    (clock,) = shell.json("sla")
    assert (clock["queue"], clock["stage"], clock["paused_at"]) == ("office", "running", None)
    text = shell("sla").stdout
    assert "Visit the site" in text and ("● 8h" in text or "● 7h59m" in text)
    assert (
        "the clock of item 1 stands: waiting_customer"
        in shell("work", "pause", "1", "--reason", "waiting_customer").stdout
    )
    assert shell.json("sla")[0]["reason"] == "waiting_customer"
    assert "stands: waiting_customer" in shell("sla", "--queue", "office").stdout
    assert "stands already" in shell("work", "pause", "1", "--reason", "again", exit=1).stderr
    assert "item 1 is due" in shell("work", "resume", "1").stdout
    (pause,) = shell.json("work", "pauses", "1")
    assert pause["reason"] == "waiting_customer" and pause["ended_at"] is not None
    assert "waiting_customer" in shell("work", "pauses", "1").stdout
    assert shell("sla", "--kind", "fallout").stdout == ""


def test_calendars_are_listed_changed_and_reset(shell: Shell) -> None:
    (office,) = shell.json("calendars", "list")
    assert (office["name"], office["hours"]["mon"], office["change"]) == ("office", "08:00-16:00", None)
    said = shell(
        "calendars", "set", "office", "--holiday", "2026-12-24", "--holiday", "2026-12-31", "--reason", "party"
    )
    assert "off 2026-12-24, off 2026-12-31" in said.stdout
    (office,) = shell.json("calendars", "list")
    assert office["holidays"] == {"2026-12-24": "party", "2026-12-31": "party"}
    assert "off 2026-12-24" in shell("calendars", "list").stdout
    file = shell.folder / "calendar.yaml"
    file.write_text('hours: { mon-thu: "09:00-12:00" }\nholidays: { dates: [2026-12-25] }\n')
    shell("calendars", "set", "office", "--from", str(file), "--workday", "2026-12-25")
    (office,) = shell.json("calendars", "list")
    assert office["hours"] == dict.fromkeys(("mon", "tue", "wed", "thu"), "09:00-12:00") and office["holidays"] == {}
    shell("calendars", "reset", "office")
    assert shell.json("calendars", "list")[0]["change"] is None


def test_what_is_wrong_is_said(shell: Shell) -> None:
    assert "say what is to change" in shell("calendars", "set", "office", exit=2).stderr
    assert "no calendar `shop` to change" in shell("calendars", "set", "shop", "--holiday", "2026-12-24", exit=1).stderr
    file = shell.folder / "calendar.yaml"
    file.write_text('hours: { mon-thu: "9-12" }\n')
    assert "the calendar `office` is refused" in shell("calendars", "set", "office", "--from", str(file), exit=1).stderr
    file.write_text("hours: [\n")
    assert "is no YAML" in shell("calendars", "set", "office", "--from", str(file), exit=1).stderr
    assert "no work item `9`" in shell("work", "pause", "9", "--reason", "x", exit=1).stderr
