"""Plays scenario files together: what does not hold, and what they try of each design."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orderloom.engine.simulation import Coverage, ScenarioResult, Summary, play, summarise, summary_text
from orderloom.models.design import Design
from orderloom.runtime.scenarios.reading import ScenarioRefused, read_scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteResult:
    """What became of a set of scenario files."""

    #: by file, of those that could be played
    results: Mapping[str, ScenarioResult]
    #: by file, what is wrong with those that could not
    refused: Mapping[str, tuple[str, ...]]
    #: one for each design that has scenarios
    summaries: tuple[Summary, ...]

    @property
    def holds(self) -> bool:
        """Whether every file could be played and every expectation holds."""
        return not self.refused and all(result.holds for result in self.results.values())


def play_suite(files: Iterable[Path], root: Path | None = None) -> SuiteResult:
    """Plays the files; they are named as seen from `root`."""
    results: dict[str, ScenarioResult] = {}
    refused: dict[str, tuple[str, ...]] = {}
    designs: dict[str, Design] = {}
    coverages: dict[str, list[Coverage]] = {}
    for file in files:
        name = str(file.relative_to(root)) if root else str(file)
        try:
            scenario = read_scenario(file, name)
        except ScenarioRefused as refusal:
            refused[name] = refusal.problems
            continue
        results[name] = play(scenario)
        design = scenario.program.design
        designs[design.digest] = design
        coverages.setdefault(design.digest, []).append(results[name].coverage)
    summaries = tuple(summarise(designs[digest], found) for digest, found in coverages.items())
    return SuiteResult(results=results, refused=refused, summaries=summaries)


def suite_text(suite: SuiteResult) -> str:
    """What does not hold, then the summaries, as lines of text."""
    return "\n".join(_lines(suite))


def _lines(suite: SuiteResult) -> Iterator[str]:
    for problems in suite.refused.values():
        yield from problems
    for result in suite.results.values():
        if not result.holds:
            yield f"`{result.name}` does not hold"
            yield from (f"  {finding}" for finding in result.findings)
    held = sum(result.holds for result in suite.results.values())
    yield f"{held} of {len(suite.results) + len(suite.refused)} scenarios hold"
    for summary in suite.summaries:
        yield ""
        yield summary_text(summary)
