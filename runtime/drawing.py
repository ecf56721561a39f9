"""Pictures of a plan: as SVG, as Mermaid and as DOT text. One swimlane a line; time runs to the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from orderloom.models.plan import TaskState
from orderloom.models.tasks import TaskKind
from orderloom.runtime.views import LineView, PlanTask

#: fill of each state; the word stands in the box too, so that colour is never alone
_FILL = {
    TaskState.PENDING: "#f3f4f6",
    TaskState.SCHEDULED: "#f3f4f6",
    TaskState.READY: "#dbeafe",
    TaskState.RUNNING: "#bfdbfe",
    TaskState.WAITING: "#fef3c7",
    TaskState.COMPLETED: "#d1fae5",
    TaskState.FAILED: "#fecaca",
    TaskState.FALLOUT: "#fecaca",
    TaskState.SKIPPED: "#e5e7eb",
    TaskState.HELD: "#fde68a",
    TaskState.FROZEN: "#e0e7ff",
    TaskState.CANCELLED: "#e5e7eb",
    TaskState.DISCARDED: "#e5e7eb",
    TaskState.AMENDED: "#d1fae5",
}
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _LABEL, _MARGIN = 230, 46, 56, 14, 230, 16


@dataclass(frozen=True, slots=True)
class _Place:
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class _Lane:
    line: str
    top: int
    height: int


#: what a change does to a task: frame and ground of its box; the word stands in it
_MARKED = {
    "keep": ("#9ca3af", "#ffffff"),
    "update": ("#b45309", "#fef3c7"),
    "add": ("#15803d", "#dcfce7"),
    "discard": ("#9ca3af", "#e5e7eb"),
    "cancel": ("#b91c1c", "#e5e7eb"),
    "restart": ("#b45309", "#fef3c7"),
    "redo": ("#b45309", "#fef3c7"),
    "amend": ("#b45309", "#fef3c7"),
    "undo": ("#b91c1c", "#fee2e2"),
    "undo and redo": ("#b91c1c", "#fee2e2"),
    "resolve": ("#b91c1c", "#fee2e2"),
    "finish first": ("#1d4ed8", "#dbeafe"),
    "cancel first": ("#1d4ed8", "#dbeafe"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """What a change does to a task: the verdict, the states before and after, and why."""

    verdict: str
    states: str
    why: str


def svg(
    lines: Sequence[LineView], tasks: Sequence[PlanTask], title: str, marks: Mapping[str, Mark] | None = None
) -> str:
    """A picture of the plan as an SVG document; with marks, of what a change does to it."""
    marks = marks or {}
    places, lanes = _layout(tasks)
    names = {line.id: line for line in lines}
    width = max((place.x for place in places.values()), default=_LABEL) + _WIDTH + _MARGIN
    height = (lanes[-1].top + lanes[-1].height if lanes else 0) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="system-ui, sans-serif" font-size="12" role="img" aria-label={quoteattr(_text(title))}>',
        f"<title>{escape(_text(title))}</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#6b7280"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for index, lane in enumerate(lanes):
        parts.append(
            f'<rect x="0" y="{lane.top}" width="{width}" height="{lane.height}"'
            f' fill="{"#fafafa" if index % 2 else "#f5f7fa"}"/>'
        )
        line = names.get(lane.line)
        parts.append(_svg_text(_MARGIN, lane.top + 26, _short(line.spec if line else lane.line, 30), "600"))
        if line:
            parts.append(_svg_text(_MARGIN, lane.top + 42, _short(f"{line.action} · {line.id}", 36), "400", "#4b5563"))
    parts.extend(_svg_edge(places[each], places[task.id]) for task in tasks for each in task.after if each in places)
    for task in tasks:
        place = places[task.id]
        mark = marks.get(task.id)
        stroke, fill = _MARKED[mark.verdict] if mark else ("#6b7280", _FILL[task.state])
        said = f"{mark.verdict}: {mark.states}" if mark else f"{task.kind} · {task.state}"
        hint = f"{task.id} – {mark.why}" if mark and mark.why else task.id
        parts.append(
            f"<g><title>{escape(_text(hint))}</title>"
            f'<rect x="{place.x}" y="{place.y}" width="{_WIDTH}" height="{_HEIGHT}"'
            f' rx="{_HEIGHT // 2 if task.kind is TaskKind.MILESTONE else 6}" fill="{fill}"'
            f' stroke="{stroke}" stroke-width="{2 if mark and mark.verdict != "keep" else 1}"/>'
        )
        parts.append(_svg_text(place.x + 12, place.y + 19, _short(task.title, 30), "600"))
        parts.append(_svg_text(place.x + 12, place.y + 36, _short(said, 38), "400", "#374151", 11) + "</g>")
    return "\n".join([*parts, "</svg>", ""])


def mermaid(lines: Sequence[LineView], tasks: Sequence[PlanTask]) -> str:
    """The plan as a Mermaid flow chart."""
    numbers = {task.id: f"t{index}" for index, task in enumerate(tasks)}
    names = {line.id: f"{line.spec} ({line.id})" for line in lines}
    out = ["flowchart LR"]
    for index, (line, own) in enumerate(_by_line(tasks).items()):
        out.append(f'  subgraph l{index}["{_mermaid(names.get(line, line))}"]')
        for task in own:
            left, right = ("([", "])") if task.kind is TaskKind.MILESTONE else ("[", "]")
            label = f"{_mermaid(task.title)}<br/>{task.kind} · {task.state}"
            out.append(f'    {numbers[task.id]}{left}"{label}"{right}')
        out.append("  end")
    out.extend(f"  {numbers[each]} --> {numbers[task.id]}" for task in tasks for each in task.after if each in numbers)
    return "\n".join([*out, ""])


def dot(lines: Sequence[LineView], tasks: Sequence[PlanTask]) -> str:
    """The plan as a Graphviz digraph."""
    names = {line.id: f"{line.spec} ({line.id})" for line in lines}
    out = ["digraph plan {", "  rankdir=LR;", '  node [shape=box, style="rounded,filled", fontname="sans-serif"];']
    for index, (line, own) in enumerate(_by_line(tasks).items()):
        out.append(f"  subgraph cluster_{index} {{ label={_dot(names.get(line, line))};")
        for task in own:
            label = _dot("\n".join((task.title, f"{task.kind} · {task.state}")))
            out.append(f'    {_dot(task.id)} [label={label}, fillcolor="{_FILL[task.state]}"];')
        out.append("  }")
    known = {task.id for task in tasks}
    out.extend(f"  {_dot(each)} -> {_dot(task.id)};" for task in tasks for each in task.after if each in known)
    return "\n".join([*out, "}", ""])


def depths(tasks: Sequence[PlanTask]) -> dict[str, int]:
    """How many tasks at least come before each one."""
    known = {task.id: task for task in tasks}
    found: dict[str, int] = {}
    for task in tasks:
        waiting = [task.id]
        while waiting:
            at = waiting[-1]
            before = [each for each in known[at].after if each in known and each not in waiting]
            open_ones = [each for each in before if each not in found]
            if open_ones:
                waiting.append(open_ones[0])
                continue
            found[at] = 1 + max((found[each] for each in before), default=-1)
            waiting.pop()
    return found


def _layout(tasks: Sequence[PlanTask]) -> tuple[dict[str, _Place], list[_Lane]]:
    depth = depths(tasks)
    places: dict[str, _Place] = {}
    lanes: list[_Lane] = []
    top = 0
    for line, own in _by_line(tasks).items():
        rows: dict[int, int] = {}
        for task in own:
            column = depth[task.id]
            row = rows.get(column, 0)
            rows[column] = row + 1
            places[task.id] = _Place(_LABEL + column * (_WIDTH + _GAP_X), top + _GAP_Y + row * (_HEIGHT + _GAP_Y))
        height = _GAP_Y + max(rows.values()) * (_HEIGHT + _GAP_Y)
        lanes.append(_Lane(line, top, height))
        top += height
    return places, lanes


def _by_line(tasks: Sequence[PlanTask]) -> dict[str, list[PlanTask]]:
    lanes: dict[str, list[PlanTask]] = {}
    for task in tasks:
        lanes.setdefault(task.line, []).append(task)
    return lanes


def _svg_edge(start: _Place, end: _Place) -> str:
    x1, y1 = start.x + _WIDTH, start.y + _HEIGHT // 2
    x2, y2 = end.x, end.y + _HEIGHT // 2
    bend = max((x2 - x1) // 2, _GAP_X // 2)
    path = f"M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    return f'<path d="{path}" fill="none" stroke="#9ca3af" marker-end="url(#arrow)"/>'


def _svg_text(x: int, y: int, text: str, weight: str, fill: str = "#111827", size: int = 12) -> str:
    return f'<text x="{x}" y="{y}" font-weight="{weight}" font-size="{size}" fill="{fill}">{escape(text)}</text>'


def _text(text: str) -> str:
    """Without what XML, and a reader, cannot take."""
    return "".join(each if each.isprintable() else "�" for each in text)


def _short(text: str, length: int) -> str:
    text = _text(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def _mermaid(text: str) -> str:
    return "".join(each if each.isalnum() or each in " _-.:/()" else f"#{ord(each)};" for each in _text(text))


def _dot(text: str) -> str:
    lines = (_text(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
