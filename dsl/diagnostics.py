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
    "LM0008": "bounds that contradict each other, or a value out of its range",
    "LM0009": "nesting that is too deep",
    "LM0010": "a block that is not closed before the next declaration",
    "LM0011": "a file or bundle that is too large",
    "LM0101": "a bundle without `bundle.yaml`, or without any design file",
    "LM0102": "a `bundle.yaml` that is not valid YAML",
    "LM0103": "a field of `bundle.yaml` that is missing, unknown or wrong",
    "LM0104": "an import of a folder that does not exist or holds no design files",
    "LM0105": "a path that leads out of the folder that holds the bundle",
    "LM0106": "a file that cannot be read as UTF-8 text",
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
