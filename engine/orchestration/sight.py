"""What a task can see: decides which tasks a change of content reaches.

A key is `(line, name)` for an attribute, `(line, "@name")` for a built-in such as `@quantity`, `(line, "*")` for
everything of a line, `(line, "@parent")` and `(line, "@root")` for where it stands,
`("order", name)` for a field of the order, `("*", name)` for an attribute of any line, and
`("*", "*")` for a formula that looks at the set of lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import lru_cache

from orderloom.engine.orchestration.definitions import CompiledTask
from orderloom.models.expression import Formula, Quantified, Reference, Root, Variable
from orderloom.models.fulfillment import Line
from orderloom.models.tasks import TaskDefinition, TaskKind
from orderloom.models.values import Type

Key = tuple[str, str]
ANY = "*"
ORDER = "order"
PARENT = "@parent"
ROOT = "@root"

#: what a formula or a template looks at: whose, and which attribute; "" for any line's
Look = tuple[str, str]

_ROOTS = {Root.LINE: "line", Root.PARENT: "parent", Root.ROOT: "root", Root.ORDER: ORDER}
_BLOCKS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_ELSEWHERE = re.compile(r"\b(include|import|extends)\b")
_NAMES = re.compile(r"\b(line|parent|root|order)\b(?:\s*\.\s*([A-Za-z_]\w*))?")
_BUILT_IN = frozenset(("id", "action", "spec", "quantity"))


def sight(compiled: CompiledTask, line: Line) -> Iterator[Key]:
    """The keys of what a task of this line sees: its formulas, and for calls what the request is made of.

    A request without a template is taken to say all of its line. What a template names is found in its text, so it may
    be more than it uses, never less.
    """
    for subject, name in looks(compiled.definition, _request(compiled)):
        if subject == "line":
            yield line.id, name
        elif subject == "parent":
            yield line.parent, name
            yield line.id, PARENT
        elif subject == "root":
            yield line.root, name
            yield line.id, ROOT
        else:
            yield subject, name


def condition(compiled: CompiledTask, line: Line) -> Iterator[Key]:
    """The keys of what the task's own `when` sees."""
    places = {"line": line.id, "parent": line.parent, "root": line.root}
    when = compiled.definition.when
    for subject, name in _formula(when) if when else ():
        yield places.get(subject, subject), name
        if subject in ("parent", "root"):
            yield line.id, f"@{subject}"


@lru_cache(maxsize=8192)
def _looks(formulas: tuple[Formula, ...]) -> frozenset[Look]:
    return frozenset(look for each in formulas for look in _formula(each))


def looks(definition: TaskDefinition, template: str | None) -> frozenset[Look]:
    """What a task of this definition looks at, as seen from its line."""
    event = definition.event
    formulas = (
        definition.when,
        definition.until,
        definition.until_instant,
        event.matching if event else None,
        event.key if event else None,
        *(each.value for each in definition.sets),
    )
    found = _looks(tuple(each for each in formulas if each))
    if definition.kind is TaskKind.CALL:
        found |= frozenset((("line", ANY),)) if template is None else _template(template)
    return found


def _request(compiled: CompiledTask) -> str | None:
    request = compiled.operation.request if compiled.operation else None
    return request.text if request else None


@lru_cache(maxsize=4096)
def _template(text: str) -> frozenset[Look]:
    code = " ".join(_BLOCKS.findall(text))
    if _ELSEWHERE.search(code):
        return frozenset((subject, ANY) for subject in _ROOTS.values())
    found: set[Look] = set()
    for subject, name in _NAMES.findall(code):
        found.add((subject, ANY if not name else f"@{name}" if name in _BUILT_IN and subject != ORDER else name))
    return frozenset(found)


@lru_cache(maxsize=8192)
def _formula(formula: Formula) -> frozenset[Look]:
    return frozenset(_walk(formula.expression))


def _walk(expression: object) -> Iterable[Look]:
    todo: list[object] = [expression]
    while todo:
        node = todo.pop()
        match node:
            case Reference(root, name, _, meta) if root in _ROOTS:
                yield _ROOTS[root], f"@{name}" if meta else name
            case Variable(_, name, _, meta):
                yield ANY, f"@{name}" if meta else name
            case tuple():
                todo.extend(node)
            case _ if is_dataclass(node) and not isinstance(node, Type):
                if isinstance(node, Quantified):
                    yield ANY, ANY
                todo.extend(getattr(node, each.name) for each in fields(node))
