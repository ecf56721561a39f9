"""What a misspelt name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

#: how many candidates a help text lists at most
LISTED = 8


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate most like `name`, or None if none is near; ties go to the first in alphabetical order."""
    spelt = {candidate.lower(): candidate for candidate in sorted(candidates, reverse=True)}
    matches = get_close_matches(name.lower(), sorted(spelt), n=1, cutoff=0.6)
    return spelt[matches[0]] if matches else None


def suggestion(name: str, candidates: Iterable[str], *, what: str) -> str:
    """A help text for an unknown name: the nearest candidate, else those there are."""
    known = sorted(set(candidates))
    near = nearest(name, known)
    if near is not None:
        return f"did you mean `{near}`?"
    if not known:
        return f"there is no {what} here"
    return f"known here: {listing(known)}"


def listing(names: Iterable[str]) -> str:
    """Names in backticks, the first few of many."""
    known = list(names)
    text = ", ".join(f"`{name}`" for name in known[:LISTED])
    return text + (f" and {len(known) - LISTED} more" if len(known) > LISTED else "")
