"""`--svg FILE`, `--mermaid`, `--dot`: a plan as a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from orderloom.runtime import drawing
from orderloom.runtime.views import LineView, PlanTask

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Which picture is asked for, if any."""

    svg: Path | None
    mermaid: bool
    dot: bool

    @property
    def wanted(self) -> bool:
        """Whether any is asked for."""
        return bool(self.svg or self.mermaid or self.dot)

    def draw(self, lines: Sequence[LineView], tasks: Sequence[PlanTask], title: str) -> None:
        """Draws what is asked for."""
        if self.svg:
            self.svg.write_text(drawing.svg(lines, tasks, title), encoding="utf-8")
            click.echo(f"wrote {self.svg}", err=True)
        if self.mermaid:
            click.echo(drawing.mermaid(lines, tasks), nl=False)
        if self.dot:
            click.echo(drawing.dot(lines, tasks), nl=False)


def picture_options(function: Function) -> Function:
    """Adds the options, as `svg`, `mermaid` and `dot`."""
    function = click.option("--dot", is_flag=True, help="Print the plan as a Graphviz digraph.")(function)
    function = click.option("--mermaid", is_flag=True, help="Print the plan as a Mermaid flow chart.")(function)
    path = click.Path(dir_okay=False, writable=True, path_type=Path)
    return click.option("--svg", type=path, metavar="FILE", help="Write a picture of the plan.")(function)
