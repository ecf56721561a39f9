"""Values survive JSON; what is not of the wanted type is refused with what was found and expected."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.models.catalog import Enum
from orderloom.models.conversion import DIGITS, duration_text, from_json, to_json
from orderloom.models.values import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    PERIOD,
    STRING,
    Kind,
    Period,
    Type,
    Value,
)

SPEED = Enum(name="Speed", title="", values=("slow", "fast"))
ENUMS = {"Speed": SPEED}
SPEEDS = Type(Kind.ENUM, "Speed")

SCALARS: dict[Type, st.SearchStrategy[Value]] = {
    BOOLEAN: st.booleans(),
    INTEGER: st.integers(),
    DECIMAL: st.decimals(allow_nan=False, allow_infinity=False).filter(
        lambda value: value == 0 or abs(value.adjusted()) < DIGITS // 2
    ),
    STRING: st.text(),
    DATE: st.dates(),
    DATETIME: st.datetimes(timezones=st.just(UTC)),
    DURATION: st.timedeltas(min_value=timedelta(days=-100_000), max_value=timedelta(days=100_000)),
    PERIOD: st.builds(Period, st.integers(-1200, 1200)),
    SPEEDS: st.sampled_from(SPEED.values),
}


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[Type, Value]:
    kind = draw(st.sampled_from(list(SCALARS)))
    if draw(st.booleans()):
        return Type(Kind.LIST, item=kind), tuple(draw(st.lists(SCALARS[kind], max_size=4)))
    return kind, draw(SCALARS[kind])


@given(typed_values())
def test_values_survive_json(typed: tuple[Type, Value]) -> None:
    wanted, value = typed
    assert from_json(json.loads(json.dumps(to_json(value))), wanted, ENUMS) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.sampled_from([*SCALARS, Type(Kind.LIST, item=STRING)]),
)
def test_any_json_is_read_or_refused(found: object, wanted: Type) -> None:
    try:
        value = from_json(found, wanted, ENUMS)
    except ValueError as refusal:
        assert "expected" in str(refusal)
        assert "found" in str(refusal)
    else:
        assert value is not None
        assert from_json(to_json(value), wanted, ENUMS) == value


@pytest.mark.parametrize(
    ("found", "wanted", "message"),
    [
        ("medium", SPEEDS, "expected one of slow, fast, found 'medium'"),
        (True, INTEGER, "expected integer, found True"),
        (1.5, INTEGER, "expected integer, found 1.5"),
        ("tomorrow", DATE, "expected date such as `2026-01-31`, found 'tomorrow'"),
        ("4h", DURATION, "expected duration such as `P2DT4H`, found '4h'"),
        (None, STRING, "expected string, found nothing"),
        (["x"], Type(Kind.LIST, item=INTEGER), "expected list of integer, found ['x']"),
        ("2026-02-30", DATETIME, "expected datetime such as `2026-01-31T12:00:00Z`, found '2026-02-30'"),
    ],
)
def test_refusals_say_what_was_expected_and_found(found: object, wanted: Type, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        from_json(found, wanted, ENUMS)
    assert str(refusal.value) == message


def test_numbers_may_stand_as_strings() -> None:
    assert from_json("100", INTEGER, ENUMS) == 100
    assert from_json(0.1, DECIMAL, ENUMS) == Decimal("0.1")


@pytest.mark.parametrize("found", ["1E+999999999", "-1e400", "1e-401", Decimal("1E+999999999"), 10**400])
@pytest.mark.parametrize("wanted", [DECIMAL, INTEGER])
def test_numbers_too_long_to_be_written_out_are_refused(found: object, wanted: Type) -> None:
    with pytest.raises(ValueError, match=r"^expected (decimal of at most 400 digits|integer)"):
        from_json(found, wanted, ENUMS)


def test_the_longest_numbers_are_written_out_and_read_back() -> None:
    for value in (Decimal("9" * 400 + "." + "9" * 400), Decimal("-1E+399"), Decimal("1E-400"), Decimal("0E+100")):
        assert from_json(to_json(value), DECIMAL, ENUMS) == value
    assert from_json(10**400 - 1, INTEGER, ENUMS) == 10**400 - 1


def test_times_are_read_into_utc() -> None:
    assert from_json("2026-03-01T10:00:00+02:00", DATETIME, ENUMS) == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert from_json("2026-03-01", DATE, ENUMS) == date(2026, 3, 1)


def test_absent_is_allowed_where_the_type_says_so() -> None:
    assert from_json(None, STRING.maybe(), ENUMS) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(0), "PT0S"),
        (timedelta(days=1, hours=2), "P1DT2H"),
        (timedelta(seconds=1, milliseconds=500), "PT1.5S"),
        (timedelta(minutes=-90), "-PT1H30M"),
    ],
)
def test_durations_are_iso_8601(value: timedelta, text: str) -> None:
    assert duration_text(value) == text
