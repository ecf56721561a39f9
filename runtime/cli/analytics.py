"""`orderloom analytics`: how fulfilment goes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option

_BARS = "▁▂▃▄▅▆▇█"
_REPORTS = {
    "summary": "What managers look at first, now and before.",
    "throughput": "Orders by period.",
    "cycle": "How long orders and steps take.",
    "queues": "How old open work is, how long work takes.",
    "sla": "Work that was done by its due time.",
    "fallout": "How many orders fell out, and why.",
    "rework": "What was done more than once, or by hand.",
}


@click.group(name="analytics")
def command() -> None:
    """Throughput, cycle time, queues, SLA, fallout and rework, by period and compared with the periods before."""


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--period", type=click.Choice(("hour", "day", "week", "month")), default="day", show_default=True),
        click.option("--last", type=click.IntRange(1, 1000), default=14, show_default=True, help="So many periods."),
        click.option(
            "--until", type=click.DateTime(), help="The last period is that of this time, of the zone [default: now]."
        ),
        click.option("--zone", default="", metavar="ZONE", help="Time zone of the periods [default: the design's]."),
        click.option("--product", default="", help="Only orders with this topmost product."),
        click.option("--csv", "csv", type=click.Path(dir_okay=False, path_type=Path), help="Write it as CSV."),
        click.option(
            "--parquet", type=click.Path(dir_okay=False, path_type=Path), help="Write it as Parquet (extra `parquet`)."
        ),
        json_option,
        store_options,
        click.pass_context,
    ):
        function = option(function)
    return function


def _report(name: str, help: str) -> click.Command:
    def show(
        ctx: click.Context,
        period: str,
        last: int,
        until: datetime | None,
        zone: str,
        product: str,
        csv: Path | None,
        parquet: Path | None,
        as_json: bool,
    ) -> None:
        from orderloom.runtime.analytics.exporting import write_csv, write_parquet

        with opened(ctx) as runtime:
            found = runtime.report(
                name,
                period=period,
                last=last,
                until=until,
                zone=zone,
                product=product,
            )
        for path, write in ((csv, write_csv), (parquet, write_parquet)):
            if path is not None:
                write(found, path)
                screen.remark("written to", path)
        if as_json:
            screen.show_json(as_objects(found))
        elif csv is None and parquet is None:
            _show(found)

    return command.command(name=name, help=help)(_options(show))


def as_objects(found: Any) -> dict[str, object]:
    """A report as JSON: rows are objects, spans seconds, shares parts of 1."""
    names = ("name", "period", "zone", "product", "since", "until", "before", "uncounted")
    return {
        **{name: getattr(found, name) for name in names},
        "figures": found.figures,
        "rows": [dict(zip((column.name for column in found.columns), row, strict=True)) for row in found.rows],
    }


def _show(found: Any) -> None:
    of = f" of {found.product}" if found.product else ""
    about = f"{found.name}{of} by {found.period} ({found.zone}), {screen.time_text(found.since)} to"
    screen.remark(about, screen.time_text(found.until))
    for figure in found.figures:
        screen.say(f"{figure.name}:", _cell(figure.now, figure.unit), f"(before: {_cell(figure.before, figure.unit)})")
    columns = [
        (place, column)
        for place, column in enumerate(found.columns)
        if column.name != "unit" and (column.unit != "trend" or screen.out().is_terminal)
    ]
    if found.rows:
        screen.show_table(
            [column.name for _, column in columns],
            [
                [_cell(row[place], row[1] if column.unit == "row" else column.unit) for place, column in columns]
                for row in found.rows
            ],
        )
    else:
        screen.remark("nothing happened")
    if found.uncounted:
        screen.remark(f"{found.uncounted} events are not counted yet; ask again")


def _cell(value: Any, unit: str) -> Text | str:
    if value is None:
        return "–"
    if unit == "trend":
        return sparkline(value)
    if unit == "s":
        return screen.span_text(timedelta(seconds=value))
    if unit == "share":
        return f"{value:.1%}"
    if unit == "change":
        return f"{value:+.0%}"
    if unit == "points":
        return f"{value * 100:+.1f} points"
    return f"{value:,}" if isinstance(value, int) else str(value)


def sparkline(values: tuple[float | None, ...]) -> str:
    """A bar for each value, relative to the largest; a space for none."""
    most = max((value for value in values if value is not None), default=0) or 1
    return "".join(" " if each is None else _BARS[min(7, int(each / most * 7.999))] for each in values)


for _name, _help in _REPORTS.items():
    _report(_name, _help)


@command.command()
@by_option
@reason_option
@store_options
@click.pass_context
def rebuild(ctx: click.Context, by: str, reason: str) -> None:
    """Count everything anew from the journal."""
    with opened(ctx) as runtime:
        runtime.rebuild_analytics(by, reason)
    screen.say("counted anew")
