"""What a message says was expected, and the near miss that it points out."""

from __future__ import annotations

from typing import Any

from orderloom.dsl.lexer import Lexeme, WordLexer, accepts
from orderloom.dsl.suggestions import nearest
from orderloom.grammar.tokens import DECLARATIONS, EXPRESSION, EXPRESSION_STARTS, FRIENDLY, OPERATORS, RESERVED

#: so many alternatives are listed
_MOST = 8

#: keywords that go on with a statement rather than start one
_CONTINUATIONS = frozenset(
    ("IF", "ELSE", "APPROVAL", "PER", "MATCHING", "WHERE", "AS", "OF", "JITTER", "REQUIRED", "UNIT", "NOT", "WITH")
)


#: (a token that was possible, those found instead, what to do)
_HELP = (
    ("EQUALS", ("EQUAL",), "to compare, write `==`"),
    ("EQUAL", ("EQUALS", "COLON"), "an attribute is set with `=`"),
    ("TIME_SPAN", ("INTEGER",), "add a unit: `10s`, `5m`, `4h`, `2d`"),
    ("PERCENT", ("INTEGER", "DECIMAL"), "add `%`"),
    ("INTEGER", ("TIME_SPAN", "PERCENT", "DECIMAL"), "write a whole number without a unit"),
    ("ABSENT", ("NOT",), "write `is absent`"),
    ("ABSENT", ("TRUE", "FALSE"), "a boolean stands alone, or behind `not`"),
    ("DEFAULT", ("QMARK",), "write `default` and the value to take where this is absent"),
)


def accepted(state: Any) -> set[str]:
    """The types of all tokens that the parser could shift next."""
    return {kind for kind in state.parse_conf.states[state.state_stack[-1]] if kind.isupper() and accepts(state, kind)}


def expected(state: Any, lexer: WordLexer) -> str:
    """The expected tokens in words: "`{`, `for` or a name"."""
    kinds = accepted(state)
    words = []
    if kinds >= EXPRESSION:
        kinds -= EXPRESSION_STARTS
        words.append("an expression")
    if "AND" in kinds:
        kinds = kinds - OPERATORS or kinds
    declarations = {lexer.keywords[word] for word in DECLARATIONS}
    if kinds >= declarations:
        kinds -= declarations
        words.append("a declaration")
    statements = {kind for kind in kinds if kind in lexer.keywords.values()} - _CONTINUATIONS
    if "RBRACE" in kinds and len(statements) > _MOST:
        kinds -= statements
        words.append("a statement")
    words += sorted(FRIENDLY[kind] for kind in kinds if kind in FRIENDLY)
    words += sorted(f"`{lexer.spellings[kind]}`" for kind in kinds if kind not in FRIENDLY)
    if not words:
        return "nothing more"
    if len(words) > _MOST:
        return f"{', '.join(words[: _MOST - 1])}, …"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def suggestion(state: Any, token: Lexeme, lexer: WordLexer) -> str:
    """Help for the error at a token: a misspelt keyword, a reserved word used as a name."""
    kinds = accepted(state)
    if token.text in RESERVED and "NAME" in kinds:
        return f"`{token.text}` is a reserved word and cannot be a name"
    for kind, found, help in _HELP:
        if kind in kinds and token.type in found:
            return help
    if kinds == {"LPAR"} and token.type != "NAME" and _after(state, "IN"):
        return "put the values in parentheses: `in (a, b)`"
    if "ELSE" in kinds and token.type == "RBRACE":
        return "say what it is otherwise: `if a then b else c`"
    if token.type == "COMMA" and {"RBRACE", "NAME"} <= kinds:
        return "nothing stands between them; drop the comma"
    if kinds == {"STRING"} and token.type == "NAME" and token.text not in lexer.keywords:
        return "put it in double quotes"
    if "BUSINESS" in kinds and token.text in ("day", "days"):
        return "`2d` is two days of 24 hours, `2 business days` are those of a calendar"
    if "BUSINESS" in kinds and token.text in ("hour", "hours", "minute", "minutes"):
        return "`2h` and `30m` are exact spans, `2 business hours` are those of a calendar"
    if token.type == "DOT" and _after(state, "WITH", 2):
        return "`with` names a plan; an operation stands without `with`"
    if "DOT" in kinds and _after(state, "CANCEL", 2) and state.value_stack[-1].text == "with":
        return "`cancel` names an operation: `cancel connector.operation`"
    if token.type in ("EQUALS", "UNEQUAL", "LESSTHAN", "MORETHAN", "AT_LEAST", "AT_MOST") and kinds >= {"AND", "OR"}:
        return "comparisons do not chain; join two with `and`"
    words = {word for word, kind in lexer.keywords.items() if kind in kinds}
    near = None if token.text in lexer.keywords else nearest(token.text, words)
    if near is None:
        near = _misspelt_before(state, lexer)
    return f"did you mean `{near}`?" if near else ""


def _after(state: Any, kind: str, back: int = 1) -> bool:
    """Whether the token before is of this type, or the one so many places back."""
    values = state.value_stack
    return len(values) >= back and getattr(values[-back], "type", "") == kind


def _misspelt_before(state: Any, lexer: WordLexer) -> str | None:
    """A word just before that was read as a name and is nearly a keyword that could have stood in its place."""
    values = state.value_stack
    for back in range(1, min(3, len(values)) + 1):
        value = values[-back]
        if type(value) is not Lexeme or value.type != "NAME":
            break
        kinds = _accepted_at(state, len(values) - back)
        words = {word for word, kind in lexer.keywords.items() if kind in kinds}
        if value.text not in lexer.keywords and (near := nearest(value.text, words)):
            return near
    return None


def _accepted_at(state: Any, length: int) -> set[str]:
    """The tokens that were possible when the stack was this long."""
    earlier = state.copy(deepcopy_values=False)
    del earlier.state_stack[length + 1 :]
    del earlier.value_stack[length:]
    return accepted(earlier)
