"""How orders look: lines with their provenance, plans as tables and trees, journals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.text import Text
from rich.tree import Tree

from orderloom.models.conversion import Json
from orderloom.models.fulfillment import Origin, Provenance
from orderloom.models.plan import TaskState
from orderloom.runtime.cli import screen
from orderloom.runtime.store.views import JournalRecord
from orderloom.runtime.views import AttributeView, LineView, PlanTask, plain

#: what stands before an action
_ACTIONS = {"add": "+", "modify": "~", "delete": "−", "noChange": "=", "suspend": "‖", "resume": "▶", "move": "→"}
_ACTION_STYLE = {"add": "green", "modify": "yellow", "delete": "red", "noChange": "dim"}


def show_lines(lines: Sequence[LineView], title: str) -> None:
    """The tree of lines, each attribute with where it came from."""
    top = screen.tree(Text(screen.clean(title), style="bold"))
    branches: dict[str, Tree] = {}
    for line in lines:
        branch = branches.get(line.parent, top).add(_line(line))
        branches[line.id] = branch
        for attribute in line.attributes:
            branch.add(_attribute(attribute))
        if line.missing:
            missing = ", ".join(map(screen.clean, line.missing))
            branch.add(Text(f"staged: {missing} to be supplied by a task", style="yellow"))
        for source in line.sources[1:]:
            branch.add(Text(f"also for {screen.clean(source.line)} by {screen.clean(source.rule)}", style="dim"))
    screen.show_tree(top)


def _line(line: LineView) -> Text:
    text = Text(f"{_ACTIONS.get(line.action, ' ')} {line.action} ", style=_ACTION_STYLE.get(line.action, "cyan"))
    text.append(screen.clean(line.spec), style="bold")
    if line.quantity != 1:
        text.append(f" × {line.quantity}")
    text.append(f"  {screen.clean(line.id)}", style="dim")
    if line.scope != "line":
        text.append(f"  one per {line.scope}", style="dim")
    if line.sources:
        text.append(f"  by {screen.clean(line.sources[0].rule)}", style="dim")
    if line.context:
        text.append("  (not in the order; shares technical lines)", style="dim")
    return text.append("  ").append_text(screen.state(line.state))


def _attribute(attribute: AttributeView) -> Text:
    text = Text(f"{screen.clean(attribute.name)} = {screen.value_text(attribute.value)}")
    if attribute.before is not None and attribute.before != attribute.value:
        text.append(f"  (was {screen.value_text(attribute.before)})", style="yellow")
    if attribute.provenance:
        text.append(f"   ← {provenance_text(attribute.provenance)}", style="dim")
    return text


def provenance_text(found: Provenance) -> str:
    """In words, e.g. `FiberInternet->InternetAccess from 1: site`."""
    by, text = screen.clean(found.by), screen.clean(found.text)
    match found.origin:
        case Origin.RULE:
            return f"{by} from {screen.clean(found.source)}: {text}"
        case Origin.TASK:
            return f"task {by}" + (f": {text}" if text else "")
        case Origin.PERSON:
            return f"entered by {by}"
        case _:
            return str(found.origin)


def show_plan(tasks: Sequence[PlanTask]) -> None:
    """The plan as a table, in plan order."""
    screen.show_table(
        ("task", "kind", "state", "tries", "after", "due", "remark"),
        [
            (
                task.id,
                task.kind,
                screen.state(task.state),
                task.attempts or "",
                ", ".join(_waits_for(task)),
                screen.time_text(task.due),
                remark(task),
            )
            for task in tasks
        ],
    )


def _waits_for(task: PlanTask) -> Iterator[str]:
    yield from map(short_task, task.after)
    yield from (f"{name} set" for name in task.needs)
    yield from (f"{name} of order {order}" for order, name in task.elsewhere)


def short_task(id: str) -> str:
    """The end of a task's id: `GponAccess:…/ActivateGpon.reserve_port` as `ActivateGpon.reserve_port`."""
    *above, last = id.split("/")
    # what takes a task back is named after it: `…/Ship.send/undo~1`
    return last if "." in last or not above else f"{above[-1]}/{last}"


def remark(task: PlanTask) -> str:
    """What is worth saying of a task."""
    if task.state in (TaskState.FALLOUT, TaskState.FAILED, TaskState.HELD) or (task.code and not task.state.final):
        return ": ".join(each for each in (task.code, task.message) if each)
    if task.outputs:
        return ", ".join(f"{name} = {screen.value_text(value)}" for name, value in task.outputs.items())
    return f"by {task.by}" if task.by else ""


def show_plan_tree(lines: Sequence[LineView], tasks: Sequence[PlanTask], title: str) -> None:
    """The plan as a tree: lines, their tasks, what each comes after."""
    top = screen.tree(Text(screen.clean(title), style="bold"))
    names = {line.id: line for line in lines}
    swimlanes: dict[str, Tree] = {}
    branches: dict[str, Tree] = {}
    for task in tasks:
        if task.line not in swimlanes:
            line = names.get(task.line)
            swimlanes[task.line] = top.add(_line(line) if line else Text(screen.clean(task.line)))
        parent = branches.get(task.within) or swimlanes[task.line]
        text = screen.state(task.state).append(f"  {screen.clean(task.title)}", style="default")
        text.append(f"  {task.kind} {screen.clean(short_task(task.id))}", style="dim")
        if task.attempts > 1:
            text.append(f"  {task.attempts} tries", style="yellow")
        if said := remark(task):
            text.append(f"  {screen.clean(said)}", style="dim")
        branch = parent.add(text)
        branches[task.id] = branch
        for before in task.after:
            branch.add(Text(f"after {screen.clean(_from(before, task))}", style="dim"))
        for name in task.needs:
            branch.add(Text(f"after {screen.clean(name)} is set", style="dim"))
        for order, name in task.elsewhere:
            branch.add(Text(f"after {screen.clean(name)} of order {screen.clean(order)}", style="dim"))
    screen.show_tree(top)


def _from(before: str, task: PlanTask) -> str:
    line, _, name = before.rpartition("/")
    return name if line == task.id.rpartition("/")[0] else before


def show_journal(records: Iterable[JournalRecord]) -> None:
    """What happened, event by event."""
    rows: list[tuple[object, ...]] = []
    for record in records:
        what = type(record.event).__name__
        rows.append((record.version, screen.time_text(record.at), Text(what, style="bold"), "", ""))
        rows.extend(("", "", f"  {entry.kind}", entry.subject, entry_text(entry.data)) for entry in record.entries)
    screen.show_table(("no", "at", "event", "subject", "what"), rows)


def entry_text(data: Mapping[str, Json]) -> str:
    """The details of a journal entry on one line."""
    rest = dict(data)
    parts = []
    if "to" in rest:
        before, after = rest.pop("from", None), rest.pop("to")
        parts.append(f"{before} → {after}" if before else f"→ {after}")
    why = rest.pop("why", None)
    parts.extend(f"{name} {_short(value)}" for name, value in rest.items() if value not in (None, "", [], {}))
    if why:
        parts.append(str(why))
    return "; ".join(parts)


def _short(value: Json) -> str:
    text = value if isinstance(value, str) else str(plain(value))
    return text if len(text) <= 160 else text[:159] + "…"
