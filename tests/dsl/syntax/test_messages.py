"""What a designer reads for each kind of mistake: the message, the help, and the text that is underlined."""

import pytest

from orderloom.dsl.diagnostics import as_json, render
from orderloom.dsl.parser import parse
from orderloom.models.source import Diagnostic, Label, Severity, Span

MISTAKES = [
    # source, code, underlined text, message, help
    ("produt X { }", "LM0001", "produt", "expected a declaration or the end of the file, found `produt`", "`product`?"),
    ("product X { contians Y 1..1 }", "LM0001", "1", "found `1`", "did you mean `contains`?"),
    ("service X one per bandle { }", "LM0001", "bandle", "`account`, `bundle`, `key`", "did you mean `bundle`?"),
    ("product default { }", "LM0001", "default", "expected a name, found `default`", "is a reserved word"),
    ("reject 'x' on A when b", "LM0002", "'", "unexpected character `'`", "plain double quotes"),
    ("product X { a § string }", "LM0002", "§", "unexpected character `§`", ""),
    ("product X { a\0 string }", "LM0002", "\0", "unexpected character `U+0000`", ""),
    ('product X "X { }', "LM0003", '"X { }', "this string is not closed", "on the same line"),
    ("queue q { sla 5hours }", "LM0004", "5hours", "`5hours` is no number", "durations: `10s`"),
    ('product X "a\\q" { }', "LM0005", "\\q", "unknown escape `\\q`", "the escapes are"),
    ('product X "\\ud800" { }', "LM0005", "\\ud800", "unknown escape", "the escapes are"),
    (f'reject "x" on A when b == {"9" * 60}', "LM0006", "9" * 60, "at most 50 digits, this one has 60", ""),
    ("queue q { sla 999999999999d }", "LM0006", "999999999999d", "is too long", "at most"),
    ('reject "x" on A when b == 2026-02-31', "LM0007", "2026-02-31", "there is no date `2026-02-31`", "`2026-01-31`"),
    ('reject "x" on A when b == 2026-02-01T25:00Z', "LM0007", "2026-02-01T25:00Z", "no date and time", "an offset"),
    ("enum A { a\nproduct B { }", "LM0010", "product", "expected `}` before `product`", "close the declaration above"),
    ('reject "x" on A when a = b', "LM0001", "=", "found `=`", "to compare, write `==`"),
    ('reject "x" on A when a < b < c', "LM0001", "<", "found `<`", "join two with `and`"),
    ('reject "x" on A when if a then b', "LM0001", "b", "expected `else` after `b`", ""),
    ("decompose A into B { c = if a then b }", "LM0001", "}", "expected", "`if a then b else c`"),
    ('reject "x" on A when b in 1, 2', "LM0001", "1", "expected `(`", "`in (a, b)`"),
    ('reject "x" on A when b is true', "LM0001", "true", "`absent` or `present`", "a boolean stands alone"),
    ('reject "x" on A when b is not present', "LM0001", "not", "`absent` or `present`", "write `is absent`"),
    ('reject "x" on A when b == c % 2', "LM0002", "%", "unexpected character `%`", "`+`, `-`, `*` and `/`"),
    ("enum A { a, b }", "LM0001", ",", "found `,`", "drop the comma"),
    ("decompose A into B { c = d ?? e }", "LM0001", "?", "found `?`", "`default`"),
    ("plan P for X { manual m {\n  queue\n  when a\n} }", "LM0001", "queue", "a name after `queue`, found `when`", ""),
    ("product X {\n  a T =\n  b T = c\n}", "LM0001", "=", "expected an expression after `=`, found `b`", ""),
    ("plan P for X { call c { after A.b when c } }", "LM0001", "when", "expected `within`", ""),
    ("plan P for X { manual m { due 2 hours } }", "LM0001", "hours", "`business`", "`2 business hours`"),
    ("plan P for X { call c { undo with a.b } }", "LM0001", ".", "found `.`", "an operation stands without `with`"),
    ("plan P for X { call c { cancel with a.b } }", "LM0001", "a", "found `a`", "`cancel connector.operation`"),
    ("decompose A into B { a = lines }\ndecompose", "LM0001", "decompose", "a name or `first` after `decompose`", ""),
]


@pytest.mark.parametrize(
    ("source", "code", "underlined", "message", "help"), MISTAKES, ids=[m[0][:30] for m in MISTAKES]
)
def test_message(source: str, code: str, underlined: str, message: str, help: str) -> None:
    parsed = parse(source, "x.loom")
    assert parsed.tree is None
    (found,) = parsed.diagnostics
    assert found.code == code
    assert source[found.span.start : found.span.end] == underlined
    assert message in found.message
    assert help in found.help
    assert bool(found.help) == bool(help)
    assert found.message[0].islower() or found.message[0] == "`"


def test_rendering() -> None:
    source = "enum Speed {\n\tmbps_100\nproduct X { }\n"
    (found,) = parse(source, "x.loom").diagnostics
    assert render([found], {"x.loom": source}, colour=False) == (
        "error[LM0010]: expected `}` before `product`\n"
        " --> x.loom:3:1\n"
        "  |\n"
        "3 | product X { }\n"
        "  | ^^^^^^^\n"
        "1 | enum Speed {\n"
        "  |            - this block is still open\n"
        "  = help: close the declaration above\n"
    )
    coloured = render([found], {"x.loom": source}, colour=True)
    assert "\x1b[31merror[LM0010]\x1b[0m" in coloured


def place(source: str, text: str, file: str = "x.loom") -> Span:
    start = source.index(text)
    line_start = source.rfind("\n", 0, start) + 1
    return Span(file, start, start + len(text), source.count("\n", 0, start) + 1, start - line_start + 1)


@pytest.mark.parametrize(
    ("source", "marked", "shown", "marks"),
    [
        ("\ta\tbc d", "bc", "    a   bc d", "        ^^"),
        ("日本語 bc", "bc", "日本語 bc", "       ^^"),
        ("x 日本語", "日本語", "x 日本語", "  ^^^^^^"),
        ("e\u0301 bc", "bc", "e\u0301 bc", "  ^^"),
        ("ab {\n  c\n}", "{\n  c\n}", "ab {", "   ^…"),
        ("a\x1b[31mb", "b", "a\N{REPLACEMENT CHARACTER}[31mb", "      ^"),
        ("ab\r\ncd", "ab", "ab", "^^"),
    ],
)
def test_underline(source: str, marked: str, shown: str, marks: str) -> None:
    found = Diagnostic(code="LM0001", message="m", span=place(source, marked))
    assert render([found], {"x.loom": source}, colour=False).splitlines()[3:] == [f"1 | {shown}", f"  | {marks}"]


def test_long_lines_are_shown_in_part() -> None:
    source = "a" * 5000 + " here " + "b" * 5000
    found = Diagnostic(code="LM0001", message="m", span=place(source, "here"))
    line, marks = render([found], {"x.loom": source}, colour=False).splitlines()[3:]
    assert len(line) < 180
    assert line[marks.index("^") : marks.rindex("^") + 1] == "here"


def test_labels_in_other_files_and_files_without_source() -> None:
    source = "a b\nc d"
    labels = (Label(place(source, "d", "y.loom"), "first defined here"), Label(Span("z.loom", 0, 1, 7, 2), "and here"))
    found = Diagnostic(
        code="LM0001", message="m", span=place(source, "b"), labels=labels, help="h", severity=Severity.WARNING
    )
    assert render([found], {"x.loom": source, "y.loom": source}, colour=False) == (
        "warning[LM0001]: m\n --> x.loom:1:3\n  |\n1 | a b\n  |   ^\n"
        " ::: y.loom:2:3\n  |\n2 | c d\n  |   - first defined here\n"
        " ::: z.loom:7:2\n  |\n  = z.loom:7:2: and here\n  = help: h\n"
    )


def test_order_and_json() -> None:
    found = [
        Diagnostic(code="LM0002", message="b", span=Span("b.loom", 0, 1, 1, 1)),
        Diagnostic(code="LM0002", message="late", span=Span("a.loom", 20, 21, 1, 21), help="h"),
        Diagnostic(code="LM0002", message="early", span=Span("a.loom", 3, 4, 1, 4)),
    ]
    values = as_json(found)
    assert [value["message"] for value in values] == ["early", "late", "b"]
    assert values[1] == {
        "code": "LM0002",
        "severity": "error",
        "message": "late",
        "help": "h",
        "place": {"file": "a.loom", "line": 1, "column": 21, "start": 20, "end": 21},
        "labels": [],
    }
