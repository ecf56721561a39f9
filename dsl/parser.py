"""Text → syntax tree, with all errors of the text.

The parser is Lark's, LALR(1) and strict, over `grammar/loom.lark`; see `lexer` for the tokens, `builder` for the tree,
`recovery` for what happens after an error.
"""

from __future__ import annotations

import gc
import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import lark
from lark import Lark

from orderloom.dsl import tree
from orderloom.dsl.builder import Builder
from orderloom.dsl.lexer import WordLexer
from orderloom.dsl.recovery import Drive
from orderloom.models.source import Diagnostic, Span

#: a design file larger than this is a mistake
MAX_CHARACTERS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The outcome for one file: a tree exactly when there is no diagnostic."""

    tree: tree.File | None
    diagnostics: tuple[Diagnostic, ...]


@lru_cache(maxsize=128)
def parse(text: str, file: str) -> Parsed:
    """Parses one `.loom` file; `file` is its path in the bundle, for spans. Never raises for any text.

    The last results are kept, since a bundle is parsed for its imports before it is compiled.
    """
    if len(text) > MAX_CHARACTERS:
        place = Span(file, 0, 0, 1, 1)
        message = f"the file has {len(text)} characters, more than {MAX_CHARACTERS}"
        return Parsed(tree=None, diagnostics=(Diagnostic(code="LM0011", message=message, span=place),))
    with _LOCK, _collection_paused():
        builder = _builder()
        builder.begin()
        drive = _drive(text, file)
        declarations = drive.run()
        problems = [*drive.reports, *builder.problems]
        builder.begin()
    if problems:
        return Parsed(tree=None, diagnostics=tuple(sorted(problems, key=lambda problem: problem.span.start)))
    whole = Span(file, 0, len(text), 1, 1)
    return Parsed(tree=tree.File(path=file, declarations=declarations, span=whole), diagnostics=())


#: the one parser and its builder are used by one thread at a time
_LOCK = threading.Lock()


@contextmanager
def _collection_paused() -> Iterator[None]:
    """A tree holds no cycles; looking for them while it grows takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@cache
def _builder() -> Builder:
    return Builder()


@cache
def grammar() -> Lark:
    """The parser made from the grammar, read from the cache on disk where there is one.

    A cache that is damaged or half written makes Lark start anew, as does any other version of Lark or Python.
    """
    text = (files("orderloom.grammar") / "loom.lark").read_text(encoding="utf-8")
    folder = _private_folder()
    key = hashlib.sha256(f"{lark.__version__} {sys.version} {text}".encode()).hexdigest()[:16]
    return Lark(
        text,
        start="file",
        parser="lalr",
        lexer=WordLexer,
        strict=True,
        keep_all_tokens=True,
        maybe_placeholders=True,
        transformer=_builder(),
        cache=False if folder is None else str(folder / f"grammar-{key}.cache"),
    )


def _drive(text: str, file: str) -> Drive:
    interactive: Any = grammar().parse_interactive("")
    frontend: Any = grammar().parser
    return Drive(lexer=frontend.lexer, state=interactive.parser_state, text=text, file=file)


def _private_folder() -> Path | None:
    """The folder for caches, writable by its owner alone; None where there can be none.

    Lark's cache is a pickle: it must never be read from where another user can write.
    """
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(root).expanduser() / "orderloom"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        private = status.st_mode & 0o077 == 0 and (not hasattr(os, "getuid") or status.st_uid == os.getuid())
        return folder if private and os.access(folder, os.W_OK) else None
    except (OSError, RuntimeError):
        return None
