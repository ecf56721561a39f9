"""A YAML document whose every value knows its place; what is wrong with it is collected, not raised."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import yaml

from orderloom.dsl.suggestions import suggestion
from orderloom.models.catalog import Enum
from orderloom.models.conversion import Json, from_json, to_json
from orderloom.models.values import Type, Value

#: problems told of one file
_TOLD = 20
_SPANS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_SPAN_PART = re.compile(r"(\d{1,6})(ms|s|m|h|d|w)")


class Notebook:
    """Collects what is wrong with one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[str] = []

    def place(self, line: int) -> str:
        return f"{self.file}:{line}"

    def note(self, line: int, message: str) -> None:
        problem = f"{self.place(line)}: {message}"
        if len(self.problems) < _TOLD and problem not in self.problems:
            self.problems.append(problem)


class Node:
    """One value of the document."""

    def __init__(self, node: yaml.Node, notebook: Notebook, name: str) -> None:
        self._node = node
        self._notebook = notebook
        #: what leads to it, e.g. `expect.tasks.reserve`
        self.name = name
        self.line: int = node.start_mark.line + 1

    @property
    def place(self) -> str:
        return self._notebook.place(self.line)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self._node, yaml.SequenceNode)

    def problem(self, message: str, *, below: int = 0) -> None:
        """Tells of something wrong at this place, or so many lines below it."""
        self._notebook.note(self.line + below, message)

    def expected(self, what: str) -> None:
        self.problem(f"`{self.name}`: expected {what}, found {self._shown()}")

    def unknown(self, name: str, known: Iterable[str], what: str) -> None:
        """Tells of a name that is not known, with the nearest one."""
        self.problem(f"`{self.name}`: no {what} is called `{name}`; {suggestion(name, known, what=what)}")

    def mapping(self, known: Collection[str] | None = None, what: str = "key") -> dict[str, Node]:
        """Its entries by key; with `known`, others are told of and left out."""
        if not isinstance(self._node, yaml.MappingNode):
            self.expected("a mapping")
            return {}
        found: dict[str, Node] = {}
        for key_node, value in self._node.value:
            key = str(_constructed(key_node))
            line: int = key_node.start_mark.line + 1
            child = Node(value, self._notebook, f"{self.name}.{key}" if self.name else key)
            child.line = line
            if key in found:
                self._notebook.note(line, f"`{child.name}` is there twice")
            elif known is not None and key not in known:
                where = f" in `{self.name}`" if self.name else ""
                self._notebook.note(line, f"unknown {what} `{key}`{where}; {suggestion(key, known, what=what)}")
            else:
                found[key] = child
        return found

    def items(self) -> Iterator[Node]:
        """The items of a list; a single value is a list of itself."""
        if isinstance(self._node, yaml.SequenceNode):
            for index, each in enumerate(self._node.value):
                yield Node(each, self._notebook, f"{self.name}[{index}]")
        else:
            yield self

    def plain(self) -> Json:
        """The value as JSON has it; dates and instants as text."""
        return _jsonable(_constructed(self._node))

    def text(self) -> str:
        found = self.plain()
        if isinstance(found, int) and not isinstance(found, bool):
            # an item's id without quotes
            return str(found)
        if not isinstance(found, str) or not found:
            self.expected("text, in quotes" if isinstance(found, float) else "text")
            return ""
        return found

    def texts(self) -> tuple[str, ...]:
        return tuple(each.text() for each in self.items())

    def integer(self) -> int:
        found = self.plain()
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            self.expected("a number from 0")
            return 0
        return found

    def flag(self) -> bool:
        found = self.plain()
        if not isinstance(found, bool):
            self.expected("true or false")
            return False
        return found

    def span(self) -> timedelta:
        """A duration as the language writes it, e.g. `1h30m`."""
        return self.span_of(str(self.plain()))

    def span_of(self, text: str) -> timedelta:
        """The same for a text, such as that of a key."""
        parts = _SPAN_PART.findall(text)
        if not text or "".join(number + unit for number, unit in parts) != text:
            self.problem(f"`{self.name}`: expected a duration, e.g. `1h30m`, found `{text}`")
        return sum((int(number) * _SPANS[unit] for number, unit in parts), timedelta(0))

    def instant(self) -> datetime:
        found = _constructed(self._node)
        if isinstance(found, datetime):
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        self.expected("a date and time, e.g. `2026-11-23T08:00:00Z`")
        return datetime.min.replace(tzinfo=UTC)

    def choice(self, known: Collection[str], what: str) -> str:
        """One of some words; "" for any other."""
        found = self.plain()
        if found in known:
            return str(found)
        self.unknown(str(found), known, what)
        return ""

    def typed(self, wanted: Type, enums: dict[str, Enum]) -> Value:
        """A value of a type; None is absent. Numbers may be written as text."""
        found = self.plain()
        if found is None:
            return None
        try:
            return from_json(found, wanted.required(), enums)
        except ValueError as problem:
            self.problem(f"`{self.name}`: {problem}")
            return None

    def _shown(self) -> str:
        if self.is_mapping:
            return "a mapping"
        if self.is_list:
            return "a list"
        found = self.plain()
        return "nothing" if found is None else f"`{found}`"


def read_document(text: str, notebook: Notebook) -> Node | None:
    """The root of a YAML text; None where it cannot be read."""
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is not None:
            _constructed(node)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        what = str(getattr(problem, "problem", None) or problem).strip()
        notebook.note(mark.line + 1 if mark else 1, f"no YAML: {what}")
        return None
    if node is None:
        notebook.note(1, "an empty file, expected a scenario")
        return None
    return Node(node, notebook, "")


class _Loader(yaml.SafeLoader):
    """YAML whose `on`, `off`, `yes`, `no` are words, not booleans."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:bool" or first in "tTfF"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}  # fmt: skip


def _constructed(node: yaml.Node) -> object:
    return _Loader("").construct_document(node)


def _jsonable(found: object) -> Json:
    if isinstance(found, dict):
        return {str(key): _jsonable(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_jsonable(each) for each in found]
    if isinstance(found, datetime):
        return to_json(found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC))
    if isinstance(found, date):
        return found.isoformat()
    if found is None or isinstance(found, (bool, int, float, str)):
        return found
    return str(found)
