"""All diagnostic codes, and how diagnostics are shown: as text with the source line underlined, and as JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from orderloom.models.source import Diagnostic, Severity, Span

#: code → what it means. 0: syntax and bundles, 1: names, 2: types, 3: rules, 4: plans, 5: integration.
CODES: dict[str, str] = {
    "LM0001": "something else was expected here",
    "LM0002": "a character that means nothing in the language",
    "LM0003": "a string that is not closed on its line",
    "LM0004": "digits and letters that make no number",
    "LM0005": "an unknown escape in a string",
    "LM0006": "a number or duration that is too large",
    "LM0007": "a date that does not exist",
    "LM0009": "nesting that is too deep",
    "LM0010": "a block that is not closed before the next declaration",
    "LM0011": "a file or bundle that is too large",
    "LM0101": "a bundle without `bundle.yaml`, or without any design file",
    "LM0102": "a `bundle.yaml` that is not valid YAML",
    "LM0103": "a field of `bundle.yaml` that is missing, unknown or wrong",
    "LM0104": "an import of a folder that does not exist or holds no design files",
    "LM0105": "a path that leads out of the folder that holds the bundle",
    "LM0106": "a file that cannot be read as UTF-8 text",
    "LM1001": "a name that is defined twice",
    "LM1002": "an unknown type",
    "LM1003": "an unknown product, service or resource",
    "LM1004": "an unknown attribute or name in an expression or mapping",
    "LM1005": "an unknown enum value or action",
    "LM1006": "an unknown table or function",
    "LM1008": "an unknown plan",
    "LM1009": "an unknown task, or attribute to wait for",
    "LM1010": "an unknown queue",
    "LM1011": "an unknown operation",
    "LM1012": "an unknown connector",
    "LM1013": "an unknown setting",
    "LM1014": "a template or table file that the bundle does not have",
    "LM1015": "a variable that hides a name",
    "LM1016": "a name that the language uses itself",
    "LM1017": "a root that is not available in this place",
    "LM1018": "an attribute whose type depends on the parent or root",
    "LM1019": "an attribute that hides a built-in (warning)",
    "LM1020": "an unknown calendar",
    "LM1021": "an unknown way to assign",
    "LM1022": "an unknown word in a watch rule",
    "LM2001": "a value of the wrong type",
    "LM2002": "an operator that does not apply to the types",
    "LM2003": "numbers of different units",
    "LM2004": "a quantity that cannot be converted exactly",
    "LM2005": "a value that may be absent where one is needed",
    "LM2006": "`!=` or `not` over a value that may be absent (warning)",
    "LM2007": "wrong arguments of a function or table",
    "LM2008": "a `case` that does not cover all values",
    "LM2009": "an arm of a `case` that is never reached",
    "LM2010": "an expression that leaves something open",
    "LM2011": "quantifiers that are nested too deep",
    "LM2013": "an expression where a constant is expected",
    "LM2014": "an `else` that is never reached (warning)",
    "LM2015": "a name that is an attribute and an enum value",
    "LM2016": "a type that contradicts itself",
    "LM3001": "a spec that extends itself",
    "LM3002": "an attribute that contradicts the inherited one",
    "LM3003": "specs of levels that do not go together",
    "LM3004": "a cardinality that allows no number",
    "LM3005": "a child that is listed twice",
    "LM3006": "an attribute that is required and may be absent",
    "LM3007": "a product with a scope",
    "LM3008": "a validity that ends before it starts",
    "LM3009": "a spec that needs itself as a child",
    "LM3010": "relations that contradict each other",
    "LM3101": "a rule into a product",
    "LM3102": "an attribute that is set twice",
    "LM3103": "a required attribute that gets no value",
    "LM3104": "a scope that is broader than that of the source",
    "LM3105": "rules that set one attribute to different constants (warning)",
    "LM3106": "decomposition that goes in a circle",
    "LM3107": "a rule in a group that never fires",
    "LM3108": "a quantity that makes no line",
    "LM3109": "a rule that goes upwards",
    "LM3110": "a rule whose condition is never true",
    "LM3111": "an attribute that sources of one line may set differently (warning)",
    "LM3201": "rows of a table that accept one value",
    "LM3202": "a lookup in a table that misses values",
    "LM3203": "a row with too many or too few cells",
    "LM3204": "a cell that holds no value of its column",
    "LM3205": "a CSV file whose columns are not the table's",
    "LM3206": "a row that never hits (warning)",
    "LM3207": "a table without rows",
    "LM3209": "an input column of a type that cannot be looked up",
    "LM4001": "a statement that the kind of task does not take",
    "LM4002": "a statement that the kind of task needs",
    "LM4003": "a statement that stands twice",
    "LM4004": "tasks of a plan that wait for each other",
    "LM4005": "tasks of several plans that wait for each other",
    "LM4006": "a task or plan whose condition is never true",
    "LM4007": "a queue of the wrong kind",
    "LM4008": "a time or number that must be positive",
    "LM4009": "a retry policy that contradicts itself",
    "LM4010": "an action that is named twice",
    "LM4011": "a dependency that never finds a task",
    "LM4012": "a plan for other lines",
    "LM4013": "a wait for an attribute that nothing sets",
    "LM4014": "tasks that may wait for each other (warning)",
    "LM4015": "a plan for lines that no rule makes (warning)",
    "LM4016": "a term that is too long",
    "LM4017": "late work that goes in a circle",
    "LM4018": "a warning that comes too early or too late",
    "LM4019": "late work that goes to two queues at once",
    "LM4020": "a watch rule without its `when` or `do`",
    "LM4021": "an `assign` that is never reached",
    "LM4022": "skills that do not go with the way to assign",
    "LM4023": "a watch rule that counts or does what cannot be",
    "LM4024": "a watch rule that counts too far",
    "LM5001": "an unknown way to authenticate",
    "LM5002": "a missing option",
    "LM5003": "an unknown option",
    "LM5004": "an option that is given twice",
    "LM5005": "a callback matched by something that is no output",
    "LM5006": "an operation without a connector",
    "LM5008": "outputs that nothing sets",
    "LM5009": "a number that is no HTTP status",
    "LM5010": "a credential in the design",
    "LM6001": "a template that is not one",
    "LM6002": "a name that a template cannot use",
    "LM6003": "a template that sets something that is no output",
    "LM6004": "a required output that no response template sets",
    "LM6005": "a body that is not well formed whatever its values (a warning where only some conditions make it so)",
    "LM6006": "an attribute that is sent before a task supplies it (warning)",
    "LM6007": "an outcome that does not exist, or that never ends a callback (a warning)",
}

_TAB = 4

#: longer source lines are shown in part
_MAX_WIDTH = 160
_RED, _YELLOW, _BLUE, _BOLD, _RESET = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sorted by file and place."""
    return sorted(diagnostics, key=lambda found: (found.span.file, found.span.start, found.span.end, found.code))


def render(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], colour: bool) -> str:
    """All diagnostics as text for a terminal, sorted; `sources` gives the text of each file.

    A file that is not among the sources is named without showing its line.
    """
    paint = _Paint(_RED, _YELLOW, _BLUE, _BOLD, _RESET) if colour else _Paint("", "", "", "", "")
    return "\n".join(_render_one(found, sources, paint) for found in in_order(diagnostics))


def as_json(diagnostics: Iterable[Diagnostic]) -> list[dict[str, Any]]:
    """All diagnostics as values for JSON, sorted. Lines and columns count from 1, offsets in characters from 0."""
    return [
        {
            "code": found.code,
            "severity": str(found.severity),
            "message": found.message,
            "help": found.help,
            "place": _place(found.span),
            "labels": [{"text": label.text, "place": _place(label.span)} for label in found.labels],
        }
        for found in in_order(diagnostics)
    ]


def _place(span: Span) -> dict[str, Any]:
    return {"file": span.file, "line": span.line, "column": span.column, "start": span.start, "end": span.end}


class _Paint:
    """The escape sequences in use; all empty for plain text."""

    __slots__ = ("bold", "error", "gutter", "reset", "warning")

    def __init__(self, error: str, warning: str, gutter: str, bold: str, reset: str) -> None:
        self.error = error
        self.warning = warning
        self.gutter = gutter
        self.bold = bold
        self.reset = reset


def _render_one(found: Diagnostic, sources: Mapping[str, str], paint: _Paint) -> str:
    tone = paint.error if found.severity is Severity.ERROR else paint.warning
    lines = [f"{tone}{found.severity}[{found.code}]{paint.reset}{paint.bold}: {_plain(found.message)}{paint.reset}"]
    places = [(found.span, "", "^", tone), *((label.span, label.text, "-", paint.gutter) for label in found.labels)]
    width = max(len(str(span.line)) for span, *_ in places)
    margin = " " * width
    file, line = "", 0
    for span, text, mark, colour in places:
        if span.file != file:
            arrow = "-->" if not file else ":::"
            lines.append(f"{margin}{paint.gutter}{arrow}{paint.reset} {span}")
            lines.append(f"{margin} {paint.gutter}|{paint.reset}")
            file, line = span.file, 0
        if span.file in sources:
            shown, underline = underlined(sources[span.file], span, mark)
            if span.line != line:
                lines.append(f"{paint.gutter}{span.line:>{width}} |{paint.reset} {shown}".rstrip())
                line = span.line
            note = f"{underline} {_plain(text)}".rstrip()
            lines.append(f"{margin} {paint.gutter}|{paint.reset} {colour}{note}{paint.reset}")
        elif text:
            lines.append(f"{margin} {paint.gutter}={paint.reset} {span}: {_plain(text)}")
    if found.help:
        lines.append(f"{margin} {paint.gutter}={paint.reset} help: {_plain(found.help)}")
    return "\n".join(lines) + "\n"


def underlined(source: str, span: Span, mark: str = "^") -> tuple[str, str]:
    """The source line of a span and the marks under it, as wide as a terminal shows them.

    Of a span over several lines the first line is marked, to its end, with `…` behind.
    """
    start = min(span.start, len(source))
    line_start = source.rfind("\n", 0, start) + 1
    line_end = source.find("\n", start)
    line_end = len(source) if line_end < 0 else line_end
    line = source[line_start:line_end].rstrip("\r")
    before = _displayed(line[: start - line_start], 0)
    marked = _displayed(line[start - line_start : max(span.end, start) - line_start], _width(before))
    shown = _displayed(line, 0)
    if len(shown) > _MAX_WIDTH:
        before, marked, shown = _cropped(before, marked, shown)
    more = "…" if span.end > line_end and "\n" in source[line_end : span.end].rstrip() else ""
    return shown, " " * _width(before) + mark * max(1, _width(marked)) + more


def _cropped(before: str, marked: str, shown: str) -> tuple[str, str, str]:
    """The part of a long line around what is marked."""
    first = max(0, len(before) - _MAX_WIDTH // 4)
    last = first + _MAX_WIDTH
    marked = marked[: last - len(before)]
    head = "…" if first else ""
    return head + before[first:], marked, head + shown[first:last] + ("…" if last < len(shown) else "")


def _displayed(text: str, column: int) -> str:
    """The text with tabs as blanks and without characters that would disturb a terminal."""
    shown = []
    for character in text:
        if character == "\t":
            blanks = _TAB - column % _TAB
            shown.append(" " * blanks)
            column += blanks
        else:
            visible = character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
            shown.append(visible)
            column += _width(visible)
    return "".join(shown)


def _plain(text: str) -> str:
    """A message without characters that would disturb a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
