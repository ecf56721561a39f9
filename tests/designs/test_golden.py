"""Decomposition and plan of every sample order, held against golden files.

`pytest tests/designs --update-golden` writes them anew; read the difference before committing it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderloom.engine.orchestration import orchestrate
from orderloom.models.conversion import to_json
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.plan import Task

from .story import DESIGNS, NAMES, Chapter, program, story

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = [(name, file.stem) for name in NAMES for file in sorted((DESIGNS / name / "orders").glob("*.json"))]


@pytest.mark.parametrize(("name", "sample"), SAMPLES, ids=lambda value: value)
def test_decomposition_and_plan(name: str, sample: str, update_golden: bool) -> None:
    text = "\n".join(written(name, story(name)[sample])) + "\n"
    file = GOLDEN / name / f"{sample}.txt"
    if update_golden:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    assert file.is_file(), f"no golden file for {name}/{sample}; make it with --update-golden"
    assert text == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {(file.parent.name, file.stem) for file in GOLDEN.glob("*/*.txt")} == set(SAMPLES)


def written(name: str, chapter: Chapter) -> Iterator[str]:
    yield f"{chapter.order.id}: {chapter.order.description}"
    for problem in chapter.decomposition.problems:
        yield f"problem {problem.kind} of {problem.line}: {problem.message}"
    if chapter.decomposition.problems:
        return
    plan = orchestrate(program(name), chapter.order, chapter.decomposition.lines, chapter.before)
    assert plan.problems == ()
    yield "\nlines"
    for line in chapter.decomposition.lines.values():
        yield from written_line(line)
    yield "\ntasks"
    for task in plan.tasks:
        yield from written_task(task)


def written_line(line: Line) -> Iterator[str]:
    words = [line.id, line.spec, str(line.action)]
    if line.quantity != 1:
        words.append(f"× {line.quantity}")
    if line.context:
        words.append("(context)")
    yield "  " + " ".join(words)
    if line.parent:
        yield f"    under {line.parent}, root {line.root}"
    for source in line.sources:
        yield f"    from {source.line} by {source.rule}"
    for relation in line.relations:
        yield f"    {relation.kind} {relation.line}"
    for attribute in sorted(line.attributes):
        value = to_json(line.attributes[attribute])
        yield f"    {attribute} = {value!r}  {origin(line.provenance.get(attribute))}"
    for attribute in line.missing:
        yield f"    {attribute} comes later"


def origin(provenance: Provenance | None) -> str:
    assert provenance is not None, "every attribute has its provenance"
    if provenance.origin is Origin.RULE:
        return f"<- {provenance.by} of {provenance.source}: {provenance.text}"
    return f"<- {provenance.origin}"


def written_task(task: Task) -> Iterator[str]:
    yield f"  {task.id} ({task.kind})"
    for other in task.after:
        yield f"    after {other}"
    for attribute in task.needs:
        yield f"    after its {attribute}"
