"""Bodies of answers as plain values that a response template can read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from json import JSONDecoder
from typing import NoReturn
from xml.parsers import expat

_MOST_DIGITS = 400
_DEEPEST = 64


def parse_body(content: bytes, content_type: str) -> object:
    """JSON as dicts, lists and scalars (numbers with a point as Decimal), XML as nested dicts, anything else as text.

    Raises ValueError for a body that is not what its content type says.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return parse_json(content) if content.strip() else None
    if kind in ("application/xml", "text/xml") or kind.endswith("+xml"):
        return _parse_xml(content) if content.strip() else None
    return content.decode(_charset(content_type), "replace")


def parse_json(content: bytes | str) -> object:
    """JSON with exact decimals; raises ValueError with a message that says where it is not JSON."""
    try:
        return _DECODER.decode(content if isinstance(content, str) else content.decode("utf-8-sig"))
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the number {text[:40]} is out of range") from None
    if abs(value.adjusted()) > _MOST_DIGITS or len(text) > 2 * _MOST_DIGITS:
        raise ValueError(f"the number {text[:40]} has more than {_MOST_DIGITS} digits")
    return value


def _integer(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"the number {text[:40]}… has more than {_MOST_DIGITS} digits")
    return int(text)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"`{text}` is not JSON")


_DECODER = JSONDecoder(parse_float=_decimal, parse_int=_integer, parse_constant=_no_constant)


def _charset(content_type: str) -> str:
    _, _, charset = content_type.lower().partition("charset=")
    return "latin-1" if charset.strip(' ";').startswith(("iso-8859-1", "latin")) else "utf-8"


class _Tree:
    """Builds `{element: {child: …, "@attribute": …, "#text": …}}`; an element with only text is its text."""

    def __init__(self) -> None:
        self.stack: list[dict[str, object]] = [{}]
        self.texts: list[list[str]] = [[]]

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self.stack) > _DEEPEST:
            raise ValueError(f"the XML is nested deeper than {_DEEPEST} levels")
        self.stack.append(
            {f"@{_local(key)}": value for key, value in attributes.items() if not key.startswith("xmlns")}
        )
        self.texts.append([])

    def end(self, name: str) -> None:
        element, text = self.stack.pop(), "".join(self.texts.pop()).strip()
        if element and text:
            element["#text"] = text
        self._add(_local(name), element or text)

    def text(self, text: str) -> None:
        self.texts[-1].append(text)

    def _add(self, name: str, value: object) -> None:
        parent = self.stack[-1]
        present = parent.get(name)
        if name not in parent:
            parent[name] = value
        elif isinstance(present, list):
            present.append(value)
        else:
            parent[name] = [present, value]


def _parse_xml(content: bytes) -> dict[str, object]:
    tree = _Tree()
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(content, True)
    except expat.ExpatError as problem:
        raise ValueError(f"the body is no XML: {problem}") from None
    return tree.stack[0]


def _no_doctype(*_: object) -> NoReturn:
    raise ValueError("the XML has a document type, which is not read")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
