"""`orderloom submit`: take orders."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from orderloom.runtime.changing import OrderPreview
from orderloom.runtime.cli import screen, showing
from orderloom.runtime.cli.failure import failure
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.pictures import Picture
from orderloom.runtime.cli.stores import opened
from orderloom.runtime.cli.values import read_bytes
from orderloom.runtime.errors import OrderloomError
from orderloom.runtime.store.views import OrderView


@click.command(name="submit")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--bundle", help="The bundle to run on, where several are deployed.")
@click.option("--idempotency-key", metavar="KEY", help="The same order under the same key is taken once.")
@click.option("--dry-run", is_flag=True, help="Only show what it would become; exit code 1 if it would be refused.")
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="With --dry-run: write a picture of the plan.",
)
@json_option
@store_options
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    bundle: str | None,
    idempotency_key: str | None,
    dry_run: bool,
    svg: Path | None,
    as_json: bool,
) -> None:
    """Submit orders (TMF622 v4 JSON; `-` for standard input). They are safe when the command ends."""
    if idempotency_key and len(files) > 1:
        raise click.UsageError("an idempotency key belongs to one order")
    if dry_run and (len(files) > 1 or idempotency_key):
        raise click.UsageError("a dry run is made of one order, without an idempotency key")
    if svg and not dry_run:
        raise click.UsageError("a picture is drawn of one order, with `--dry-run`")
    if dry_run:
        with opened(ctx) as runtime:
            found = runtime.preview(read_bytes(files[0]), bundle=bundle)
        _show(found, svg, as_json)
        return
    taken: list[OrderView] = []
    refused = 0
    with opened(ctx) as runtime, screen.progress("submit", len(files)) as bar:
        for count, file in enumerate(files, 1):
            try:
                order = runtime.submit(read_bytes(file), bundle=bundle, idempotency_key=idempotency_key)
            except OrderloomError as error:
                if len(files) == 1:
                    raise
                refused += 1
                screen.remark(file)
                failure(error).show()
                continue
            taken.append(order)
            bar.at(count, file)
    if as_json:
        screen.show_json(taken if len(files) > 1 else taken[0])
    else:
        for order in taken:
            screen.say("order", order.id, screen.state(order.status), order.external_id)
    if refused:
        raise click.exceptions.Exit(1)


def _show(found: OrderPreview, svg: Path | None, as_json: bool) -> None:
    name = found.order.external_id or found.order.id
    if svg:
        Picture(svg=svg, mermaid=False, dot=False).draw(found.lines, found.tasks, f"order {name}, not submitted yet")
    if as_json:
        screen.show_json(
            {
                "order": name,
                "refused": bool(found.problems),
                "reasons": found.problems,
                "same_as": found.same_as,
                "waits": found.waits,
                "doubts": found.doubts,
                "expected": found.expected,
                "lines": found.lines,
                "tasks": found.tasks,
            }
        )
    else:
        screen.say(f"order {name}:", _verdict(found))
        for reason in found.problems:
            screen.say("  because", reason)
        for reason in found.waits:
            screen.say("  it waits:", reason)
        for reason in found.doubts:
            screen.say("  as things are now:", reason)
        if found.expected:
            screen.say("  expected to be completed", screen.time_text(found.expected))
        if found.lines:
            showing.show_lines(found.lines, f"what order {name} would become")
            showing.show_plan(found.tasks)
    if found.problems:
        raise click.exceptions.Exit(1)


def _verdict(found: OrderPreview) -> Text:
    if found.problems:
        return Text("would be refused", style="bold red")
    if found.same_as:
        return Text(f"was submitted before, as {screen.clean(found.same_as)}; it is taken once", style="bold")
    return Text("would wait" if found.waits else "would go through", style="bold")
