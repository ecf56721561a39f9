"""Small parts of the host: order ids, the clock that hurries, typed values, JSON of views."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from orderloom.models.catalog import Action, Attribute, Enum
from orderloom.models.values import BOOLEAN, DATE, DECIMAL, INTEGER, STRING, Kind, Period, Type
from orderloom.runtime.acceleration import AcceleratedClock
from orderloom.runtime.errors import ValuesRefused
from orderloom.runtime.forms import read_form, read_values
from orderloom.runtime.ids import keyed_order_id, new_order_id
from orderloom.runtime.views import Deployed, plain

ENUMS = {"Size": Enum(name="Size", title="", values=("small", "large"))}
FORM = (
    Attribute(name="serial", title="", type=STRING, required=True),
    Attribute(name="size", title="", type=Type(Kind.ENUM, "Size")),
    Attribute(name="fragile", title="", type=BOOLEAN, default=False),
    Attribute(name="level", title="", type=DECIMAL.maybe()),
    Attribute(name="day", title="", type=DATE),
)


def test_ids_sort_by_time_and_keys_give_the_same_one() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ids = [new_order_id(at + timedelta(seconds=number)) for number in range(50)]
    assert ids == sorted(ids)
    assert len({new_order_id(at) for _ in range(100)}) == 100
    assert keyed_order_id("a") == keyed_order_id("a") != keyed_order_id("b")


def test_a_form_is_read_with_its_types_and_defaults() -> None:
    given = {"serial": "S-1", "size": "large", "level": "-18.5", "day": "2026-03-01"}
    assert read_form(FORM, given, ENUMS) == {
        "serial": "S-1",
        "size": "large",
        "level": Decimal("-18.5"),
        "day": date(2026, 3, 1),
        "fragile": False,
    }


def test_every_wrong_value_is_told() -> None:
    given = {"size": "huge", "fragile": "maybe", "level": "NaN", "day": "soon", "colour": "red", "serial": None}
    with pytest.raises(ValuesRefused) as refused:
        read_form(FORM, given, ENUMS)
    found = {each.path: (each.found, each.expected) for each in refused.value.problems}
    assert found["size"] == ("`'huge'`", "one of small, large")
    assert found["fragile"] == ("`'maybe'`", "boolean")
    assert found["serial"] == ("nothing", "string")
    assert found["colour"][1] == "one of serial, size, fragile, level, day"
    assert set(found) == set(given)
    with pytest.raises(ValuesRefused, match="expected one of"):
        read_values({each.name: each for each in FORM}, {}, ENUMS)


def test_the_clock_hurries_and_skips() -> None:
    clock = AcceleratedClock(1000)
    start = clock.now()
    asyncio.run(clock.wait(asyncio.Event(), 20))
    assert clock.now() - start >= timedelta(seconds=20)
    clock.skip_to(start + timedelta(days=1))
    assert timedelta(days=1) <= clock.now() - start < timedelta(days=2)
    clock.skip_to(start)
    assert clock.now() - start >= timedelta(days=1)
    with pytest.raises(ValueError, match="at least as fast"):
        AcceleratedClock(0.5)


def test_views_are_written_as_json() -> None:
    deployed = Deployed(name="a", version="1", digest="d", fresh=True)
    found = plain({"view": deployed, "values": (Decimal("1.10"), Period(3), INTEGER, Action.ADD, frozenset("ba"), 1.5)})
    assert json.loads(json.dumps(found)) == {
        "view": {"name": "a", "version": "1", "digest": "d", "fresh": True},
        "values": ["1.10", "P3M", "integer", "add", ["a", "b"], 1.5],
    }
