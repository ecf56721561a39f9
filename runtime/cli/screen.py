"""Output: tables, trees and colour on a terminal, plain text in a pipe, JSON where asked for.

Whatever comes from orders or other systems passes `clean`, so that it cannot steer the terminal; rich's markup is off.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import click
import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from orderloom.models.conversion import to_json
from orderloom.models.values import Value
from orderloom.runtime.views import plain

#: icon and colour of the states of orders, lines, tasks and work; the word always stands beside
STATES = {
    "green": ("●", "green"),
    "yellow": ("▲", "yellow"),
    "red": ("■", "bold red"),
    "acknowledged": ("○", "cyan"),
    "rejected": ("✗", "red"),
    "pending": ("·", "dim"),
    "held": ("‖", "yellow"),
    "inProgress": ("▶", "blue"),
    "cancelled": ("⊘", "dim"),
    "completed": ("✓", "green"),
    "failed": ("✗", "red"),
    "partial": ("◐", "yellow"),
    "assessingCancellation": ("?", "yellow"),
    "pendingCancellation": ("⊘", "yellow"),
    "scheduled": ("◷", "cyan"),
    "ready": ("○", "cyan"),
    "running": ("▶", "blue"),
    "waiting": ("…", "blue"),
    "fallout": ("!", "bold red"),
    "skipped": ("↷", "dim"),
    "frozen": ("*", "cyan"),
    "discarded": ("–", "dim"),
    "amended": ("✓", "green"),
    "open": ("○", "cyan"),
    "assigned": ("◇", "blue"),
    "claimed": ("▶", "blue"),
    "done": ("✓", "green"),
    "returned": ("↩", "yellow"),
    "stopping": ("■", "yellow"),
    "stopped": ("■", "yellow"),
    "underWay": ("▶", "blue"),
    "awaiting": ("…", "blue"),
    "refused": ("✗", "red"),
    "reserved": ("○", "cyan"),
    "active": ("✓", "green"),
    "suspended": ("‖", "yellow"),
    "terminated": ("–", "dim"),
}

#: what moves a cursor, colours, hides or reorders text
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_BREAK = re.compile(r"[\t\n]")


def clean(text: object) -> str:
    """Text on one line, with whatever could steer a terminal written out."""
    text = str(text)
    if text.isprintable() and text.isascii():
        return text
    return _BREAK.sub(_escaped, clean_block(text))


def clean_block(text: object) -> str:
    """The same for text of several lines."""
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub(_escaped, text.replace("\r\n", "\n"))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def value_text(value: Value) -> str:
    """A value of the language for people."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(value_text(each) for each in value)
    return clean(to_json(value))


def time_text(instant: datetime | None) -> str:
    """An instant in local time, to the second."""
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def span_text(span: timedelta | None) -> str:
    """A span of time for people."""
    if span is None:
        return ""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} d"


#: columns where there is no terminal, so that nothing is cut
_PIPE = 4000
#: a column of a plain table is filled up to so many characters; what is longer moves the rest of its row
_FILLED = 80
#: columns that a terminal must have for tables and trees to be laid out, and rows that are laid out at most
_NARROW, _LAID_OUT = 40, 2_000


def out() -> Console:
    """The console of results."""
    width = None if sys.stdout.isatty() else _PIPE
    return Console(
        file=sys.stdout, markup=False, highlight=False, emoji=False, width=width, soft_wrap=width is not None
    )


def err() -> Console:
    """The console of remarks and progress."""
    width = None if sys.stderr.isatty() else _PIPE
    return Console(
        file=sys.stderr, markup=False, highlight=False, emoji=False, width=width, soft_wrap=width is not None
    )


def state(name: object) -> Text:
    """A state as icon and word, in its colour."""
    icon, colour = STATES.get(str(name), ("·", ""))
    return Text(f"{icon} {clean(name)}", style=colour)


def say(*parts: object) -> None:
    """A line of results."""
    line = Text(" ").join(part if isinstance(part, Text) else Text(clean(part)) for part in parts)
    out().print(line)


def remark(*parts: object) -> None:
    """A line beside the results."""
    line = Text(" ").join(part if isinstance(part, Text) else Text(clean(part)) for part in parts)
    err().print(line, style="dim")


def show_json(found: Any) -> None:
    """Results as JSON."""
    shown = plain(found)
    try:
        text = orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        # integers of the language have no bound, which the faster writer does not bear
        text = json.dumps(shown, ensure_ascii=False, indent=2)
    click.echo(text)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A table; where it is not laid out its columns stand two spaces apart, without frame or cuts."""
    if not _laid_out(len(rows)):
        lines = [
            [name.upper() for name in columns],
            *[[cell.plain if isinstance(cell, Text) else clean(cell) for cell in row] for row in rows],
        ]
        widths = [min(max(map(len, column)), _FILLED) for column in zip(*lines, strict=True)]
        _write("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
        return
    cells = [[cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row] for row in rows]
    table = Table(box=SIMPLE_HEAD, title=Text(clean(title)) if title else None, title_justify="left", pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in cells:
        table.add_row(*row)
    out().print(table)


def show_tree(tree: Tree) -> None:
    """The tree; where it is not laid out it looks the same without colours, a line of text for each branch."""
    lines = list(_branches(tree))
    if _laid_out(len(lines)):
        out().print(tree)
    else:
        _write(lines)


def _branches(tree: Tree) -> Iterator[str]:
    yield str(tree.label)
    # children still to come, with what stands before each
    open_branches = [("", iter(tree.children), len(tree.children))]
    while open_branches:
        before, children, left = open_branches.pop()
        child = next(children, None)
        if child is None:
            continue
        open_branches.append((before, children, left - 1))
        yield f"{before}{'├── ' if left > 1 else '└── '}{child.label}"
        if child.children:
            below = before + ("│   " if left > 1 else "    ")
            open_branches.append((below, iter(child.children), len(child.children)))


def _laid_out(rows: int) -> bool:
    """Whether so many rows are worth a layout: in a pipe, on a narrow terminal and for large orders plain text is
    both faster and easier to read."""
    return rows <= _LAID_OUT and sys.stdout.isatty() and out().width >= _NARROW


def _write(lines: Iterable[str]) -> None:
    click.echo("\n".join(lines))


def tree(label: Text | str) -> Tree:
    """A tree to which branches are added with `add(Text)`."""
    return Tree(label if isinstance(label, Text) else Text(clean(label)), guide_style="dim")


class Bar:
    """A progress bar to be moved."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def at(self, done: int, note: str = "") -> None:
        """So many are done."""
        self._progress.update(self._task, completed=done, note=clean(note))


@contextmanager
def progress(title: str, total: int) -> Iterator[Bar]:
    """A progress bar on standard error, on a terminal only."""
    console = err()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False, style="dim"),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        yield Bar(shown, shown.add_task(title, total=total, note=""))
