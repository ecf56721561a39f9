"""No value of an order can change the structure of a request: only its leaf differs, or it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderloom.connectors.templates.problem import BadValue
from orderloom.connectors.templates.request import Request, RequestTemplate
from orderloom.models.integration import Template

LEAF = object()

_PIECES = (
    '"',
    "'",
    "\\",
    '\\"',
    "\\\\",
    "\\u0022",
    "\\n",
    "\n",
    "\r",
    "\r\n",
    "\r\n\r\n",
    "\t",
    "\0",
    "\x01",
    "\x1b",
    "\x7f",
    "\x85",
    "\xa0",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "\ud800",
    "\udfff",
    "\ud83d\ude00",
    "😀",
    "é",
    "{",
    "}",
    "{{",
    "}}",
    "{{7*7}}",
    "{% raw %}",
    "{% endraw %}",
    "{#",
    "#}",
    "{{ self }}",
    "{{ ''.__class__.__mro__ }}",
    "{% include '/etc/passwd' %}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "%{7*7}",
    "`id`",
    "$(id)",
    "; ls",
    "| ls",
    "&& ls",
    "..",
    ".",
    "/",
    "//",
    "../",
    "../../etc/passwd",
    "..\\",
    "\\..\\",
    "/../",
    "./",
    "%2e%2e",
    "%2e%2e%2f",
    "%2F",
    "%00",
    "%0d%0a",
    "%",
    "%%",
    "%u002f",
    "..;/",
    ";",
    ";jsessionid=1",
    "?",
    "?a=b",
    "&",
    "&a=b",
    "&amp;",
    "=",
    "a=b&c=d",
    "+",
    "#",
    "#fragment",
    "@",
    "user:pass@evil.example",
    "//evil.example",
    "http://evil.example/",
    ":",
    "::1",
    "~",
    " ",
    "  ",
    "",
    "<",
    ">",
    "</a>",
    "<b/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?xml?>",
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'c'>]>",
    "&b;",
    "&#0;",
    "&#x22;",
    "&lt;",
    "' or '1'='1",
    "'; drop table orders; --",
    '", "admin": true, "x": "',
    '"}',
    '"]',
    "],[",
    "},{",
    ",",
    "null",
    "true",
    "false",
    "NaN",
    "Infinity",
    "-0",
    "1e999",
    "0x10",
    "// c",
    "/* c */",
    "[",
    "]",
    "X: y",
    "\r\nX-Injected: 1",
    "\nX-Injected: 1",
    "\r\n\r\nGET /admin HTTP/1.1",
    " HTTP/1.1\r\nHost: evil",
    "\u010a\u010d",
    "\u560a\u560d",
    "Transfer-Encoding: chunked",
    "=?utf-8?q?x?=",
    "=1+1",
    "@SUM(1)",
    "__proto__",
    "constructor",
    "fixed",
    "other",
    "\u202e",
    "\u200b",
    "e\u0301",
    "ﬀ",
    "İ",
    "\U0010ffff",
)
NASTY = (
    *_PIECES,
    *(f"a{piece}b" for piece in _PIECES),
    *(f"{piece}{piece}" for piece in _PIECES),
    "a" * 1_000_000,
    '"' * 500_000,
    "<" * 300_000,
    "[" * 100_000,
    '{"a":' * 100_000,
    "<a>" * 100_000,
    "../" * 10_000,
)


@dataclass(frozen=True)
class Position:
    """A place in a request: a template with `line.value` there, and how to read the parsed request's leaf."""

    name: str
    text: str
    #: the request's structure with `LEAF` where the value stands, and the value
    read: Callable[[Request], tuple[object, object]]

    def __str__(self) -> str:
        return self.name


def _around(request: Request, body: object = None) -> tuple[object, ...]:
    return request.method, request.target, request.headers, body


def _json_value(request: Request) -> tuple[object, object]:
    body = json.loads(request.body)
    return _around(request, {**body, "a": LEAF}), body["a"]


def _json_text(request: Request) -> tuple[object, object]:
    body = json.loads(request.body)
    assert body["a"].startswith("<")
    assert body["a"].endswith(">")
    return _around(request, {**body, "a": LEAF}), body["a"][1:-1]


def _json_key(request: Request) -> tuple[object, object]:
    pairs = json.loads(request.body, object_pairs_hook=list)
    assert len({name for name, _ in pairs}) == 2
    return _around(request, [LEAF, pairs[0][1], *pairs[1:]]), pairs[0][0]


def _json_nested(request: Request) -> tuple[object, object]:
    body = json.loads(request.body)
    return _around(request, (len(body["list"]), body["list"][0], body["fixed"])), body["list"][1]["a"]


def _xml(body: bytes, leaf: Callable[[ElementTree.Element], str | None]) -> tuple[object, object]:
    root = ElementTree.fromstring(body)
    shape = [(element.tag, sorted(element.attrib)) for element in root.iter()]
    return shape, leaf(root)


def _xml_text(request: Request) -> tuple[object, object]:
    shape, leaf = _xml(request.body, lambda root: root.findtext("a") or "")
    return _around(request, shape), leaf


def _xml_attribute(request: Request) -> tuple[object, object]:
    shape, leaf = _xml(request.body, lambda root: root[0].get("b"))
    return _around(request, shape), leaf


def _path(request: Request) -> tuple[object, object]:
    assert all("!" <= character <= "~" for character in request.target)
    path, *query = request.target.split("?")
    empty, first, leaf, last = path.split("/")
    assert leaf not in ("", ".", "..")
    return (request.method, empty, first, last, query, request.headers, request.body), unquote(leaf, errors="strict")


def _query(request: Request) -> tuple[object, object]:
    assert all("!" <= character <= "~" for character in request.target)
    path, query = request.target.split("?")
    (name, leaf), other = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    return (request.method, path, name, other, request.headers, request.body), leaf


def _header(request: Request) -> tuple[object, object]:
    (name, leaf), other = request.headers
    assert all(character == "\t" or " " <= character <= "~" for character in leaf)
    return (request.method, request.target, name, other, request.body), leaf


def _form(request: Request) -> tuple[object, object]:
    (name, leaf), other = parse_qsl(request.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    return _around(request, (name, other)), leaf


def _post(content_type: str, body: str) -> str:
    return f"POST /things\nContent-Type: {content_type}\nX-Fixed: 1\n\n{body}\n"


V = "{{ line.value }}"
POSITIONS = (
    Position("json value", _post("application/json", f'{{"a": {V}, "fixed": [1]}}'), _json_value),
    Position("json string", _post("application/json", f'{{"a": "<{V}>", "fixed": [1]}}'), _json_text),
    Position("json key", _post("application/json", f'{{ {V}: 1, "fixed": [1]}}'), _json_key),
    Position("json key in a string", _post("application/json", f'{{"{V}": 1, "fixed": [1]}}'), _json_key),
    Position(
        "json in a list", _post("application/json", f'{{"list": [0, {{"a": {V}}}, 2], "fixed": 1}}'), _json_nested
    ),
    Position("xml text", _post("application/xml", f"<r><a>{V}</a><c/></r>"), _xml_text),
    Position("xml attribute in double quotes", _post("text/xml", f'<r><a b="{V}" c=""/></r>'), _xml_attribute),
    Position("xml attribute in single quotes", _post("text/xml", f"<r><a b='{V}' c=''/></r>"), _xml_attribute),
    Position("path", f"GET /things/{V}/parts?q=1\nX-Fixed: 1\n", _path),
    Position("query", f"GET /things?q={V}&fixed=1\nX-Fixed: 1\n", _query),
    Position("header", f"GET /things\nX-Value: {V}\nX-Fixed: 1\n", _header),
    Position("form", _post("application/x-www-form-urlencoded", f"q={V}&fixed=1"), _form),
)
COMPILED = {found.name: RequestTemplate(Template(path="t", text=found.text)) for found in POSITIONS}


def _rendered(position: Position, value: object) -> Request:
    return COMPILED[position.name].render({"line": {"value": value}})


def _assert_harmless(position: Position, value: str) -> None:
    benign, leaf = position.read(_rendered(position, "benign"))
    assert leaf == "benign"
    try:
        request = _rendered(position, value)
    except BadValue:
        return
    structure, leaf = position.read(request)
    assert structure == benign
    wanted = value.strip() if position.name == "header" else value
    assert leaf == wanted


@pytest.mark.parametrize("position", POSITIONS, ids=str)
def test_nasty_values_change_nothing_but_the_leaf(position: Position) -> None:
    for value in NASTY:
        _assert_harmless(position, value)


@pytest.mark.parametrize("position", POSITIONS, ids=str)
@given(value=st.text(st.characters(codec=None), max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_changes_nothing_but_the_leaf(position: Position, value: str) -> None:
    _assert_harmless(position, value)


@pytest.mark.parametrize("position", POSITIONS, ids=str)
def test_ordinary_values_are_not_refused(position: Position) -> None:
    for value in ("O'Neill & Söhne <1>", 'say "hi"', "a/b?c=d&e#f", "100 %", "{x}"):
        if position.name == "header" and not value.isascii():
            continue
        assert position.read(_rendered(position, value))[1] == value


def test_there_are_hundreds_of_nasty_values() -> None:
    assert len(NASTY) > 350


@pytest.mark.parametrize(
    "filters", ["| safe", "| e", "| escape", "| tojson", "| urlencode", "| forceescape", "| attr('x')", "| xmlattr"]
)
def test_no_filter_takes_part_in_encoding(filters: str) -> None:
    from orderloom.connectors.templates.problem import TemplateProblem

    with pytest.raises(TemplateProblem):
        RequestTemplate(Template(path="t", text=f"GET /{{{{ line.value {filters} }}}}\n"))


def test_markup_is_encoded_like_any_text() -> None:
    from markupsafe import Markup

    for position in POSITIONS:
        try:
            request = _rendered(position, Markup('<b a="1">&/\'</b>'))
        except BadValue:
            continue
        structure, leaf = position.read(request)
        assert structure == position.read(_rendered(position, "benign"))[0]
        assert leaf == '<b a="1">&/\'</b>'


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_path_segment_cannot_climb(value: str) -> None:
    with pytest.raises(BadValue):
        COMPILED["path"].render({"line": {"value": value}})


def test_dots_cannot_be_put_together_from_two_values() -> None:
    template = RequestTemplate(Template(path="t", text="GET /a/{{ line.x }}{{ line.y }}/b\n"))
    with pytest.raises(BadValue, match="`\\.` or `\\.\\.`"):
        template.render({"line": {"x": ".", "y": "."}})


def test_a_value_cannot_repeat_another_member_of_its_object() -> None:
    with pytest.raises(BadValue, match="same name"):
        COMPILED["json key"].render({"line": {"value": "fixed"}})


def test_deep_nesting_is_refused() -> None:
    deep: tuple[object, ...] = ()
    for _ in range(100_000):
        deep = (deep,)
    with pytest.raises(BadValue, match="nested deeper"):
        _rendered(POSITIONS[0], deep)
