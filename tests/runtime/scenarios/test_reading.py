"""What is wrong with a scenario is told with file, line and the nearest name; what does not hold, with the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderloom.engine.simulation import ScenarioResult, play, summarise, summary_text
from orderloom.runtime.scenarios import ScenarioRefused, play_suite, read_scenario, suite_text

SOUND = """\
name: a line
design: |
  product Line { speed integer = 10 }
  connector net simulator { }
  operation net.dial { }
  queue desk { }
  plan Start for Line on add {
    manual ask { queue desk  collect { name string required } }
    call dial { operation net.dial  after ask }
  }
order: {items: [{add: Line}]}
expect:
  order: completed
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, text: str) -> ScenarioResult:
    file = folder / "line.yaml"
    file.write_text(text)
    return play(read_scenario(file))


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ScenarioRefused) as caught:
        read(folder, text)
    return caught.value.problems


def test_a_sound_scenario_holds_however_often_it_is_played(folder: Path) -> None:
    file = folder / "line.yaml"
    file.write_text(SOUND)
    scenario = read_scenario(file)
    first, second = play(scenario), play(scenario)
    assert first.holds
    assert [each.journal for each in first.results] == [each.journal for each in second.results]


def test_ids_of_items_need_no_quotes(folder: Path) -> None:
    text = SOUND.replace("{add: Line}", "{add: Line}, {add: Phone, relies_on: 1}")
    phone = "integer = 10 }\n  product Phone { relies on Line }"
    assert read(folder, text.replace("integer = 10 }", phone)).holds


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("poeple: {}", "line.yaml:14: unknown key `poeple`; did you mean `people`?"),
        ("people: {asc: {after: 1h}}", "line.yaml:14: no task is called `asc`; did you mean `ask`?"),
        (
            "people: {ask: {values: {nme: x}}}",
            "line.yaml:14: unknown field of the form `nme` in `people.ask.values`; did you mean `name`?",
        ),
        (
            "people: {ask: {after: 26}}",
            "line.yaml:14: `people.ask.after`: expected a duration, e.g. `1h30m`, found `26`",
        ),
        (
            "systems: {net.dail: [{outcome: fatal}]}",
            "line.yaml:14: no operation is called `net.dail`; did you mean `net.dial`?",
        ),
        (
            "systems: {net.dial: [{outcome: fatally}]}",
            "line.yaml:14: no outcome is called `fatally`; did you mean `fatal`?",
        ),
        (
            "systems: {net.dial: [{status: 500}]}",
            "line.yaml:14: `net.dial` has no request template, so its answers say `outcome`",
        ),
        (
            "actions: [{after: 1h, retri: dial}]",
            "line.yaml:14: unknown action `retri` in `actions[0]`; did you mean `retry`?",
        ),
        (
            "actions: [{retry: dial}]",
            "line.yaml:14: `actions[0]`: expected `after` (time since the submission) or `at` (an instant), "
            "found a mapping",
        ),
        (
            "actions: [{after: 1h, cancel: ['2']}]",
            "line.yaml:14: no item of the order is called `2`; known here: `1`",
        ),
        ("orders: []", "line.yaml:1: expected either an `order`, or `orders` one after the other"),
        (
            "inventory: [{id: A, spec: Lin}]",
            "line.yaml:14: no product, service or resource is called `Lin`; did you mean `Line`?",
        ),
        ("events: [{event: boo, after: 1h}]", "line.yaml:14: no event of a wait is called `boo`;"),
        ("name: again", "line.yaml:14: `name` is there twice"),
        ("people: [", "line.yaml:15: no YAML: "),
    ],
)
def test_a_slip_is_told_with_its_place(folder: Path, key: str, told: str) -> None:
    found = problems(folder, SOUND + key + "\n")
    place, _, words = told.partition(" ")
    assert any(each.startswith(place) and words in each for each in found), found


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        ("ordre: completed", "unknown expectation `ordre` in `expect`; did you mean `order`?"),
        ("order: complete", "no state of an order is called `complete`; did you mean `completed`?"),
        (
            "tasks: {dial: {state: done}}",
            "no state of a task is called `done`;",
        ),
        ("tasks: {dial: {attempt: 1}}", "did you mean `attempts`?"),
        ("tasks: {dial: {after: aks}}", "no task is called `aks`; did you mean `ask`?"),
        ("lines: {Line: {sped: 1}}", "did you mean `speed`?"),
        ("lines: {Line: {speed: fast}}", "`expect.lines.Line.speed`: "),
        ("lines: {Lien: absent}", "did you mean `Line`?"),
        ("lines: {Line: gone}", "expected `absent`, a mapping, or a list of mappings, found `gone`"),
        ("calls: {net.dialer: 1}", "did you mean `net.dial`?"),
        ("at: {soon: {order: pending}}", "expected a duration, e.g. `1h30m`, found `soon`"),
        ("changes: [{tasks: {dial: revert}}]", "no decision is called `revert`;"),
    ],
)
def test_a_slip_in_an_expectation_is_told_with_its_place(folder: Path, expectation: str, told: str) -> None:
    (found,) = problems(folder, SOUND.replace("order: completed", expectation))
    assert found.startswith("line.yaml:13: ")
    assert told in found


def test_an_error_in_a_design_in_place_is_told_at_its_line(folder: Path) -> None:
    found = problems(folder, SOUND.replace("after ask", "after aks"))
    assert [each.split(" ", 1)[0] for each in found] == ["line.yaml:9:"]


def test_all_slips_are_told_at_once(folder: Path) -> None:
    text = SOUND.replace("order: completed", "order: done") + "people: {asc: {}}\nactions: [{after: 1}]\n"
    assert len(problems(folder, text)) == 3


@pytest.mark.parametrize(
    ("expectation", "told"),
    [
        ("order: failed", "expected the order to be failed, found completed"),
        ("lines: {Line: {speed: 11}}", "line `1`: expected `speed` `11`, found `10`"),
        ("lines: {Line: absent}", "expected no line `Line`, found 1: `1`"),
        ("lines: {Line: {count: 2}}", "expected 2 line `Line`, found 1: `1`"),
        ("tasks: {ask: {by: nobody}}", "task `1/Start.ask`: expected `by` `nobody`, found `somebody`"),
        ("tasks: {ask: {after: dial}}", "task `1/Start.ask`: expected it after `1/Start.dial`, found started "),
        ("tasks: {ask: {finished: 2h}}", "task `1/Start.ask`: expected `finished` `2h`, found `1h`"),
        (
            "inventory: {Line: {state: suspended}}",
            "inventory item `O-1:1`: expected `state` `suspended`, found `active`",
        ),
        ("calls: {net.dial: 2}", "expected 2 calls of `net.dial`, found 1"),
        ("callouts: []", "expected the callouts nothing, found `net.dial`"),
        ("journal: [fireworks]", "expected the journal to tell `fireworks`, found no such entry"),
        ("published: [hello]", "expected published: `hello`, found nothing"),
        ("refused: [never]", "expected refused: `never`, found nothing"),
        ("took: 1d", "expected the order to take 1d, found 1h"),
        ("reasons: [too far]", "expected the reason `too far`, found nothing"),
        (
            "at: {30m: {order: completed}}",
            "30m after the submission, expected the order to be completed, ",
        ),
        ("changes: [{tasks: {dial: undo}}]", "expected at least 1 change, found 0"),
    ],
)
def test_what_does_not_hold_is_told(folder: Path, expectation: str, told: str) -> None:
    result = read(folder, SOUND.replace("order: completed", expectation))
    (finding,) = result.findings
    assert finding.place == "line.yaml:13"
    assert finding.message.startswith(told)
    assert str(finding).startswith(f"line.yaml:13: {told}")


def test_a_finding_shows_what_the_journal_tells_of_it(folder: Path) -> None:
    (finding,) = read(folder, SOUND.replace("order: completed", "tasks: {dial: {attempts: 2}}")).findings
    assert finding.excerpt[-1] == "+1h task.state 1/Start.dial: running → completed (the external system has done it)"
    assert all("1/Start.dial" in line for line in finding.excerpt)


def test_what_is_refused_unexpectedly_is_a_finding(folder: Path) -> None:
    (finding,) = read(folder, SOUND + "actions: [{after: 10m, retry: dial}]\n").findings
    assert finding.message.startswith("expected refused: nothing, found `refused: no task `dial` is in fallout`")


def test_a_summary_tells_what_is_untried(folder: Path) -> None:
    file = folder / "line.yaml"
    text = SOUND.replace("order: completed", "order: pending") + "people: {ask: never}\n"
    file.write_text(text)
    scenario = read_scenario(file)
    result = play(scenario)
    assert result.holds
    summary = summarise(scenario.program.design, [result.coverage])
    shares = {share.what: share for share in summary.shares}
    assert shares["tasks"].untried == ("Start.ask", "Start.dial")
    assert shares["plans"].tried == shares["plans"].total == 1
    text = summary_text(summary)
    assert "tasks        0 of    2    0 %" in text
    assert "untried tasks: Start.ask, Start.dial" in text


def test_a_suite_tells_what_fails_what_cannot_be_played_and_what_is_tried(folder: Path) -> None:
    texts = {"good": SOUND, "bad": SOUND.replace("order: completed", "order: failed"), "wrong": SOUND + "x: 1\n"}
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    suite = play_suite(sorted(folder.glob("*.yaml")), folder)
    assert not suite.holds
    assert [name for name, result in suite.results.items() if result.holds] == ["good.yaml"]
    assert list(suite.refused) == ["wrong.yaml"]
    text = suite_text(suite)
    assert "wrong.yaml:14: unknown key `x`" in text
    assert "bad.yaml:13: expected the order to be failed, found completed" in text
    assert "1 of 3 scenarios hold" in text
    assert "scenario: 2 scenarios" in text
    assert "  tasks        2 of    2  100 %" in text
