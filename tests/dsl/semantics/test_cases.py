"""Every semantic diagnostic: a small design that has the mistake, one that has not, and what is said about the first.

A case is three files in `cases/FAMILY/`: `CODE_name.loom` with the mistake, `CODE_name.clean.loom` without it, and
`CODE_name.expected` with code, message, help and the underlined text of all findings. To rewrite the expected files
after a change of wording, delete them and run the tests once with `ORDERLOOM_WRITE_EXPECTED=1`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from orderloom.dsl.bundle import read_files
from orderloom.dsl.compiler import Compiled, compile_bundle
from orderloom.dsl.diagnostics import CODES
from orderloom.models.source import Diagnostic, Severity, Span

HERE = Path(__file__).parent
CASES = sorted(path for path in (HERE / "cases").rglob("*.loom") if not path.name.endswith(".clean.loom"))
SHARED = {
    path.relative_to(HERE / "files").as_posix(): path.read_text()
    for path in (HERE / "files").rglob("*")
    if path.is_file()
}


def compiled(text: str) -> tuple[Compiled, Mapping[str, str]]:
    read = read_files({**SHARED, "case.loom": text})
    assert read.sources is not None, read.diagnostics
    return compile_bundle(read.sources), read.files


def shown(found: Diagnostic, files: Mapping[str, str]) -> str:
    lines = [
        f"{found.severity} {found.code} {found.message}",
        f"  at {found.span.file}:{found.span.line}: {underlined(found.span, files)!r}",
        f"  help: {found.help}",
        *(f"  label {underlined(label.span, files)!r}: {label.text}" for label in found.labels),
    ]
    return "\n".join(lines) + "\n"


def underlined(span: Span, files: Mapping[str, str]) -> str:
    return files[span.file][span.start : span.end]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_mistake_is_explained(path: Path) -> None:
    result, files = compiled(path.read_text())
    found = "".join(shown(each, files) for each in result.diagnostics)
    expected = path.with_suffix(".expected")
    if "ORDERLOOM_WRITE_EXPECTED" in os.environ and not expected.exists():
        expected.write_text(found)
    assert found == expected.read_text()
    assert {each.code for each in result.diagnostics} == {path.stem.split("_")[0]}
    failed = any(each.severity is Severity.ERROR for each in result.diagnostics)
    assert (result.design is None) is failed


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_without_the_mistake_nothing_is_said(path: Path) -> None:
    result, files = compiled(path.with_suffix(".clean.loom").read_text())
    assert not result.diagnostics, "".join(shown(each, files) for each in result.diagnostics)
    assert result.design is not None


def test_every_code_has_a_case() -> None:
    tried = {path.stem.split("_")[0] for path in CASES}
    semantic = {code for code in CODES if code[2] in "123459"}
    assert semantic == tried
