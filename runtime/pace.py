"""How fast things may go: so many a second, a minute or an hour."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_UNITS = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*([smh])\Z")
_SHORTEST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """One each so often."""

    interval: timedelta

    @classmethod
    def of(cls, number: float, unit: timedelta = _UNITS["s"]) -> Pace:
        """So many in such a span. Raises ValueError for none or less."""
        if not number > 0:
            raise ValueError(f"expected more than 0, found {number:g}")
        return cls(max(unit / number, _SHORTEST))

    @classmethod
    def read(cls, text: str) -> Pace:
        """`10/s`, `30/m` or `5/h`; a number alone is one a second. Raises ValueError."""
        found = _WRITTEN.match(text.strip() if "/" in text else f"{text.strip()}/s")
        if found is None:
            raise ValueError(f"expected a pace like `10/s`, `30/m` or `5/h`, found `{text[:40]}`")
        return cls.of(float(found[1]), _UNITS[found[2]])

    def __str__(self) -> str:
        for name, unit in _UNITS.items():
            number = unit / self.interval
            if number >= 1 or name == "h":
                return f"{number:.6g}/{name}"
        raise AssertionError(self.interval)
