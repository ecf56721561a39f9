"""Retry policies give pauses: by kind, capped, spread the same way every time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderloom.engine.advance.retry import LONGEST, pause
from orderloom.models.tasks import RetryKind, RetryPolicy


@pytest.mark.parametrize(
    ("kind", "retries", "seconds", "fields", "expected"),
    [
        ("none", 0, (), {}, [None]),
        ("fixed", 2, (5,), {}, [5, 5, None]),
        ("staggered", 3, (10, 60, 600), {}, [10, 60, 600, None]),
        ("exponential", 5, (1,), {"cap": timedelta(seconds=5)}, [1, 2, 4, 5, 5, None]),
        ("forever", None, (7,), {}, [7] * 50),
    ],
)
def test_pauses(
    kit: Any, kind: str, retries: int | None, seconds: tuple[int, ...], fields: Any, expected: list[int | None]
) -> None:
    policy = kit.retry(kind, retries, *seconds, **fields)
    found = [pause(policy, n, "k") for n in range(len(expected))]
    assert found == [None if each is None else timedelta(seconds=each) for each in expected]


def test_no_policy_is_no_retry() -> None:
    assert pause(None, 0, "k") is None


@given(
    retries=st.integers(0, 10_000),
    jitter=st.integers(0, 100),
    key=st.text(max_size=20),
    base=st.integers(1, 10**7),
    asked=st.floats(allow_nan=True, allow_infinity=True),
)
def test_pauses_are_bounded_and_the_same_for_the_same_key(
    retries: int, jitter: int, key: str, base: int, asked: float
) -> None:
    policy = RetryPolicy(kind=RetryKind.EXPONENTIAL, retries=None, intervals=(timedelta(seconds=base),), jitter=jitter)
    found = pause(policy, retries, key, asked)
    assert found == pause(policy, retries, key, asked)
    assert found is not None
    assert timedelta(0) <= found <= LONGEST
    if asked > 0:
        assert found >= min(timedelta(seconds=min(asked, 10**6)), LONGEST)
