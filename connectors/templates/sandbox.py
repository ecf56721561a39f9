"""The Jinja environment of request and response templates: a small closed language.

No calls, no globals, no attributes of Python objects: a dot reads a key of a mapping or a field of `loop`, nothing
else. Filters and tests are those listed here. Loops, numbers and texts are bounded, so that a template ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from jinja2 import nodes, pass_context
from jinja2.exceptions import TemplateSyntaxError
from jinja2.runtime import Context, LoopContext, StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from orderloom.connectors.templates.encoding import ENCODERS, plain_text
from orderloom.connectors.templates.problem import BadValue, TemplateProblem

#: characters that one rendering may produce
MOST_OUTPUT = 4_000_000
#: turns that all loops of one rendering may take together
MOST_TURNS = 100_000
_MOST_BITS = 2_048
#: where the turns left are kept in the context; no template can write this name
TURNS = "loop turns"

_LOOP_FIELDS = frozenset(("index", "index0", "revindex", "revindex0", "first", "last", "length"))

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.Assign,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Tuple,
    nodes.Dict,
    nodes.Pair,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.CondExpr,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Concat,
)


class Missing(StrictUndefined):
    """A name without a value: every use but `default`, `is defined` and `is present` is an error that says its path."""

    __slots__ = ()

    def __init__(self, hint: str | None = None, obj: Any = None, name: str | None = None, exc: Any = None) -> None:
        super().__init__(hint=f"`{name}` has no value", name=name, exc=BadValue)

    def below(self, name: object) -> Missing:
        """The same for something inside what is missing."""
        return Missing(name=f"{self._undefined_name}.{name}")


class Sandbox(ImmutableSandboxedEnvironment):
    """See the module; attribute access is narrowed to mappings, lists and `loop`."""

    intercepted_binops = frozenset(("*", "//", "%", "+", "-"))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            try:
                return obj[attribute]
            except KeyError:
                return Missing(name=attribute)
        if isinstance(obj, LoopContext) and attribute in _LOOP_FIELDS:
            return getattr(obj, attribute)
        return obj.below(attribute) if isinstance(obj, Missing) else Missing(name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, (tuple, list)) and isinstance(argument, int):
            return obj[argument] if -len(obj) <= argument < len(obj) else Missing(name=f"[{argument}]")
        return self.getattr(obj, argument) if isinstance(argument, str) else Missing(name=f"[{argument!r}]")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _bounded(left, len(right)) + right
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)
            if isinstance(side, bool) or not isinstance(side, (int, Decimal)):
                raise BadValue(f"`{operator}` needs numbers")
            if isinstance(side, int) and side.bit_length() > _MOST_BITS:
                raise BadValue("the number is too large to calculate with")
        return super().call_binop(context, operator, left, right)


def parse(text: str) -> nodes.Template:
    """The syntax tree of a template; raises TemplateProblem where it is not of the closed language."""
    try:
        tree = ENVIRONMENT.parse(text)
    except TemplateSyntaxError as problem:
        raise TemplateProblem(_first_lower(problem.message or "syntax error"), problem.lineno) from None
    confine(tree)
    return tree


def confine(tree: nodes.Node) -> None:
    """Raises TemplateProblem for anything outside the closed language; makes `~` join texts as they are printed."""
    for node in (tree, *list(tree.find_all(nodes.Node))):
        if not isinstance(node, _ALLOWED):
            raise TemplateProblem(
                f"{type(node).__name__.lower()} is not part of the template language",
                node.lineno,
                "templates have `{{ … }}` with filters, `{% if %}`, `{% for %}` and `{% set %}`",
            )
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            _refuse("filter", node.name, node.lineno, FILTERS)
        if isinstance(node, nodes.Test) and node.name not in TESTS:
            _refuse("test", node.name, node.lineno, TESTS)
        if isinstance(node, nodes.For) and node.recursive:
            raise TemplateProblem("a loop cannot be recursive", node.lineno)
        if isinstance(node, nodes.Concat):
            node.nodes = [
                nodes.Filter(part, "plain text", [], [], None, None, lineno=node.lineno) for part in node.nodes
            ]


def _refuse(what: str, name: str, line: int, known: Mapping[str, object]) -> NoReturn:
    raise TemplateProblem(f"no {what} is called `{name}`", line, f"there are {', '.join(sorted(known))}")


def _first_lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def _default(value: Any, otherwise: Any = "") -> Any:
    return otherwise if value is None or isinstance(value, Undefined) else value


def _bounded(text: str, growth: int) -> str:
    if len(text) + growth > MOST_OUTPUT:
        raise BadValue(f"the text is longer than {MOST_OUTPUT} characters")
    return text


def _replace(value: Any, old: str, new: str) -> str:
    text = plain_text(value)
    return _bounded(text, text.count(old) * len(new)).replace(old, new)


def _join(values: Any, separator: str = "") -> str:
    texts = [plain_text(value) for value in _sequence(values)]
    _bounded("", sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _sequence(values: Any) -> tuple[Any, ...] | list[Any]:
    if isinstance(values, (tuple, list)):
        return values
    if isinstance(values, Undefined):
        str(values)
    raise BadValue("expected a list")


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (str, tuple, list, Mapping, Undefined)) else len(_sequence(value))


def _integer(value: Any) -> int:
    if (isinstance(value, str) and len(value) > _MOST_BITS) or (isinstance(value, Decimal) and value.adjusted() > 400):
        raise BadValue("the number is too large")
    try:
        return int(value)
    except (TypeError, ValueError, ArithmeticError):
        raise BadValue(f"expected an integer, found {str(value)[:40]!r}") from None


def _pick(index: int) -> Callable[[Any], Any]:
    return lambda values: _sequence(values)[index] if _sequence(values) else Missing(name="item of an empty list")


def _text_filter(change: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: change(plain_text(value))


@pass_context
def loop_items(context: Context, values: Any) -> Any:
    """What a loop goes over; counts its turns against the bound of the rendering."""
    items = _sequence(values)
    budget = context.parent[TURNS]
    budget[0] -= len(items)
    if budget[0] < 0:
        raise BadValue(f"the loops take more than {MOST_TURNS} turns")
    return items


def _present(value: Any) -> bool:
    return value is not None and not isinstance(value, Undefined)


FILTERS: Mapping[str, Callable[..., Any]] = {
    "default": _default,
    "d": _default,
    "lower": _text_filter(str.lower),
    "upper": _text_filter(str.upper),
    "trim": _text_filter(str.strip),
    "string": plain_text,
    "replace": _replace,
    "join": _join,
    "length": _length,
    "count": _length,
    "first": _pick(0),
    "last": _pick(-1),
    "int": _integer,
}

TESTS: Mapping[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "present": _present,
    "absent": lambda value: not _present(value),
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, (int, Decimal)) and not isinstance(value, bool),
    "mapping": lambda value: isinstance(value, Mapping),
    "sequence": lambda value: isinstance(value, (tuple, list)),
}


def _environment() -> Sandbox:
    environment = Sandbox(undefined=Missing, trim_blocks=True, lstrip_blocks=True, cache_size=0)
    environment.globals.clear()
    environment.filters = {**FILTERS, **ENCODERS, "loop items": loop_items}
    environment.tests = dict(TESTS)
    return environment


ENVIRONMENT = _environment()
