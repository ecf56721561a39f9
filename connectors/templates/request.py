"""Request templates: an HTTP message with expressions, compiled once, rendered for each call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn, cast
from xml.parsers import expat

from jinja2 import nodes
from jinja2.exceptions import TemplateError

from orderloom.connectors.templates.position import Cursor, JsonCursor, XmlCursor
from orderloom.connectors.templates.problem import BadValue, TemplateProblem
from orderloom.connectors.templates.sandbox import ENVIRONMENT, MOST_OUTPUT, MOST_TURNS, TURNS, parse
from orderloom.models.integration import Template

#: what can go wrong with values when a template runs; anything else is a defect of the sandbox
_VALUE_ERRORS = (BadValue, TemplateError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it goes out, before the connector adds its own headers."""

    method: str
    #: path and query, percent-encoded, relative to the connector's base URL
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class RequestTemplate:
    """A compiled request template; raises TemplateProblem where the text is not one."""

    def __init__(self, template: Template) -> None:
        self._compile(template, parse(template.text))

    @classmethod
    def of_tree(cls, template: Template, tree: nodes.Template) -> RequestTemplate:
        """The same for a syntax tree made from the template's."""
        made = cls.__new__(cls)
        made._compile(template, tree)
        return made

    def _compile(self, template: Template, tree: nodes.Template) -> None:
        cursor = Cursor()
        _place(tree.body, cursor)
        cursor.finish(template.text.count("\n") + 1)
        body = cursor.body
        self.method = cursor.method
        #: the path with NUL for each expression
        self.path = cursor.path
        self.content_type = cursor.content_type
        self._compact = self.content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"
        self._json = isinstance(body, JsonCursor)
        unique = _unique if isinstance(body, JsonCursor) and body.varying_keys else None
        # only the structure is looked at, so numbers need not be read
        self._decoder = JSONDecoder(
            object_pairs_hook=unique, parse_int=len, parse_float=len, parse_constant=_no_constant
        )
        self._xml = isinstance(body, XmlCursor)
        self._template = ENVIRONMENT.from_string(tree)

    def render(self, context: Mapping[str, object]) -> Request:
        """The request for these values; raises BadValue for values that cannot be sent."""
        text = _run(self._template, context).lstrip()
        head, _, body = text.partition("\n\n")
        line, *headers = head.rstrip("\n").split("\n")
        method, target = line.split(" ")[:2]
        _check_path(target)
        if self._compact:
            body = "".join(body.split())
        content = _encoded(body)
        if self._json and body.strip():
            self._check_json(body)
        elif self._xml and body.strip():
            _check_xml(content)
        return Request(method=method, target=target, headers=tuple(map(_header, headers)), body=content)

    def _check_json(self, body: str) -> None:
        try:
            self._decoder.decode(body)
        except (JSONDecodeError, RecursionError) as problem:
            raise BadValue(f"the body is no JSON: {problem}") from None


def _place(body: Sequence[nodes.Node], cursor: Cursor) -> None:
    for node in body:
        match node:
            case nodes.Output():
                node.nodes = [_encode(child, cursor) for child in node.nodes]
            case nodes.If():
                _place_branches(node, cursor)
            case nodes.For():
                node.iter = _filtered(node.iter, "loop items")
                for branch in (node.body, node.else_):
                    other = cursor.copy()
                    _place(branch, other)
                    cursor.merge(other, node.lineno, "for")
            case nodes.Assign():
                continue


def _place_branches(node: nodes.If, cursor: Cursor) -> None:
    start = cursor.copy()
    _place(node.body, cursor)
    for branch in (*(other.body for other in node.elif_), node.else_):
        other = start.copy()
        _place(branch, other)
        cursor.merge(other, node.lineno, "if")


def _encode(node: nodes.Expr, cursor: Cursor) -> nodes.Expr:
    if isinstance(node, nodes.TemplateData):
        cursor.read(node.data, node.lineno)
        return node
    return _filtered(node, cursor.encoder(node.lineno))


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno)


def _run(template: Any, context: Mapping[str, object]) -> str:
    scope = template.new_context({**context, TURNS: [MOST_TURNS]}, shared=True)
    chunks: list[str] = []
    size = 0
    try:
        for chunk in template.root_render_func(scope):
            size += len(chunk)
            if size > MOST_OUTPUT:
                raise BadValue(f"the request is longer than {MOST_OUTPUT} characters")
            chunks.append(chunk)
    except BadValue:
        raise
    except _VALUE_ERRORS as problem:
        raise BadValue(str(problem)) from None
    return "".join(chunks)


def _check_path(target: str) -> None:
    path = target.partition("?")[0]
    if "/." in path and any(segment in (".", "..") for segment in path.split("/")):
        raise BadValue("a path segment cannot be `.` or `..`")


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip()


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as problem:
        raise BadValue(f"character U+{ord(text[problem.start]):04X} cannot be sent") from None


def _no_constant(text: str) -> NoReturn:
    raise BadValue(f"the body is no JSON: `{text}`")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise BadValue("two members of a JSON object have the same name")
    return members


def _check_xml(content: bytes) -> None:
    try:
        expat.ParserCreate("utf-8").Parse(content, True)
    except expat.ExpatError as problem:
        raise BadValue(f"the body is no XML: {problem}") from None


__all__ = ["BadValue", "Request", "RequestTemplate", "TemplateProblem"]
