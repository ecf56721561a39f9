"""Single template expressions, evaluated to values and not to text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from jinja2.parser import Parser
from jinja2.runtime import Undefined

from orderloom.connectors.templates.encoding import plain_text
from orderloom.connectors.templates.names import dotted
from orderloom.connectors.templates.problem import BadValue, TemplateProblem
from orderloom.connectors.templates.sandbox import ENVIRONMENT, MOST_TURNS, TURNS, confine


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression; `tree` is kept for the checks."""

    tree: nodes.Expr
    line: int
    code: Any
    #: where it is just a dotted name, that name; it is then looked up without running code
    keys: tuple[str, ...]

    def value(self, context: Mapping[str, object]) -> object:
        """Its value; raises BadValue where a name has none, or an operation does not fit its values."""
        if self.keys:
            return self._looked_up(context)
        scope = self.code.new_context({**context, TURNS: [MOST_TURNS]}, shared=True)
        try:
            for _ in self.code.root_render_func(scope):
                continue
            found: object = scope.vars["result"]
            if isinstance(found, Undefined):
                str(found)
        except BadValue:
            raise
        except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as problem:
            raise BadValue(str(problem)) from None
        return found

    def _looked_up(self, context: Mapping[str, object]) -> object:
        found: object = context
        for key in self.keys:
            found = ENVIRONMENT.getattr(found, key)
        if isinstance(found, Undefined):
            raise BadValue(f"`{'.'.join(self.keys)}` has no value")
        return found


@dataclass(frozen=True, slots=True)
class Text:
    """Fixed text with expressions in it."""

    parts: tuple[str | Expression, ...]
    line: int

    def value(self, context: Mapping[str, object]) -> object:
        """The parts as one text."""
        return "".join(part if isinstance(part, str) else plain_text(part.value(context)) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value without expressions."""

    fixed: object
    line: int

    def value(self, context: Mapping[str, object]) -> object:
        """Always the same."""
        return self.fixed


Entry = Expression | Text | Fixed


@lru_cache(maxsize=4096)
def compile_expression(source: str, line: int) -> Expression:
    """Compiles what stands between `{{` and `}}`; raises TemplateProblem with the line in the file."""
    try:
        parser = Parser(ENVIRONMENT, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError(f"unexpected `{parser.stream.current.value}`", parser.stream.current.lineno)
    except TemplateSyntaxError as problem:
        raise TemplateProblem(problem.message or "syntax error", line + problem.lineno - 1) from None
    tree.set_environment(ENVIRONMENT)
    try:
        confine(tree)
    except TemplateProblem as problem:
        raise TemplateProblem(problem.message, line + problem.line - 1, problem.help) from None
    body = nodes.Template([nodes.Assign(nodes.Name("result", "store", lineno=1), tree, lineno=1)], lineno=1)
    body.set_environment(ENVIRONMENT)
    return Expression(tree, line, ENVIRONMENT.from_string(body), dotted(tree))
