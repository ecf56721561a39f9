"""What customers are told of a task, `visible "words"`: `{name}` in it stands for an attribute of the task's line."""

from __future__ import annotations

import re
from collections.abc import Mapping

from orderloom.models.conversion import to_json
from orderloom.models.values import Value

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
#: stands for a value that is absent
ABSENT = "…"


def names_in(words: str) -> list[str]:
    """The attributes that the words name."""
    return _PLACE.findall(words)


def filled(words: str, attributes: Mapping[str, Value]) -> str:
    """The words with values in place of names."""
    return _PLACE.sub(lambda found: _text(attributes.get(found[1])), words) if "{" in words else words


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    if value is None:
        return ABSENT
    return ("yes" if value else "no") if isinstance(value, bool) else str(to_json(value))
