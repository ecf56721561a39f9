"""Words for customers, with values in them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from orderloom.models.values import Value
from orderloom.models.visible import filled, names_in


def test_names_are_attributes_in_braces() -> None:
    assert names_in("{a} and {b_2}, not { c }, {} or {3}") == ["a", "b_2"]
    assert names_in("nothing") == []


def test_values_stand_in_place_of_names() -> None:
    values: dict[str, Value] = {
        "day": date(2026, 3, 1),
        "rate": Decimal("19.90"),
        "tags": ("a", "b"),
        "fast": True,
        "none": None,
    }
    assert filled("{day} {rate} {tags} {fast} {none} {gone} { day }", values) == "2026-03-01 19.90 a, b yes … … { day }"
    assert filled("{a}", {"a": "{day}", "day": "never read"}) == "{day}"
