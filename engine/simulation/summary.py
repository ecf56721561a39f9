"""What a suite of scenarios tries of a design, and what it leaves untried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from orderloom.engine.simulation.coverage import Coverage, everything
from orderloom.models.design import Design


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of one kind of parts: how many there are, and the names of those that no scenario used."""

    #: rules, mappings, rows, plans or tasks
    what: str
    total: int
    untried: tuple[str, ...]

    @property
    def tried(self) -> int:
        return self.total - len(self.untried)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The coverage of one design by a suite."""

    design: str
    #: how many scenarios the suite has
    scenarios: int
    shares: tuple[Share, ...]


def summarise(design: Design, coverages: Iterable[Coverage]) -> Summary:
    """Adds up the coverages of the scenarios of one design."""
    tried, scenarios = Coverage(), 0
    for coverage in coverages:
        tried |= coverage
        scenarios += 1
    there = everything(design)
    untried = there.without(tried)
    shares = tuple(
        Share(what=each.name, total=len(getattr(there, each.name)), untried=tuple(sorted(getattr(untried, each.name))))
        for each in fields(Coverage)
    )
    return Summary(design=design.name, scenarios=scenarios, shares=shares)


def summary_text(summary: Summary) -> str:
    """The summary as lines of text: a table of shares, then what is untried."""
    return "\n".join(_lines(summary))


def _lines(summary: Summary) -> Iterator[str]:
    plural = "" if summary.scenarios == 1 else "s"
    yield f"{summary.design}: {summary.scenarios} scenario{plural}"
    for share in summary.shares:
        if share.total:
            percent = 100 * share.tried // share.total
            yield f"  {share.what:<9} {share.tried:>4} of {share.total:>4}  {percent:>3} %"
    for share in summary.shares:
        if share.untried:
            yield f"  untried {share.what}: {', '.join(share.untried)}"
