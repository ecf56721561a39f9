"""From the files of a bundle to a program that runs: reading, checking, and a library of what is deployed."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orderloom.connectors.templates.check import check_templates
from orderloom.dsl.bundle import BundleRead, read_files, read_folder
from orderloom.dsl.cache import compile_cached
from orderloom.engine.program import Program, compile_design
from orderloom.models.design import Design
from orderloom.models.source import Diagnostic, Severity
from orderloom.runtime.errors import Unreadable
from orderloom.runtime.store.interface import Bundles


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What checking a bundle found."""

    #: "" where `bundle.yaml` does not say
    name: str
    #: exactly when there is no error
    design: Design | None
    diagnostics: tuple[Diagnostic, ...]
    #: path -> text, all files of the bundle
    files: Mapping[str, str]


def check_folder(path: str | Path) -> Checked:
    """Reads a bundle from its folder and checks all of it. Raises Unreadable where there is no such folder."""
    folder = Path(path)
    if not folder.is_dir():
        raise Unreadable(path=path, why="no such folder" if not folder.exists() else "not a folder")
    return _checked(read_folder(folder))


def check_files(files: Mapping[str, str]) -> Checked:
    """The same for the files of a bundle, path -> text."""
    return _checked(read_files(files))


def _checked(read: BundleRead) -> Checked:
    if read.sources is None:
        return Checked(name="", design=None, diagnostics=read.diagnostics, files=read.files)
    compiled = compile_cached(read.sources, check_templates)
    diagnostics = (*read.diagnostics, *compiled.diagnostics)
    sound = not any(found.severity is Severity.ERROR for found in diagnostics)
    design = compiled.design if sound else None
    return Checked(name=read.sources.name, design=design, diagnostics=diagnostics, files=read.files)


class Library:
    """The designs and programs of deployed bundles, compiled once each. Safe to use from several threads."""

    def __init__(self, bundles: Bundles) -> None:
        self._bundles = bundles
        self._designs: dict[str, Design] = {}
        self._programs: dict[str, Program] = {}
        self._lock = threading.Lock()

    def files(self, digest: str) -> dict[str, str]:
        """The files of a deployed bundle. Raises NotFound."""
        return {path: content.decode() for path, content in self._bundles.bundle_sources(digest).items()}

    def keep(self, design: Design) -> None:
        """Saves compiling a design that is at hand."""
        with self._lock:
            self._designs.setdefault(design.digest, design)

    def design(self, digest: str) -> Design:
        """Raises NotFound."""
        with self._lock:
            if digest not in self._designs:
                self._designs[digest] = self._compiled(digest)
            return self._designs[digest]

    def program(self, digest: str) -> Program:
        """Raises NotFound."""
        design = self.design(digest)
        with self._lock:
            if digest not in self._programs:
                self._programs[digest] = compile_design(design)
            return self._programs[digest]

    def _compiled(self, digest: str) -> Design:
        checked = check_files(self.files(digest))
        if checked.design is None:
            # it was sound when it was deployed: this software has come to refuse what an older one took
            first = checked.diagnostics[0]
            raise Unreadable(path=f"bundle {digest[:12]}", why=f"{first.span}: {first.message} [{first.code}]")
        return checked.design
