"""What orders hold cannot steer the terminal, nor break a picture."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import FrameType
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from orderloom.models.catalog import Action, Level, Scope
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, TaskState
from orderloom.models.tasks import TaskKind
from orderloom.runtime import drawing
from orderloom.runtime.cli import screen, showing
from orderloom.runtime.store.sqlite import SqliteStore
from orderloom.runtime.views import LineView, PlanTask, plain
from tests.runtime.cli.conftest import Shell

HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold red]x[/] :smile: \u202e\u200b\r\n\t{{ 7*7 }} <b>&\"'\x9b1m\x00"


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("plain – ünï 漢字 🎉", "plain – ünï 漢字 🎉"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\u202eabc", "\\u202eabc"),
        ("\x9b", "\\x9b"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_steers_a_terminal_is_written_out(found: str, shown: str) -> None:
    assert screen.clean(found) == shown


@given(st.text())
def test_clean_text_has_no_control_characters(text: str) -> None:
    cleaned = screen.clean(text)
    assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in cleaned)
    assert screen.clean(cleaned) == cleaned
    cleaned.encode()


@pytest.mark.parametrize("arguments", [("decompose",), ("plan",), ("plan", "--tree"), ("simulate",)])
def test_a_hostile_order_cannot_reach_the_terminal(shell: Shell, arguments: tuple[str, ...]) -> None:
    name, *options = arguments
    result = shell(name, shell.bundle, shell.order("one", label=HOSTILE.replace("\x00", "")), *options)
    assert "\x1b" not in result.output
    assert "\x07" not in result.output
    assert "\u202e" not in result.output
    if name == "decompose":
        assert "[bold red]x[/] :smile:" in result.stdout


def pictured(text: str) -> tuple[list[LineView], list[PlanTask]]:
    line = LineView(
        id=text,
        spec="Box",
        title="Box",
        level=Level.PRODUCT,
        action=Action.ADD,
        quantity=1,
        state=OrderStatus.COMPLETED,
        parent="",
        root=text,
        asset="",
        scope=Scope.LINE,
    )
    first, second = (
        PlanTask(
            id=f"{text}/P.{name}",
            definition=f"P.{name}",
            title=text,
            kind=TaskKind.AUTO,
            line=text,
            state=TaskState.COMPLETED,
            after=after,
        )
        for name, after in (("a", ()), ("b", (f"{text}/P.a", "elsewhere")))
    )
    return [line], [first, second]


@given(st.text())
def test_pictures_are_well_formed_whatever_they_show(text: str) -> None:
    lines, tasks = pictured(text + HOSTILE)
    root = ElementTree.fromstring(drawing.svg(lines, tasks, text))
    assert len(root.findall("{http://www.w3.org/2000/svg}g")) == 2
    assert drawing.mermaid(lines, tasks).count("-->") == 1
    assert drawing.dot(lines, tasks).count('" -> "') == 1


def test_depth_is_the_longest_way() -> None:
    _lines, tasks = pictured("x")
    assert list(drawing.depths(tasks).values()) == [0, 1]


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_order_is_read_once_to_be_shown(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    shell("deploy", shell.bundle)
    shell("submit", shell.order("one"))
    reads: list[tuple[str, ...]] = []
    load = SqliteStore.load

    def counted(store: SqliteStore, orders: Sequence[str]) -> list[OrderState]:
        reads.append(tuple(orders))
        return load(store, orders)

    monkeypatch.setattr(SqliteStore, "load", counted)
    shell("orders", "show", shell.json("orders", "list")[0]["id"], *form)
    assert len(reads) == 1


def test_showing_takes_work_in_proportion_to_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    (line,), (task, _second) = pictured("x")

    def calls(count: int) -> int:
        lines = [replace(line, id=str(number), parent=str(number // 4 or "")) for number in range(count)]
        tasks = [
            replace(task, id=f"{number}/Box.t", line=str(number), after=(f"{max(number - 1, 0)}/Box.t",))
            for number in range(count)
        ]
        made = 0

        def count_call(_frame: FrameType, event: str, _argument: object) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        sys.setprofile(count_call)
        try:
            showing.show_lines(lines, "lines")
            showing.show_plan_tree(lines, tasks, "plan")
            showing.show_plan(tasks)
            plain([lines, tasks])
        finally:
            sys.setprofile(None)
        capsys.readouterr()
        return made

    calls(10)
    small = calls(500)
    assert calls(2000) < 4.2 * small


def test_a_plain_tree_looks_like_one_on_a_terminal() -> None:
    top = screen.tree("top")
    first = top.add("first")
    first.add("below").add("deep")
    first.add("beside")
    top.add("last").add("end")
    written = io.StringIO()
    Console(file=written, width=80, color_system=None).print(top)
    assert list(screen._branches(top)) == [line.rstrip() for line in written.getvalue().splitlines()]


def test_a_long_cell_does_not_widen_the_other_rows(capsys: pytest.CaptureFixture[str]) -> None:
    screen.show_table(("a", "b"), [("x" * 5000, 1), ("y", 2)])
    assert [len(line) for line in capsys.readouterr().out.splitlines()] == [83, 5003, 83]
