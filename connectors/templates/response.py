"""Response templates: YAML whose scalars may be expressions, read once, evaluated for each answer.

The YAML is parsed before any expression is evaluated, so nothing that a system answers is ever read as YAML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from orderloom.connectors.templates.expression import Entry, Expression, Fixed, Text, compile_expression
from orderloom.connectors.templates.problem import TemplateProblem
from orderloom.models.integration import Template

#: what `outcome` may say
OUTCOMES = ("completed", "accepted", "failed", "retry", "fatal")
_KEYS = ("outcome", "set", "code", "message", "correlation")
#: an expression, with quoted text inside it skipped as a whole
_EXPRESSION = re.compile(r"""\{\{((?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{(?!\{)|\}(?!\}))*)\}\}""", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_MARK = re.compile("\u2983(\\d+)\u2984")


@dataclass(frozen=True, slots=True)
class ResponseTemplate:
    """A compiled response template; an entry that is not written is None."""

    outcome: Entry | None = None
    set: Mapping[str, Entry] = field(default_factory=dict)
    code: Entry | None = None
    message: Entry | None = None
    correlation: Entry | None = None
    #: the line of each output's name
    set_lines: Mapping[str, int] = field(default_factory=dict)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Everything that is written, outputs as `set.name`."""
        for key in ("outcome", "code", "message", "correlation"):
            entry: Entry | None = getattr(self, key)
            if entry is not None:
                yield key, entry
        for name, output in self.set.items():
            yield f"set.{name}", output


def compile_response(template: Template) -> ResponseTemplate:
    """Reads a response template; raises TemplateProblem where it is not one."""
    text = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), template.text)
    if (statement := text.find("{%")) >= 0:
        raise TemplateProblem(
            "statements are not part of response templates",
            _line(text, statement),
            "write `{{ a if condition else b }}`",
        )
    marked, expressions = _marked(text)
    try:
        root = yaml.compose(marked, Loader=yaml.SafeLoader)
    except yaml.YAMLError as problem:
        place = getattr(problem, "problem_mark", None)
        reason = getattr(problem, "problem", None) or "syntax error"
        raise TemplateProblem(f"this is no YAML: {reason}", place.line + 1 if place else 1) from None
    return _response(root, expressions)


def compile_text(text: str) -> Entry:
    """Text with expressions in it; a text that is one expression has that expression's value."""
    marked, expressions = _marked(text)
    return _pieces(marked, 1, expressions)


def _marked(text: str) -> tuple[str, list[Expression]]:
    """The text with a mark in place of each expression, and the expressions."""
    expressions: list[Expression] = []

    def mark(found: re.Match[str]) -> str:
        expressions.append(compile_expression(found[1].strip(), _line(text, found.start())))
        return f"\u2983{len(expressions) - 1}\u2984"

    marked = _EXPRESSION.sub(mark, text)
    if (left := marked.find("{{")) >= 0:
        raise TemplateProblem("`{{` has no `}}`", _line(marked, left))
    return marked, expressions


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _response(root: yaml.Node | None, expressions: list[Expression]) -> ResponseTemplate:
    single: dict[str, Entry] = {}
    outputs: dict[str, Entry] = {}
    lines: dict[str, int] = {}
    for key, line, node in _members(root, "a response template"):
        if key not in _KEYS:
            raise TemplateProblem(f"`{key}` is no key of a response template", line, f"there are {', '.join(_KEYS)}")
        if key == "set":
            members = list(_members(node, "`set`"))
            outputs = {name: _entry(value, expressions) for name, _, value in members}
            lines = {name: place for name, place, _ in members}
        else:
            single[key] = _entry(node, expressions)
    outcome = single.get("outcome")
    if isinstance(outcome, Fixed) and outcome.fixed not in OUTCOMES:
        raise TemplateProblem(f"`{outcome.fixed}` is no outcome", outcome.line, f"there are {', '.join(OUTCOMES)}")
    return ResponseTemplate(
        outcome, outputs, single.get("code"), single.get("message"), single.get("correlation"), lines
    )


def _members(node: yaml.Node | None, what: str) -> Iterator[tuple[str, int, yaml.Node]]:
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        raise TemplateProblem(f"{what} is a mapping of names to values", node.start_mark.line + 1)
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        if name in seen:
            raise TemplateProblem(f"`{name}` is written twice", key.start_mark.line + 1)
        seen.add(name)
        yield name, key.start_mark.line + 1, value


def _entry(node: yaml.Node, expressions: list[Expression]) -> Entry:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.ScalarNode):
        if any(_MARK.search(scalar) for scalar in _scalars(node)):
            raise TemplateProblem("an expression cannot stand inside a list or mapping here", line)
        return Fixed(_constructed(node), line)
    if _MARK.search(node.value) is None:
        return Fixed(_constructed(node), line)
    return _pieces(node.value, line, expressions)


def _pieces(text: str, line: int, expressions: list[Expression]) -> Entry:
    pieces = _MARK.split(text)
    if len(pieces) == 3 and not pieces[0] and not pieces[2]:
        return expressions[int(pieces[1])]
    parts = [expressions[int(piece)] if index % 2 else piece for index, piece in enumerate(pieces)]
    return Text(tuple(part for part in parts if part != ""), line)


def _constructed(node: yaml.Node) -> object:
    return yaml.SafeLoader("").construct_document(node)


def _scalars(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.ScalarNode):
        yield node.value
        return
    for item in node.value:
        for part in item if isinstance(item, tuple) else (item,):
            yield from _scalars(part)
