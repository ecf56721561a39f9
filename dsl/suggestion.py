"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate nearest to a misspelt name, or None if none is near.

    Differences of case and of `_` do not count.
    """
    by_key: dict[str, str] = {}
    for candidate in sorted(candidates):
        by_key.setdefault(_key(candidate), candidate)
    close = get_close_matches(_key(name), by_key, n=1, cutoff=0.7)
    return by_key[close[0]] if close else None


def _key(name: str) -> str:
    return name.lower().replace("_", "")
