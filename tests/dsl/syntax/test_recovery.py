"""After an error the parser goes on: about one report for each mistake, on its line, and never a crash."""

from itertools import pairwise

import pytest

from orderloom.dsl.parser import MAX_CHARACTERS, parse
from orderloom.dsl.recovery import MAX_REPORTS, Drive

SEVEN = """\
enum Speed { mbps_100 mbps_500 }
product FiberInternet "Fiber Internet" {
  speed      Speed   =
  static_ip  boolean = false
  contians   Router 1..1
}
service Access one per bandle { }
decompose FiberInternet into Access {
  when speed = mbps_100
  downstream = 100
}
plan P for Access on add {
  call one {
    operation inventory reserve
    after two
  }
  manual two { due 2 bussiness days }
  milestone three { after one }
}
queue noc fallout { sla 4h
reject "x" on FiberInternet when speed == mbps_100
"""


def test_seven_mistakes_are_seven_reports_on_their_lines() -> None:
    found = parse(SEVEN, "x.loom").diagnostics
    assert [each.span.line for each in found] == [3, 5, 7, 9, 14, 17, 21]


@pytest.mark.parametrize("mistake", ["%", "= =", "}", "{", '"open', "12ab", "when", "else", ",", "and"])
@pytest.mark.parametrize("line", range(2, 18))
def test_one_mistake_anywhere_gives_few_reports_near_it(mistake: str, line: int) -> None:
    lines = CORRECT.splitlines()
    lines[line] += f" {mistake}"
    parsed = parse("\n".join(lines), "x.loom")
    if parsed.tree is None:
        assert 1 <= len(parsed.diagnostics) <= 3
        nearest = min(abs(each.span.line - (line + 1)) for each in parsed.diagnostics)
        assert nearest <= (20 if mistake in "{}" else 1)


CORRECT = """\
enum Speed { mbps_100 mbps_500 }
product FiberInternet "Fiber Internet" {
  speed      Speed   = mbps_100
  static_ip  boolean = false
  contains   Router 1..1
}
decompose FiberInternet into Access {
  when speed == mbps_100
  downstream = 100
}
plan P for Access on add {
  call one {
    operation inventory.reserve
    after two
  }
  manual two { due 2 business days }
  milestone three { after one }
}
queue noc fallout { sla 4h }
"""


def test_the_correct_text_is_correct() -> None:
    assert parse(CORRECT, "x.loom").diagnostics == ()


def test_the_block_behind_a_bad_header_is_read() -> None:
    source = "plan P on add for X {\n  call a {\n    operation a.b\n    set x 5\n  }\n}\nqueue q { sla 10 }\n"
    assert [each.span.line for each in parse(source, "x.loom").diagnostics] == [1, 4, 7]


REJECT = 'reject "x" on A when '

HOSTILE = {
    "nothing": ("", 0),
    "blanks": (" \n\t\r\n", 0),
    "a byte order mark": ("\ufeffenum A { }", 0),
    "open parentheses": (REJECT + "(" * 10_000, 1),
    "parentheses": (REJECT + "(" * 10_000 + "x" + ")" * 10_000, 1),
    "nots": (REJECT + "not " * 20_000 + "x", 1),
    "minuses": (REJECT + "-" * 20_000 + "x", 1),
    "a long sum": (REJECT + "x" + " + x" * 20_000, 1),
    "lists of lists": ("product X { a " + "list of " * 10_000 + "string }", 1),
    "cases": (REJECT + "case x { a: " * 5_000, 1),
    "NUL bytes": ("\0" * 1000, 1),
    "surrogates": ("enum A { \ud800 }", 1),
    "quotes": ('"' * 10_000, 1),
    "braces": ("{" * 10_000, 1),
    "closing braces": ("}" * 10_000, 1),
    "many mistakes": ("product X { = }\n" * 5_000, 50),
    "open blocks": ("plan P for X {\n call x {\n" * 5_000, 50),
}


#: texts in which reading resumes at every turn
ENDLESS = {
    "blocks behind an error": "enum ) " + "{}" * 20_000,
    "headers to be completed": "plan ) { x } " * 20_000,
    "broken tasks": "plan P for X { call ) { x } " * 10_000,
    "opening blocks": "plan P for X {" + "( { " * 20_000,
    "words": "queue " * 50_000,
    "braces that cannot close": "enum A {\n" + "}\n" * 20_000,
}


@pytest.mark.parametrize("name", ENDLESS)
def test_reading_resumes_a_bounded_number_of_times(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resumed: list[tuple[int, int]] = []
    feed = Drive._feed_from

    def counted(drive: Drive, position: int) -> int | None:
        resumed.append((position, -len(drive.state.state_stack)))
        return feed(drive, position)

    monkeypatch.setattr(Drive, "_feed_from", counted)
    assert parse.__wrapped__(ENDLESS[name], "x.loom").diagnostics
    assert len(resumed) <= 20 * MAX_REPORTS
    assert all(later > earlier for earlier, later in pairwise(resumed))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text(name: str) -> None:
    text, reports = HOSTILE[name]
    parsed = parse(text, "x.loom")
    assert len(parsed.diagnostics) == reports
    assert (parsed.tree is None) == bool(reports)


def test_a_hundred_levels_are_fine() -> None:
    assert parse(REJECT + "(" * 99 + "x" + ")" * 99, "x.loom").diagnostics == ()


def test_a_file_of_a_megabyte() -> None:
    text = CORRECT * (1_000_000 // len(CORRECT))
    assert parse(text, "x.loom").diagnostics == ()


def test_a_file_that_is_too_large() -> None:
    (found,) = parse("#" * (MAX_CHARACTERS + 1), "x.loom").diagnostics
    assert found.code == "LM0011"
