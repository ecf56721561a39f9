"""Names, texts, numbers and times, and what the grammar cannot say of them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, TypeVar

from orderloom.dsl import tree
from orderloom.dsl.lexer import Lexeme
from orderloom.models.source import Diagnostic, Span

#: how deep expressions and types may nest, so that everything that walks them may recurse
MAX_DEPTH = 100

#: no number and no length of time may have more digits
MAX_DIGITS = 50

Children = list[Any]
_Node = TypeVar("_Node")

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.?)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
_TIME_PART = re.compile(r"(\d+)(ms|[smhdw])")
_MILLISECONDS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def span_of(children: Children) -> Span:
    """From the first to the last child that is there."""
    first = children[0]
    if type(first) is not Lexeme:
        first = first.span
    for last in reversed(children):
        if type(last) is Lexeme:
            return Span(first.file, first.start, last.end, first.line, first.column)
        if type(last) is tuple:
            if last:
                return Span(first.file, first.start, last[-1].span.end, first.line, first.column)
        elif last is not None:
            return Span(first.file, first.start, last.span.end, first.line, first.column)
    raise AssertionError("a rule without children has no span")


def name_of(token: Lexeme) -> tree.Name:
    return tree.Name(text=token.text, span=token.span)


def optional_name(token: Lexeme | None) -> tree.Name | None:
    return None if token is None else name_of(token)


def names_of(children: Children) -> tuple[tree.Name, ...]:
    """The names among names and signs."""
    return tuple(name_of(child) for child in children if child is not None and child.type == "NAME")


def nodes_of(children: Children) -> tuple[Any, ...]:
    """The nodes among nodes and signs."""
    return tuple(child for child in children if type(child) is not Lexeme)


class WordBuilder:
    """What all parts of the builder use: problems, nesting, texts and numbers."""

    def __init__(self) -> None:
        self.problems: list[Diagnostic] = []
        #: (start, end) of a node → how deep it nests
        self._depths: dict[tuple[int, int], int] = {}

    def begin(self) -> None:
        self.problems = []
        self._depths = {}

    def _problem(self, code: str, message: str, span: Span, help: str = "") -> None:
        self.problems.append(Diagnostic(code=code, message=message, span=span, help=help))

    def _nested(self, node: _Node, children: Children) -> _Node:
        """Notes how deep a node of these children nests."""
        depth = 0
        for child in children:
            if type(child) is tuple:
                for item in child:
                    depth = max(depth, self._depths.get((item.span.start, item.span.end), 0))
            elif child is not None and type(child) is not Lexeme:
                depth = max(depth, self._depths.get((child.span.start, child.span.end), 0))
        span: Span = node.span  # type: ignore[attr-defined]  # all syntax nodes have one
        self._depths[span.start, span.end] = depth + 1
        if depth == MAX_DEPTH:
            self._problem(
                "LM0009",
                f"this is nested more than {MAX_DEPTH} levels deep",
                span,
                "split it: a decision table, or a mapping of its own for a part",
            )
        return node

    def _text(self, token: Lexeme) -> tree.Text:
        return tree.Text(value=self._unescaped(token), span=token.span)

    def _optional_text(self, token: Lexeme | None) -> tree.Text | None:
        return None if token is None else self._text(token)

    def _unescaped(self, token: Lexeme) -> str:
        inner = token.text[1:-1]
        if "\\" not in inner:
            return inner

        def character(match: re.Match[str]) -> str:
            escape = match.group(1)
            if escape in _ESCAPES:
                return _ESCAPES[escape]
            if len(escape) == 5 and not 0xD800 <= (code := int(escape[1:], 16)) <= 0xDFFF:
                return chr(code)
            start = token.start + 1 + match.start()
            place = Span(token.file, start, start + len(match.group()), token.line, token.column + 1 + match.start())
            self._problem(
                "LM0005",
                f"unknown escape `{match.group()}` in a string",
                place,
                'the escapes are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u` with four hexadecimal digits',
            )
            return ""

        return _ESCAPE.sub(character, inner)

    def _whole(self, token: Lexeme) -> int:
        return int(self._digits(token, token.text.rstrip("%")))

    def _number(self, token: Lexeme) -> tree.Number:
        return tree.Number(value=self._whole(token), span=token.span)

    def _optional_number(self, token: Lexeme | None) -> tree.Number | None:
        return None if token is None else self._number(token)

    def _digits(self, token: Lexeme, text: str) -> str:
        if len(text) <= MAX_DIGITS:
            return text
        self._problem("LM0006", f"a number has at most {MAX_DIGITS} digits, this one has {len(text)}", token.span)
        return "0"

    def _length(self, token: Lexeme) -> timedelta:
        total = sum(
            int(self._digits(token, digits)) * _MILLISECONDS[unit] for digits, unit in _TIME_PART.findall(token.text)
        )
        try:
            return timedelta(milliseconds=total)
        except OverflowError:
            self._problem("LM0006", f"the duration `{token.text}` is too long", token.span, "at most 999999999 days")
            return timedelta(0)

    def _time_span(self, token: Lexeme) -> tree.TimeSpan:
        return tree.TimeSpan(value=self._length(token), span=token.span)
