"""Compiled designs kept on disk, so that an unchanged bundle need not be compiled again.

A cached design is a pickle, which is code to whoever can write it. So it is read only from a folder and a file that
belong to the user and that nobody else can write. Whatever is wrong with the cache, the bundle is compiled instead.
"""

from __future__ import annotations

import gc
import hashlib
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from orderloom.models.design import Design
from orderloom.models.source import Diagnostic, Severity

#: a function that finds more about a design that compiles
FurtherCheck = Callable[[Design], tuple[Diagnostic, ...]]

if TYPE_CHECKING:
    from orderloom.dsl.bundle import Sources
    from orderloom.dsl.compiler import Compiled


def compile_cached(sources: Sources, *further: FurtherCheck) -> Compiled:
    """Like `compile_bundle` and further checks, from the cache where this software has seen the same files before."""
    from orderloom.dsl.compiler import Compiled, compile_bundle

    path = cache_folder() / f"{key_of(sources.digest, *further)}.design"
    found = _read(path)
    if found is not None:
        design, diagnostics = found
        return Compiled(design=design, diagnostics=diagnostics)
    compiled = compile_bundle(sources)
    if compiled.design is not None:
        diagnostics = (*compiled.diagnostics, *(each for check in further for each in check(compiled.design)))
        sound = not any(each.severity is Severity.ERROR for each in diagnostics)
        compiled = Compiled(design=compiled.design if sound else None, diagnostics=diagnostics)
    if compiled.design is not None:
        _write(path, pickle.dumps((compiled.design, compiled.diagnostics), protocol=5))
    return compiled


def cache_folder() -> Path:
    """`${XDG_CACHE_HOME:-~/.cache}/orderloom`."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "orderloom"


def key_of(digest: str, *further: FurtherCheck) -> str:
    """Names a cached design: its files, and the software, further checks and Python that compiled them."""
    names = [f"{check.__module__}.{check.__name__}" for check in further]
    parts = (digest, _software(*(Path(check.__code__.co_filename).parent for check in further)), *names, sys.version)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _software(*others: Path) -> str:
    """The installed version, and when each module of the language, the models and other folders was last changed."""
    try:
        installed = version("orderloom")
    except PackageNotFoundError:
        installed = "?"
    here = Path(__file__).parent
    changed = hashlib.sha256()
    for room in (here, here.parent / "grammar", here.parent / "models", *others):
        for folder, _folders, names in os.walk(room):
            for name in sorted(names):
                if name.endswith((".py", ".lark")):
                    state = Path(folder, name).stat()
                    changed.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return f"{installed} {changed.hexdigest()}"


def _read(path: Path) -> tuple[Design, tuple[Diagnostic, ...]] | None:
    """The cached design; None if there is none that can be trusted and read."""
    try:
        if not _private(path.parent.lstat()):
            return None
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode) or not _private(state):
                return None
            with _collection_paused():
                found = pickle.load(file)
    except Exception:
        return None
    match found:
        case (Design() as design, tuple() as diagnostics):
            return design, diagnostics
        case _:
            return None


def _write(path: Path, content: bytes) -> None:
    """Puts the content in place in one step; does nothing where that is impossible."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(path.parent.lstat()):
            return
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def _private(state: os.stat_result) -> bool:
    """Whether something is the user's and nobody else can write it."""
    if not hasattr(os, "getuid"):
        return True
    return state.st_uid == os.getuid() and not stat.S_ISLNK(state.st_mode) and not state.st_mode & 0o022


@contextmanager
def _collection_paused() -> Iterator[None]:
    """Many objects are made and none becomes garbage, so looking for it only costs time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
