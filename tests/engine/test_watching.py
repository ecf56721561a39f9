"""Watch rules against a plain count over everything that ever happened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orderloom.engine import watching
from orderloom.engine.watching import Firing, Occurrence, Windows, count_at, highest, observe
from orderloom.models.watching import Notify, Watched, WatchKey, WatchRule

START = datetime(2026, 6, 1, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def rule(**changes: object) -> WatchRule:
    given: dict[str, object] = {
        "name": "storm",
        "title": "Storm",
        "watched": Watched.FAILURES,
        "count": 3,
        "within": 10 * SECOND,
        "connector": "sys",
        "actions": (Notify(name="noc"),),
    }
    return WatchRule(**(given | changes))  # type: ignore[arg-type]  # as a test gives them


def failure(second: float, **changes: object) -> Occurrence:
    given: dict[str, object] = {"connector": "sys", "operation": "sys.go", "order": "O-1", "account": "A-1"}
    return Occurrence(watched=Watched.FAILURES, at=START + second * SECOND, **(given | changes))  # type: ignore[arg-type]  # as a test gives them


rules = st.builds(
    rule,
    count=st.integers(1, 6),
    within=st.integers(1, 12).map(lambda seconds: seconds * SECOND),
    per=st.sampled_from([None, WatchKey.ACCOUNT, WatchKey.ORDER]),
    error=st.sampled_from(["", "BUSY"]),
    connector=st.sampled_from(["sys", "other"]),
)
#: steps between occurrences, some back: a clock that was set back
happening = st.lists(
    st.tuples(
        st.integers(-2, 6),
        st.sampled_from(["O-1", "O-2", "O-3"]),
        st.sampled_from(["", "BUSY"]),
        st.sampled_from(["sys", "other"]),
    ),
    max_size=60,
)


@given(rules, happening)
def test_it_fires_exactly_when_a_plain_count_comes_to_n_from_below(
    found: WatchRule, steps: list[tuple[int, str, str, str]]
) -> None:
    windows, fired, expected, second = Windows(), [], [], 0
    #: everything that ever was counted, by key
    past: dict[str, list[datetime]] = {}
    for step, order, error, connector in steps:
        second += step
        account = "A-1" if order != "O-3" else "A-2"
        happened = failure(second, order=order, account=account, error=error, connector=connector)
        fired += [(each.key, each.at) for each in observe([found], windows, happened)]
        if connector != found.connector or (found.error and error != found.error):
            continue
        key = {None: "", WatchKey.ACCOUNT: account, WatchKey.ORDER: order}[found.per]
        mine = past.setdefault(key, [])
        at = max([happened.at, *mine])
        below = sum(at - each <= found.within for each in mine) < found.count
        mine.append(at)
        if below and sum(at - each <= found.within for each in mine) >= found.count:
            expected.append((key, at))
        assert len(windows.seen[found.name][key]) <= found.count
        assert count_at(found, windows.seen[found.name][key], at) == min(
            found.count, sum(at - each <= found.within for each in mine)
        )
    assert fired == expected


def test_both_ends_of_the_time_belong_to_it() -> None:
    windows = Windows()
    assert not observe([rule(count=2)], windows, failure(0))
    (fired,) = observe([rule(count=2)], windows, failure(10, order="O-2"))
    assert fired == Firing(rule="storm", key="", at=START + 10 * SECOND, count=2, orders=("O-1", "O-2"))
    assert not observe([rule(count=2)], Windows(), failure(10.1))


def test_it_fires_once_in_a_storm_and_again_after_it() -> None:
    windows = Windows()
    fired = [second for second in range(20) if observe([rule()], windows, failure(second))]
    assert fired == [2]
    # at 20 seconds of quiet the count has fallen
    fired = [second for second in (40, 41, 42, 43) if observe([rule()], windows, failure(second))]
    assert fired == [42]


def test_one_in_any_time_fires_each_time_that_it_was_quiet_before() -> None:
    windows = Windows()
    fired = [second for second in (0, 5, 16, 17, 28) if observe([rule(count=1)], windows, failure(second))]
    assert fired == [0, 16, 28]


def test_each_kind_of_rule_counts_its_own() -> None:
    late = Occurrence(watched=Watched.BREACHES, at=START, queue="desk")
    lost = Occurrence(watched=Watched.FALLOUT, at=START, queue="noc", error="X")
    assert watching.counts(rule(connector="", operation="sys.go"), failure(0))
    assert not watching.counts(rule(connector="", operation="sys.stop"), failure(0))
    assert watching.counts(rule(connector="", tasks=("P.a", "P.b")), failure(0, task="P.b"))
    assert not watching.counts(rule(connector="", tasks=("P.a",)), failure(0, task="P.b"))
    assert watching.counts(rule(connector="", watched=Watched.BREACHES, queue="desk"), late)
    assert not watching.counts(rule(connector="", watched=Watched.WARNINGS, queue="desk"), late)
    assert watching.counts(rule(connector="", watched=Watched.FALLOUT, queue="noc", error="X"), lost)
    assert not watching.counts(rule(connector="", watched=Watched.FALLOUT, queue="noc", error="Y"), lost)


def test_of_too_many_keys_those_quiet_longest_are_forgotten() -> None:
    windows, each = Windows(), rule(per=WatchKey.ORDER)
    for number in range(watching.MOST_KEYS + 5):
        observe([each], windows, failure(number / 10_000, order=f"O-{number}"))
    assert len(windows.seen["storm"]) == watching.MOST_KEYS
    assert "O-4" not in windows.seen["storm"] and "O-5" in windows.seen["storm"]
    assert windows.changed["storm", "O-0"] is False and windows.changed["storm", "O-9"] is True
    assert highest(each, windows.seen["storm"], START + 2 * SECOND)[1] == 1
