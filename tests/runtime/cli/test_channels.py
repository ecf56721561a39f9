"""`orderloom channels` as an administrator uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.runtime.cli.conftest import Shell


def test_a_channel_from_its_making_to_its_end(shell: Shell, packed: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    shell("channels", "add", "feed", "file", "--path", str(path), "--events", "order.state, milestone")
    assert "has taken it" in shell("channels", "test", "feed").stdout
    order = packed("first")
    told = [json.loads(line) for line in path.read_text().splitlines()]
    assert told[0]["kind"] == "channel.test"
    assert {each["order"]["id"] for each in told[1:]} == {order}
    (found,) = shell.json("channels", "list")
    assert (found["channel"]["wanted"]["kinds"], found["backlog"]["waiting"]) == (["order.state", "milestone"], 0)
    assert "order.state, milestone" in shell("channels", "list").stdout
    shell("channels", "pause", "feed")
    assert "held" in shell("channels", "list").stdout
    shell("channels", "resume", "feed")
    shell("channels", "remove", "feed", "--reason", "no longer read")
    assert "no channels" in shell("channels", "list").stderr
    assert "there is no channel `feed`" in shell("channels", "test", "feed", exit=1).stderr


def test_what_was_given_up_is_listed_and_sent_again(shell: Shell, packed: Callable[..., str], tmp_path: Path) -> None:
    folder = tmp_path / "later"
    path = folder / "feed.jsonl"
    shell("channels", "add", "feed", "file", "--path", str(path), "--tries", "1", "--events", "order.state")
    packed("first")
    failed = shell.json("channels", "failed", "feed")
    assert failed
    assert all("cannot write" in each["error"] for each in failed)
    assert "cannot write" in shell("channels", "failed").stdout
    folder.mkdir()
    shell("channels", "resend", "feed", str(failed[-1]["id"]))
    assert "to be tried again" in shell("channels", "resend", "feed").stdout
    shell("run", "--until-idle")
    assert len(path.read_text().splitlines()) == len(failed)
    assert "no deliveries were given up" in shell("channels", "failed").stderr


def test_a_template_and_wrong_options(shell: Shell, tmp_path: Path) -> None:
    shell("deploy", shell.bundle)
    template = tmp_path / "told.j2"
    template.write_text('{"who": {{ channel.name }}}')
    path = tmp_path / "feed.jsonl"
    shell("channels", "add", "feed", "file", "--path", str(path), "--template", f"channel.*={template}")
    shell("channels", "test", "feed")
    assert path.read_text() == '{"who":"feed"}\n'
    assert "expected KIND=FILE" in shell("channels", "add", "x", "file", "--template", "x", exit=2).stderr
    assert "`url` is missing" in shell("channels", "add", "x", "webhook", exit=1).stderr
    assert "`path` is `here`" in shell("channels", "add", "x", "file", "--path", "here", exit=1).stderr
