"""The examples of the language compile to the design that is written down in `language.expected`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from orderloom.dsl.bundle import read_files, read_folder
from orderloom.dsl.compiler import compile_bundle
from orderloom.models.design import Design
from orderloom.models.source import Severity, Span

HERE = Path(__file__).parent
EXPECTED = HERE / "language.expected"


def compiled(folder: Path) -> Design:
    read = read_folder(folder)
    assert read.sources is not None, read.diagnostics
    result = compile_bundle(read.sources)
    assert result.diagnostics == ()
    assert result.design is not None
    return result.design


def outline(name: str, value: object, depth: int = 0) -> Iterator[str]:
    """A value as indented lines; places in the source and fields that have their usual value are left out."""
    margin = "  " * depth
    if isinstance(value, Mapping) and value:
        yield f"{margin}{name}"
        for key, each in value.items():
            yield from outline(str(key), each, depth + 1)
    elif is_dataclass(value) and not isinstance(value, type):
        yield f"{margin}{name}: {type(value).__name__}"
        for field in fields(value):
            found = getattr(value, field.name)
            usual = field.default_factory() if field.default_factory is not MISSING else field.default
            if isinstance(found, Span) or field.name == "digest":
                continue
            if field.name == "type":
                yield f"{margin}  type: {found}"
            elif found != usual:
                yield from outline(field.name, found, depth + 1)
    elif isinstance(value, tuple) and value:
        yield f"{margin}{name}"
        for place, each in enumerate(value):
            yield from outline(str(place), each, depth + 1)
    elif isinstance(value, frozenset):
        yield f"{margin}{name}: {sorted(value)}"
    else:
        yield f"{margin}{name}: {value if isinstance(value, Enum) else repr(value)}"


def test_examples_of_the_language() -> None:
    found = "\n".join(outline("design", compiled(HERE / "language"))) + "\n"
    if "ORDERLOOM_WRITE_EXPECTED" in os.environ and not EXPECTED.exists():
        EXPECTED.write_text(found)
    assert found == EXPECTED.read_text()


FILES = {
    path.relative_to(HERE / "language").as_posix(): path.read_text()
    for path in (HERE / "language").rglob("*")
    if path.is_file()
}
LINES = FILES["design.loom"].splitlines()


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, len(LINES) - 1), max_size=6))
def test_same_sources_give_the_same_outcome(dropped: set[int]) -> None:
    """Whatever lines are missing: no exception, the same findings twice, a design exactly where there is no error."""
    text = "\n".join(line for place, line in enumerate(LINES) if place not in dropped)
    read = read_files({**FILES, "design.loom": text})
    if read.sources is None:
        return
    first, second = compile_bundle(read.sources), compile_bundle(read.sources)
    assert first == second
    assert (first.design is None) is any(found.severity is Severity.ERROR for found in first.diagnostics)


def test_files_in_another_order_give_the_same_names() -> None:
    declarations = FILES["design.loom"].split("\nplan ", 1)
    parts = {**FILES, "design.loom": declarations[0], "a_first.loom": "plan " + declarations[1]}
    read = read_files(parts)
    assert read.sources is not None, read.diagnostics
    design = compile_bundle(read.sources).design
    assert design is not None
    whole = compiled(HERE / "language")
    assert set(design.plans) == set(whole.plans)
    assert {rule.id for rule in design.rules} == {rule.id for rule in whole.rules}
