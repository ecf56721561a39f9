"""The cache of compiled designs: used when it can be trusted, and never a reason to fail."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from orderloom.dsl import compiler
from orderloom.dsl.bundle import Sources, read_folder
from orderloom.dsl.cache import cache_folder, compile_cached
from orderloom.models.design import Design
from orderloom.models.source import Diagnostic, Severity, Span

BUNDLE = Path(__file__).parent / "language"


@pytest.fixture
def sources() -> Sources:
    read = read_folder(BUNDLE)
    assert read.sources is not None
    return read.sources


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of what was really compiled."""
    done: list[str] = []
    real = compiler.compile_bundle

    def counted(sources: Sources) -> compiler.Compiled:
        done.append(sources.digest)
        return real(sources)

    monkeypatch.setattr(compiler, "compile_bundle", counted)
    return done


def the_file() -> Path:
    (found,) = cache_folder().glob("*.design")
    return found


def test_second_time_comes_from_the_cache(sources: Sources, compilations: list[str]) -> None:
    first = compile_cached(sources)
    second = compile_cached(sources)
    assert first == second
    assert first.design is not None
    assert compilations == [sources.digest]
    assert cache_folder().stat().st_mode & 0o777 == 0o700
    assert the_file().stat().st_mode & 0o077 == 0


def test_what_others_could_write_is_not_read(sources: Sources, compilations: list[str]) -> None:
    compile_cached(sources)
    the_file().chmod(0o622)
    compile_cached(sources)
    the_file().chmod(0o600)
    cache_folder().chmod(0o777)
    compile_cached(sources)
    assert len(compilations) == 3


def test_links_are_not_followed(sources: Sources, compilations: list[str], tmp_path: Path) -> None:
    compile_cached(sources)
    the_file().rename(tmp_path / "elsewhere")
    (cache_folder() / "x").touch()
    compile_cached(sources)
    name = the_file()
    name.unlink()
    name.symlink_to(tmp_path / "elsewhere")
    compile_cached(sources)
    assert len(compilations) == 3


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps("something else"), pickle.dumps((1, 2))])
def test_damaged_files_are_replaced(sources: Sources, compilations: list[str], content: bytes) -> None:
    whole = compile_cached(sources)
    the_file().write_bytes(content)
    assert compile_cached(sources) == whole
    assert compile_cached(sources) == whole
    assert len(compilations) == 2


def test_without_a_place_for_it_the_bundle_is_compiled(sources: Sources, compilations: list[str]) -> None:
    cache_folder().parent.mkdir()
    cache_folder().write_text("a file where the folder should be")
    assert compile_cached(sources).design is not None
    assert compile_cached(sources).design is not None
    assert len(compilations) == 2


def test_what_further_checks_find_is_kept_too(sources: Sources) -> None:
    asked: list[str] = []

    def further(design: Design) -> tuple[Diagnostic, ...]:
        asked.append(design.name)
        return (Diagnostic(code="LM6006", message="m", span=Span("x", 0, 0, 1, 1), severity=Severity.WARNING),)

    first = compile_cached(sources, further)
    assert compile_cached(sources, further) == first
    assert len(asked) == 1
    assert first.design is not None
    assert first.diagnostics[-1].code == "LM6006"
    assert compile_cached(sources).diagnostics == first.diagnostics[:-1]


def test_an_error_of_a_further_check_leaves_no_design(sources: Sources) -> None:
    def further(design: Design) -> tuple[Diagnostic, ...]:
        return (Diagnostic(code="LM6001", message="m", span=Span("x", 0, 0, 1, 1)),)

    assert compile_cached(sources, further).design is None
