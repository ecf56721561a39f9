"""Feeding tokens to the LALR parser, and going on after an error so that one run reports all of them, once each.

Panic mode: after an error the stack is cut back to the innermost block in which the next statement, `}` or declaration
at the start of a line makes sense, and parsing resumes there. What was parsed is never used after an error.

Each time that reading resumes, less of the text is left than the last time, or as much and the stack is
shorter; so it ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Any

from lark.exceptions import UnexpectedToken

from orderloom.dsl.expectation import expected, suggestion
from orderloom.dsl.lexer import BAD_NUMBER, STRAY, UNTERMINATED, Lexeme, WordLexer, accepts, after_blanks
from orderloom.grammar.tokens import DECLARATIONS
from orderloom.models.source import Diagnostic, Label, Span

#: reports per file; what follows is noise
MAX_REPORTS = 50

#: how often reading resumes in a file; a file that needs more is no design
_MAX_RESUMES = 20 * MAX_REPORTS

#: tokens after a recovery in which a further error on the same line is taken to be the same one
_QUIET = 3

#: what may be missing between the start of a declaration and its `{`
_FILLERS = ("NAME", "FOR", "INTO", "BUNDLE")


#: stray characters → what to write instead
_MEANT = {
    "'“”„‘’`": "text is written in plain double quotes",
    ";": "nothing is needed between statements",
    "&|!": "write `and`, `or`, `not`",
    "%^": "the operators of numbers are `+`, `-`, `*` and `/`",
}


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """A token at which an error may have shown itself too late, and the stacks before it."""

    token: Lexeme
    states: list[Any]
    values: list[Any]


@dataclass(slots=True)
class Drive:
    """One parse of one file; `run` gives the parser's result, or None after any error."""

    lexer: WordLexer
    state: Any
    text: str
    file: str
    reports: list[Diagnostic] = field(default_factory=list)
    #: the last token fed, and the first one of the declaration that it belongs to
    previous: Lexeme | None = None
    opening: Lexeme | None = None
    #: a word that starts a declaration, at the start of a line inside an open block: is a `}` missing before it?
    suspect: Lexeme | None = None
    #: the last token that leads a line, if it stands where a statement would start but was taken as part of another
    unfinished: _Unfinished | None = None
    _since_recovery: int = _QUIET
    _error_line: int = 0

    def run(self) -> Any:
        position = 0
        reached = (-1, 0)
        for _ in range(_MAX_RESUMES):
            resume = self._feed_from(position)
            if resume is None:
                return None if self.reports else self._finish()
            progress = (resume, -len(self.state.state_stack))
            if progress <= reached:
                # neither text was read nor a block given up since the last time
                resume = self._next_declaration(max(resume, reached[0]))
                progress = (resume, -len(self.state.state_stack))
            reached = progress
            position = resume
        return None

    def _next_declaration(self, position: int) -> int:
        """Goes back to where a declaration is expected; the next one behind a position, or the end of the file."""
        self._restart()
        for token in self.lexer.read(self.text, self.file, _Anywhere(), position):
            if token.start > position and token.leads and token.text in DECLARATIONS:
                return token.start
        return len(self.text)

    def _feed_from(self, position: int) -> int | None:
        """Feeds tokens until the end (None) or until reading must go on from another place."""
        state = self.state
        feed = state.feed_token
        for token in self.lexer.read(self.text, self.file, state, position):
            if len(self.reports) >= MAX_REPORTS:
                return None
            if token.leads:
                self._notice(token)
            if token.type in (STRAY, UNTERMINATED, BAD_NUMBER) and not self._read_as_meant(token):
                continue
            try:
                feed(token)
            except UnexpectedToken:
                resume = self._recover(token)
                if resume is not None:
                    return resume
                continue
            self.previous = token
            self._since_recovery += 1
            if token.leads:
                self._note_unfinished(token)
        return self._close()

    def _finish(self) -> Any:
        end = self._end()
        return self.state.feed_token(end, True)

    def _close(self) -> int | None:
        """The end of the file: fine between declarations, else an error."""
        if accepts(self.state, "$END"):
            return None
        return self._recover(self._end())

    def _end(self) -> Lexeme:
        length = len(self.text)
        line = self.text.count("\n") + 1
        column = length - (self.text.rfind("\n") + 1) + 1
        return Lexeme("$END", "", self.file, length, length, line, column, True, "")

    def _open_braces(self) -> list[int]:
        """Where on the stack of values the braces are that are not closed yet, outermost first."""
        open_braces: list[int] = []
        for index, value in enumerate(self.state.value_stack):
            if type(value) is Lexeme:
                if value.type == "LBRACE":
                    open_braces.append(index)
                elif value.type == "RBRACE":
                    open_braces.pop()
        return open_braces

    def _notice(self, token: Lexeme) -> None:
        """Keeps track of where declarations start."""
        if token.text not in DECLARATIONS:
            return
        if not self._open_braces():
            self.opening = token
            self.suspect = None
        elif self.suspect is None and self.opening is not None and token.column <= self.opening.column:
            self.suspect = token

    def _note_unfinished(self, token: Lexeme) -> None:
        """Keeps a token that stands where statements start but went on with the statement above: perhaps an error."""
        self.unfinished = None
        values = self.state.value_stack
        if len(values) < 2 or type(values[-2]) is not Lexeme or values[-2].type in ("LBRACE", "RBRACE"):
            return
        open_braces = self._open_braces()
        if open_braces and self._column_behind(values[open_braces[-1]]) == token.column:
            self.unfinished = _Unfinished(token, self.state.state_stack[:-1], values[:-1])

    # --- errors

    def _report(self, diagnostic: Diagnostic, line: int) -> None:
        if self._since_recovery < _QUIET and line == self._error_line:
            return
        if self.reports and self.reports[-1].span == diagnostic.span:
            return
        self.reports.append(diagnostic)
        self._error_line = line

    def _read_as_meant(self, token: Lexeme) -> bool:
        """Reports characters that are no token; whether it is clear enough what was meant to go on with that."""
        shown = token.text if len(token.text) <= 20 else token.text[:20] + "…"
        if token.type == UNTERMINATED:
            self._report(
                Diagnostic(
                    code="LM0003",
                    message="this string is not closed",
                    span=token.span,
                    help='close it with `"` on the same line; a line break inside is written `\\n`',
                ),
                token.line,
            )
            token.type, token.text = "STRING", '""'
            return True
        if token.type == BAD_NUMBER:
            self._report(
                Diagnostic(
                    code="LM0004",
                    message=f"`{shown}` is no number",
                    span=token.span,
                    help="numbers: `12`, `1.5`; durations: `10s`, `4h`; periods: `3 months`; quantities: `500 Mbps`; "
                    "a name starts with a letter",
                ),
                token.line,
            )
            token.type, token.text = ("TIME_SPAN", "1s") if accepts(self.state, "TIME_SPAN") else ("INTEGER", "1")
            return True
        name = shown if shown.isprintable() else f"U+{ord(token.text[0]):04X}"
        help = next((help for characters, help in _MEANT.items() if token.text[0] in characters), "")
        self._report(
            Diagnostic(code="LM0002", message=f"unexpected character `{name}`", span=token.span, help=help),
            token.line,
        )
        self._since_recovery = 0
        return False

    def _recover(self, token: Lexeme) -> int | None:
        """Reports the error at a token and cuts the stack back; gives where reading must go on, if elsewhere."""
        if self.suspect is not None and self._open_braces():
            return self._resume_at_suspect(self.suspect)
        unfinished = self.unfinished
        if unfinished is not None and (token.leads or token.line == unfinished.token.line):
            token = unfinished.token
            self.state.state_stack[:] = unfinished.states
            self.state.value_stack[:] = unfinished.values
            self.previous = unfinished.values[-1]
        self.unfinished = None
        self._report_unexpected(token)
        if token.type == "$END":
            return None
        return self._skip_from(token)

    def _resume_at_suspect(self, suspect: Lexeme) -> int:
        opened = self._innermost_block()
        labels = () if opened is None else (Label(opened.span, "this block is still open"),)
        self._report(
            Diagnostic(
                code="LM0010",
                message=f"expected `}}` before `{suspect.text}`",
                span=suspect.span,
                help="close the declaration above",
                labels=labels,
            ),
            suspect.line,
        )
        self._restart()
        return suspect.start

    def _report_unexpected(self, token: Lexeme) -> None:
        found = "the end of the file" if token.type == "$END" else f"`{_shown(token)}`"
        wanted = expected(self.state, self.lexer)
        span, line = token.span, token.line
        labels: tuple[Label, ...] = ()
        if token.type == "$END":
            opened = self._innermost_block()
            if opened is not None:
                labels = (Label(opened.span, "this block is still open"),)
        if self.previous is not None and self._belongs_elsewhere(token):
            before = self.previous
            span, line = Span(before.file, before.start, before.end, before.line, before.column), before.line
            message = f"expected {wanted} after `{_shown(before)}`, found {found}"
        else:
            message = f"expected {wanted}, found {found}"
        self._report(
            Diagnostic(
                code="LM0001", message=message, span=span, help=suggestion(self.state, token, self.lexer), labels=labels
            ),
            line,
        )

    def _belongs_elsewhere(self, token: Lexeme) -> bool:
        """Whether the token starts something of its own, so that the error is that the text before is unfinished."""
        if not token.leads or not self.state.value_stack:
            return False
        top = self.state.value_stack[-1]
        if type(top) is Lexeme and top.type in ("LBRACE", "RBRACE"):
            return False
        return type(top) is Lexeme or token.type == "$END" or token.text in DECLARATIONS or token.type == "RBRACE"

    def _innermost_block(self) -> Lexeme | None:
        open_braces = self._open_braces()
        return self.state.value_stack[open_braces[-1]] if open_braces else None

    # --- going on

    def _restart(self) -> None:
        """Back to where a declaration is expected."""
        del self.state.state_stack[1:]
        self.state.value_stack.clear()
        self.suspect = None
        self.unfinished = None
        self.opening = None
        self.previous = None
        self._since_recovery = 0

    def _skip_from(self, token: Lexeme) -> int | None:
        """Finds where to go on, at this token or behind it; None only at the end of the file."""
        depth = 0
        # tried for one brace, since it takes a hundred trials
        header = not (blocks := self._open_blocks())
        # A state that accepts no keyword makes every word a name: skipping looks at spelling and layout alone.
        for current in self._rest(token):
            outermost = self.opening is None or current.column <= self.opening.column or not (blocks or depth)
            if current.leads and outermost and current.text in DECLARATIONS:
                self._restart()
                return current.start
            if current.type == "LBRACE":
                if header and current.start > token.start:
                    header = False
                    if self._complete_header():
                        return current.start
                depth += 1
            elif current.type == "RBRACE":
                if depth == 0 and blocks:
                    return self._resume_at_brace(current, blocks)
                depth = max(0, depth - 1)
            elif depth == 0 and current.leads and self._continues(current, blocks, current.line > token.line):
                return current.start
        self._restart()
        return len(self.text)

    def _complete_header(self) -> bool:
        """Adds what is missing before the `{` of a declaration, so that its block is read; whether that is possible."""
        if not self.state.value_stack:
            return False
        for length in range(4):
            for kinds in product(_FILLERS, repeat=length):
                trial = self.state.copy(deepcopy_values=False)
                try:
                    for kind in kinds:
                        trial.feed_token(
                            Lexeme(kind, self.lexer.spellings.get(kind, "x"), self.file, 0, 0, 1, 1, False, "")
                        )
                except UnexpectedToken:
                    continue
                if accepts(trial, "LBRACE"):
                    self.state.state_stack[:], self.state.value_stack[:] = trial.state_stack, trial.value_stack
                    self._since_recovery = 0
                    return True
        return False

    def _rest(self, token: Lexeme) -> Iterator[Lexeme]:
        return self.lexer.read(self.text, self.file, _Anywhere(), token.start)

    def _open_blocks(self) -> list[tuple[int, int]]:
        """(length of the stack behind its brace, column of its statements; 0 unknown) of each open block."""
        values = self.state.value_stack
        return [(index + 1, self._column_behind(values[index])) for index in self._open_braces()]

    def _column_behind(self, brace: Lexeme) -> int:
        """The column of the token behind a brace if it leads its line, else 0."""
        position = after_blanks(self.text, brace.end)
        line_start = self.text.rfind("\n", 0, position) + 1
        return position - line_start + 1 if line_start > brace.end - 1 else 0

    def _continues(self, token: Lexeme, blocks: list[tuple[int, int]], below: bool) -> bool:
        """Cuts back to the block where the token's column says that a statement starts.

        On the line of the error it must be one that may stand there; below it, any word.
        """
        if token.type != "NAME":
            return False
        for length, column in reversed(blocks):
            if column == token.column and (below or self._accepted_at(length, token)):
                self._cut(length)
                return True
        return False

    def _accepted_at(self, length: int, token: Lexeme) -> bool:
        earlier = self.state.copy(deepcopy_values=False)
        del earlier.state_stack[length + 1 :]
        keyword = self.lexer.keywords.get(token.text)
        return accepts(earlier, "NAME") or (keyword is not None and accepts(earlier, keyword))

    def _resume_at_brace(self, brace: Lexeme, blocks: list[tuple[int, int]]) -> int:
        """Closes a block: for a brace that leads its line, the innermost whose statements stand further right."""
        index = len(blocks) - 1
        if brace.leads:
            while index > 0 and 0 < blocks[index][1] <= brace.column:
                index -= 1
        self._cut(blocks[index][0])
        return brace.start

    def _cut(self, length: int) -> None:
        del self.state.state_stack[length + 1 :]
        del self.state.value_stack[length:]
        self._since_recovery = 0


class _NoTable:
    states: Mapping[int, Mapping[str, Any]] = MappingProxyType({0: MappingProxyType({})})


class _Anywhere:
    """A parser state for reading on without parsing: every word comes as a name."""

    parse_conf = _NoTable()
    state_stack = (0,)
    value_stack = ()


def _shown(token: Lexeme) -> str:
    text = token.text
    return text if len(text) <= 40 else text[:40] + "…"
