"""Text → tokens. A word is a keyword exactly where the grammar accepts that keyword, and a name elsewhere.

Lark's own contextual lexer decides by the accepted tokens of the merged LALR state, which holds tokens of other
contexts too; here the pending reductions are followed, so that an attribute may be called `queue` or `timeout`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lark.common import LexerConf
from lark.lexer import Lexer, PatternStr
from lark.parsers.lalr_analysis import Shift

from orderloom.grammar.tokens import FOLLOWED_BY, RESERVED
from orderloom.models.source import Span

_BLANK = re.compile(r"[ \t\r\n\f\ufeff]+|#[^\n]*")
_NUMBER_LIKE = re.compile(r"[0-9][A-Za-z0-9_.]*")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Lexeme:
    """A token with its place. Made once per token, hence a plain slotted class."""

    __slots__ = ("column", "doc", "end", "file", "leads", "line", "start", "text", "type")

    def __init__(
        self, type: str, text: str, file: str, start: int, end: int, line: int, column: int, leads: bool, doc: str
    ) -> None:
        self.type = type
        self.text = text
        self.file = file
        self.start = start
        self.end = end
        self.line = line
        self.column = column
        #: whether it is the first token of its line
        self.leads = leads
        #: the `##` comment before it
        self.doc = doc

    @property
    def span(self) -> Span:
        return Span(self.file, self.start, self.end, self.line, self.column)


#: Types of what `WordLexer` gives for characters that are no token of the language.
STRAY, UNTERMINATED, BAD_NUMBER = "stray", "unterminated", "bad number"


def accepts(state: Any, kind: str) -> bool:
    """Whether the parser, in this state, can shift a token of this type, after whatever reductions that takes."""
    states = state.parse_conf.states
    stack = state.state_stack
    action = states[stack[-1]].get(kind)
    if action is None:
        return False
    if action[0] is Shift:
        return True
    stack = stack[-64:] if len(stack) > 64 else stack[:]
    while True:
        rule = action[1]
        size = len(rule.expansion)
        if size >= len(stack):
            return True
        if size:
            del stack[-size:]
        stack.append(states[stack[-1]][rule.origin.name][1])
        if stack[-1] == state.parse_conf.end_state:
            return kind == "$END"
        action = states[stack[-1]].get(kind)
        if action is None:
            return False
        if action[0] is Shift:
            return True


def after_blanks(text: str, position: int) -> int:
    """Where the next token starts, at a position or behind it."""
    while skipped := _BLANK.match(text, position):
        position = skipped.end()
    return position


class WordLexer(Lexer):
    """The lexer of the design language, made from the terminals of the grammar."""

    __future_interface__ = 2

    def __init__(self, lexer_conf: LexerConf) -> None:
        signs = []
        self.keywords: dict[str, str] = {}
        for terminal in lexer_conf.terminals:
            if isinstance(terminal.pattern, PatternStr) and _WORD.fullmatch(terminal.pattern.value):
                self.keywords[terminal.pattern.value] = terminal.name
            else:
                signs.append(terminal)
        signs.sort(key=lambda terminal: (-terminal.priority, -len(terminal.pattern.value), terminal.name))
        #: type of a keyword or sign → how it is written
        self.spellings = {
            terminal.name: terminal.pattern.value
            for terminal in lexer_conf.terminals
            if isinstance(terminal.pattern, PatternStr)
        }
        self._token = re.compile("|".join(f"(?P<{sign.name}>{sign.pattern.to_regexp()})" for sign in signs))
        self._follow = {word: re.compile(pattern) for word, pattern in FOLLOWED_BY.items()}

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Any]:
        """Lark's interface; the driver in `recovery` calls `read`, which can start anywhere."""
        return self.read(lexer_state.text.text, "", parser_state, 0)

    def read(self, text: str, file: str, state: Any, position: int) -> Iterator[Lexeme]:
        """The tokens from a position on. Characters that are no token come as `STRAY`, `UNTERMINATED`, `BAD_NUMBER`."""
        blank, token, keywords = _BLANK.match, self._token.match, self.keywords
        line = text.count("\n", 0, position) + 1
        line_start = text.rfind("\n", 0, position) + 1
        leads = not text[line_start:position].strip()
        doc: list[str] = []
        length = len(text)
        while position < length:
            skipped = blank(text, position)
            if skipped:
                end = skipped.end()
                if text.startswith("##", position):
                    doc.append(text[position + 2 : end].removeprefix(" ").rstrip())
                elif (breaks := text.count("\n", position, end)) > 0:
                    line += breaks
                    line_start = text.rfind("\n", position, end) + 1
                    leads = True
                position = end
                continue
            column = position - line_start + 1
            match = token(text, position)
            if match is None:
                kind, end = _unreadable(text, position)
                word = text[position:end]
            else:
                kind, word, end = match.lastgroup or "", match.group(), match.end()
                if kind == "NAME" and word in keywords:
                    kind = self._kind(word, text, end, state)
            yield Lexeme(kind, word, file, position, end, line, column, leads, "\n".join(doc) if doc else "")
            if doc:
                doc = []
            leads = False
            position = end

    def _kind(self, word: str, text: str, end: int, state: Any) -> str:
        """The type of a word that is a keyword somewhere."""
        keyword = self.keywords[word]
        if accepts(state, keyword):
            follow = self._follow.get(word)
            return keyword if follow is None or follow.match(text, end) else "NAME"
        if word in RESERVED and not _after_dot(state):
            return keyword
        return "NAME"


def _after_dot(state: Any) -> bool:
    return bool(state.value_stack) and getattr(state.value_stack[-1], "type", "") == "DOT"


def _unreadable(text: str, position: int) -> tuple[str, int]:
    """What the characters are that no token matches, and where they end."""
    character = text[position]
    if character == '"':
        end = text.find("\n", position)
        return UNTERMINATED, len(text) if end < 0 else end
    number = _NUMBER_LIKE.match(text, position)
    if number:
        return BAD_NUMBER, number.end()
    end = position + 1
    while end < len(text) and text[end] == character:
        end += 1
    return STRAY, end
