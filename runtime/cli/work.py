"""`orderloom work`: the manual tasks; who has one, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
from rich.text import Text

from orderloom.models.catalog import Enum
from orderloom.models.conversion import Json
from orderloom.models.journal import WorkKind
from orderloom.runtime.cli import screen, sla
from orderloom.runtime.cli.asking import ask_form, expected, on_terminal
from orderloom.runtime.cli.failure import Failure
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option, show_receipt
from orderloom.runtime.cli.values import read_json, set_option
from orderloom.runtime.store.views import WorkItem, WorkState
from orderloom.runtime.store.work import WorkChange
from orderloom.runtime.store.work_notes import WorkNote
from orderloom.runtime.views import plain


@click.group(name="work")
def command() -> None:
    """List, take, pass on and complete manual tasks. ITEM is the number that `work list` shows.

    All but `list`, `show` and `complete` are for failed tasks too; what those need is `orderloom fallout`.
    """


command.add_command(sla.pause)
command.add_command(sla.resume)
command.add_command(sla.pauses)


@command.command(name="list")
@click.option("--queue", default="", help="Only of this queue.")
@click.option("--order", default="", help="Only of this order.")
@click.option(
    "--state", type=click.Choice([str(each) for each in WorkState]), help="Only in this state (default: not done)."
)
@click.option("--mine", is_flag=True, help="Only what `--by` has claimed.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@by_option
@json_option
@store_options
@click.pass_context
def list_work(
    ctx: click.Context, queue: str, order: str, state: str | None, mine: bool, limit: int, by: str, as_json: bool
) -> None:
    """List manual tasks, most urgent first."""
    with opened(ctx) as runtime:
        found = runtime.work(
            kind=WorkKind.MANUAL,
            queue=queue,
            order=order,
            state=state or "",
            claimed_by=by if mine else "",
            limit=limit,
        )
    if as_json:
        screen.show_json(found)
    elif found:
        show_items(found)
    else:
        screen.remark("no work")


def show_items(items: Sequence[WorkItem]) -> None:
    """Work items as a table."""
    screen.show_table(
        ("item", "queue", "priority", "title", "state", "order", "task", "due"),
        [
            (
                item.id,
                item.queue,
                item.priority,
                item.title,
                _state(item),
                item.order,
                item.task,
                screen.time_text(item.due),
            )
            for item in items
        ],
    )


def _state(item: WorkItem) -> Text:
    text = screen.state(item.state)
    word = "to" if item.state is WorkState.ASSIGNED else "by"
    return text.append(f" {word} {screen.clean(item.claimed_by)}") if item.claimed_by else text


@command.command()
@click.argument("item", type=int)
@by_option
@json_option
@store_options
@click.pass_context
def show(ctx: click.Context, item: int, by: str, as_json: bool) -> None:
    """Show a manual task with its form, notes and history."""
    with opened(ctx) as runtime:
        found = runtime.work_item(item)
        if found.kind is not WorkKind.MANUAL:
            raise Failure(f"work item {item} is no manual task", help=f"orderloom fallout show {item}")
        enums = runtime.design(runtime.order(found.order).design).enums if found.form else {}
        notes, history = runtime.work_notes(item), runtime.work_history(item)
    if as_json:
        shown = plain(found)
        assert isinstance(shown, dict)
        screen.show_json({**shown, "notes": plain(notes), "history": plain(history)})
        return
    _show_item(found, enums)
    _show_notes(notes)
    _show_history(history)


def _show_item(item: WorkItem, enums: Mapping[str, Enum]) -> None:
    """An item with its form, and how to complete it."""
    show_items([item])
    if item.lease is not None:
        screen.say("kept until", screen.time_text(item.lease))
    if item.kind is WorkKind.FALLOUT:
        screen.say(item.code, item.message)
        screen.remark(f"orderloom fallout show {item.id}")
    rows = []
    for field in item.form:
        default = f"default {screen.value_text(field.default)}" if field.default is not None else ""
        need = "required" if field.required else default or "optional"
        rows.append((field.name, field.title, expected(field, enums), need))
    if rows:
        screen.show_table(("field", "title", "expected", ""), rows)
        fields = " ".join(f"--set {name}=…" for name, *_ in rows)
        screen.remark(f"orderloom work complete {item.id} {fields}")


def _show_notes(notes: Sequence[WorkNote]) -> None:
    if notes:
        screen.show_table(
            ("note", "by", "text", "attachment", "where"),
            [(screen.time_text(each.at), each.by, each.text, each.name, each.url) for each in notes],
        )


def _show_history(history: Sequence[WorkChange]) -> None:
    screen.show_table(
        ("when", "what", "by", "with", "queue", "reason"),
        [(screen.time_text(each.at), each.what, each.by, each.holder, each.queue, each.reason) for each in history],
    )


@command.command(name="next")
@click.option("--queue", default="", help="Only of this queue.")
@click.option("--kind", type=click.Choice([str(each) for each in WorkKind]), help="Only of this kind.")
@by_option
@json_option
@store_options
@click.pass_context
def take_next(ctx: click.Context, queue: str, kind: str | None, by: str, as_json: bool) -> None:
    """Take the most urgent item that you may: what is assigned to you, then by priority, due time and age."""
    with opened(ctx) as runtime:
        found = runtime.next_work(queue, kind or "", by)
        enums = runtime.design(runtime.order(found.order).design).enums if found is not None and found.form else {}
    if as_json:
        screen.show_json(found)
    elif found is None:
        screen.remark("nothing to do")
    else:
        _show_item(found, enums)


@command.command()
@click.argument("item", type=int)
@by_option
@json_option
@store_options
@click.pass_context
def claim(ctx: click.Context, item: int, by: str, as_json: bool) -> None:
    """Take an item."""
    with opened(ctx) as runtime:
        found = runtime.claim(item, by)
    _show_done(found, f"item {item} is claimed by {by} until {screen.time_text(found.lease)}: {found.title}", as_json)


@command.command()
@click.argument("item", type=int)
@by_option
@json_option
@store_options
@click.pass_context
def renew(ctx: click.Context, item: int, by: str, as_json: bool) -> None:
    """Keep an item for longer."""
    with opened(ctx) as runtime:
        found = runtime.renew(item, by)
    _show_done(found, f"item {item} is kept by {by} until {screen.time_text(found.lease)}", as_json)


@command.command()
@click.argument("item", type=int)
@by_option
@json_option
@store_options
@click.pass_context
def release(ctx: click.Context, item: int, by: str, as_json: bool) -> None:
    """Give an item back."""
    with opened(ctx) as runtime:
        found = runtime.release(item, by)
    _show_done(found, f"item {item} is open again", as_json)


@command.command()
@click.argument("item", type=int)
@click.argument("person")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def assign(ctx: click.Context, item: int, person: str, by: str, reason: str, as_json: bool) -> None:
    """Give an item to PERSON to do, whoever has it."""
    with opened(ctx) as runtime:
        found = runtime.assign(item, person, by, reason)
    _show_done(found, f"item {item} is for {person} to do", as_json)


@command.command()
@click.argument("items", type=int, nargs=-1, metavar="[ITEM]...")
@click.option("--from", "holder", default="", metavar="NAME", help="Those that this person has.")
@click.option("--queue", default="", help="Those of this queue.")
@click.option("--order", default="", help="Those of this order.")
@click.option(
    "--state",
    type=click.Choice([str(WorkState.OPEN), str(WorkState.ASSIGNED), str(WorkState.CLAIMED)]),
    help="Those in this state.",
)
@click.option("--to", default="", metavar="NAME", help="Who gets them (default: whom the rules choose).")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def reassign(
    ctx: click.Context,
    items: tuple[int, ...],
    holder: str,
    queue: str,
    order: str,
    state: str | None,
    to: str,
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Give many items to somebody else: those named, or all that the conditions leave."""
    with opened(ctx) as runtime:
        moved = runtime.reassign(
            items, to=to, claimed_by=holder, queue=queue, order=order, state=state or "", by=by, reason=reason
        )
    refused = [each for each in moved if each.refused]
    if as_json:
        screen.show_json(moved)
    else:
        done = len(moved) - len(refused)
        screen.say(f"{done} of {len(moved)} items", f"are for {to} to do" if to else "look for somebody")
        for each in refused:
            screen.remark(f"item {each.item}: {each.refused}")
    if refused:
        ctx.exit(1)


@command.command()
@click.argument("item", type=int)
@set_option
@click.option("--values", "file", metavar="FILE", help="A file with an object of values, `-` for standard input.")
@by_option
@json_option
@store_options
@click.pass_context
def complete(ctx: click.Context, item: int, values: dict[str, Json], file: str | None, by: str, as_json: bool) -> None:
    """Complete a manual task with the values of its form; on a terminal, those that are missing are asked for."""
    given = all_values(values, file)
    with opened(ctx) as runtime:
        if file is None and not as_json and on_terminal():
            found = runtime.work_item(item)
            if any(field.name not in given for field in found.form):
                # nobody else gets it while the form is filled in
                runtime.claim(item, by)
                given = ask_form(found.form, given, runtime.design(runtime.order(found.order).design).enums)
        receipt = runtime.complete(item, by, given)
    show_receipt(receipt, f"item {item} is completed", as_json)


@command.command()
@click.argument("item", type=int)
@click.argument("text")
@by_option
@json_option
@store_options
@click.pass_context
def note(ctx: click.Context, item: int, text: str, by: str, as_json: bool) -> None:
    """Add a note to an item."""
    with opened(ctx) as runtime:
        found = runtime.note(item, text, by)
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"noted at item {item}")


@command.command()
@click.argument("item", type=int)
@click.argument("url")
@click.option("--name", default="", help="What it is called (default: the end of its URL).")
@click.option("--type", "media_type", default="", metavar="TYPE", help="Its media type, e.g. image/jpeg.")
@click.option("--text", default="", help="What it shows.")
@by_option
@json_option
@store_options
@click.pass_context
def attach(
    ctx: click.Context, item: int, url: str, name: str, media_type: str, text: str, by: str, as_json: bool
) -> None:
    """Note where something about an item lies; its content stays there."""
    with opened(ctx) as runtime:
        found = runtime.attach(item, url, name, media_type, text, by)
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"{found.name} is noted at item {item}")


@command.command()
@click.argument("item", type=int)
@click.option("--to", default="", metavar="QUEUE", help="The queue (default: the one its queue escalates to).")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def escalate(ctx: click.Context, item: int, to: str, by: str, reason: str, as_json: bool) -> None:
    """Pass an item to those above."""
    with opened(ctx) as runtime:
        found = runtime.escalate(item, to, by, reason)
    _show_done(found, f"item {item} is in {found.queue}", as_json)


@command.command()
@click.argument("item", type=int)
@click.argument("queue")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def handover(ctx: click.Context, item: int, queue: str, by: str, reason: str, as_json: bool) -> None:
    """Put an item into another queue of the same kind."""
    with opened(ctx) as runtime:
        found = runtime.hand_over(item, queue, by, reason)
    _show_done(found, f"item {item} is in {queue}", as_json)


def _show_done(item: WorkItem, done: str, as_json: bool) -> None:
    if as_json:
        screen.show_json(item)
    else:
        screen.say(done)


def all_values(values: dict[str, Json], file: str | None) -> dict[str, Json]:
    """The values of a file, then those of `--set`."""
    if file is None:
        return values
    found = read_json(file)
    if not isinstance(found, dict):
        raise click.UsageError(f"{file} holds no JSON object")
    return {**found, **values}
