"""Reading a design bundle, from its folder or from its files kept by name.

Both ways give the same `Sources` for the same content, so that a deployed bundle compiles again from what was stored.
Files of imported folders stand under their path from the bundle's folder, e.g. `../common/queues.loom`.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orderloom.dsl import tree
from orderloom.dsl.calendars import CalendarDeclaration
from orderloom.dsl.manifest import MANIFEST, Manifest, read_manifest
from orderloom.dsl.parser import parse
from orderloom.models.jeopardy import Thresholds
from orderloom.models.source import Diagnostic, Span
from orderloom.models.values import Value

#: kinds of files that belong to a bundle; anything else in its folder is left alone
SUFFIXES = frozenset((".loom", ".yaml", ".yml", ".j2", ".csv", ".json", ".md", ".txt"))

#: in bytes, over all files of a bundle
MAX_SIZE = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The files of a bundle and what its `bundle.yaml` says."""

    name: str
    #: SemVer
    version: str
    title: str = ""
    #: environment → setting → value; `default` holds for all
    settings: Mapping[str, Mapping[str, Value]]
    #: IANA name
    time_zone: str = "UTC"
    #: by name
    calendars: Mapping[str, CalendarDeclaration] = field(default_factory=dict)
    #: see `Design.calendar`
    calendar: str = ""
    jeopardy: Thresholds = field(default_factory=Thresholds)
    #: see `Design.account_sequence`
    account_sequence: bool = False
    #: see `Design.pause_reasons`
    pause_reasons: tuple[str, ...] = ()
    #: path from the bundle's folder, with forward slashes → text; sorted, imported files among them
    files: Mapping[str, str]
    #: SHA-256 over all paths and texts, as hex
    digest: str

    @property
    def designs(self) -> tuple[str, ...]:
        """The paths of all `.loom` files: the bundle's own first, then the imported ones."""
        paths = [path for path in self.files if path.endswith(".loom")]
        return tuple(sorted(paths, key=lambda path: (path.startswith("../"), path)))

    def find(self, file: str, path: str) -> str | None:
        """The path in `files` of what a design file calls `path`: beside that file, else in the bundle's folder."""
        for folder in (posixpath.dirname(file), ""):
            found = posixpath.normpath(posixpath.join(folder, path))
            if found in self.files:
                return found
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRead:
    """The outcome of reading: sources exactly when there is no diagnostic, and all texts read, to show places in."""

    sources: Sources | None
    files: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]


#: Gives the files of a folder named from the bundle's folder ("" is that itself), or None if there is no such folder.
_Load = Callable[[str], Mapping[str, str] | None]


def read_folder(folder: Path) -> BundleRead:
    """Reads a bundle from its folder, with all folders that it imports."""
    reader = _FolderReader(folder)
    return _assemble(reader.load, reader.problems)


def read_files(files: Mapping[str, str]) -> BundleRead:
    """Reads a bundle from its files by path, as `Sources.files` holds them."""

    def load(folder: str) -> Mapping[str, str] | None:
        if not folder:
            return {path: text for path, text in files.items() if not path.startswith("../")}
        inside = {path: text for path, text in files.items() if path.startswith(folder + "/")}
        return inside or None

    return _assemble(load, [])


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256 over the sorted paths and texts, each with its length before it, as hex."""
    hashed = hashlib.sha256()
    for path in sorted(files):
        for part in (path.encode(), files[path].encode("utf-8", "surrogatepass")):
            hashed.update(len(part).to_bytes(8, "big"))
            hashed.update(part)
    return hashed.hexdigest()


def _assemble(load: _Load, problems: list[Diagnostic]) -> BundleRead:
    own = load("") or {}
    files = {path: text for path, text in own.items() if not _is_nested_design(path)}
    manifest = _manifest(files, problems)
    name = "" if manifest is None else manifest.name
    done = {""}
    waiting = [path for path in sorted(files) if path.endswith(".loom")]
    if not waiting and manifest is not None:
        start = Span(MANIFEST, 0, 0, 1, 1)
        problems.append(Diagnostic(code="LM0101", message="the bundle has no design file", span=start))
    while waiting:
        path = waiting.pop(0)
        if "import" not in files[path]:
            continue  # a design that comes from the cache is then never parsed
        parsed = parse(files[path], path)
        for declaration in parsed.tree.declarations if parsed.tree else ():
            if isinstance(declaration, tree.Import):
                waiting += _import(declaration, path, name, load, done, files, problems)
    files = dict(sorted(files.items()))
    if problems or manifest is None:
        return BundleRead(sources=None, files=files, diagnostics=tuple(problems))
    sources = Sources(
        name=manifest.name,
        version=manifest.version,
        title=manifest.title,
        settings=manifest.values(),
        time_zone=manifest.time_zone,
        calendars=manifest.calendars,
        calendar=manifest.calendar,
        jeopardy=manifest.jeopardy.thresholds(),
        account_sequence=manifest.sequence == "account",
        pause_reasons=tuple(manifest.pause_reasons),
        files=files,
        digest=digest_of(files),
    )
    return BundleRead(sources=sources, files=files, diagnostics=())


def _is_nested_design(path: str) -> bool:
    return path.endswith(".loom") and "/" in path


def _manifest(files: Mapping[str, str], problems: list[Diagnostic]) -> Manifest | None:
    if MANIFEST not in files:
        if not problems:
            start = Span(MANIFEST, 0, 0, 1, 1)
            message = f"the bundle has no `{MANIFEST}`"
            problems.append(Diagnostic(code="LM0101", message=message, span=start, help="it names the bundle"))
        return None
    read = read_manifest(files[MANIFEST])
    problems.extend(read.diagnostics)
    return read.manifest


def _import(
    statement: tree.Import,
    file: str,
    name: str,
    load: _Load,
    done: set[str],
    files: dict[str, str],
    problems: list[Diagnostic],
) -> list[str]:
    """Adds the files of an imported folder; gives the design files among them."""
    written = statement.path.value
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(file), written))
    if written and folder in (".", f"../{name}"):
        return []
    outside = folder.count("..") > 1 or folder == ".."
    if not written or written.startswith("/") or "\\" in written or "\0" in written or outside:
        problems.append(
            Diagnostic(
                code="LM0105",
                message=f"the import `{written}` leads out of the folder that holds the bundle",
                span=statement.path.span,
                help='import a folder beside the bundle, like `import "../common"`',
            )
        )
        return []
    if folder in done:
        return []
    done.add(folder)
    before = len(problems)
    loaded = load(folder) or {}
    brought = {
        path: text
        for path, text in loaded.items()
        if path != f"{folder}/{MANIFEST}" and (not path.endswith(".loom") or posixpath.dirname(path) == folder)
    }
    designs = sorted(path for path in brought if path.endswith(".loom"))
    if not designs and len(problems) == before:
        problems.append(
            Diagnostic(
                code="LM0104",
                message=f"no design files in the imported folder `{written}`",
                span=statement.path.span,
                help="the path is relative to the folder of this file",
            )
        )
    files.update(brought)
    return designs


class _FolderReader:
    """Reads the text files of a bundle's folder and of the folders beside it, and of nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Diagnostic] = []
        self._root = folder.resolve()
        self._limit = self._root.parent
        self._left = MAX_SIZE

    def load(self, folder: str) -> Mapping[str, str] | None:
        place = self.folder if not folder else self._root / folder
        if not place.is_dir():
            return None
        if folder and not self._inside(place, folder):
            return {}
        if folder and place.resolve() == self._root:
            message = f"`{folder}` is this bundle's own folder under another name than in `{MANIFEST}`"
            self._problem("LM0105", message, MANIFEST)
            return {}
        read: dict[str, str] = {}
        for parent, folders, names in os.walk(place):
            folders[:] = sorted(each for each in folders if not each.startswith((".", "__")))
            for name in sorted(names):
                path = Path(parent, name)
                if path.suffix in SUFFIXES and not name.startswith("."):
                    within = path.relative_to(place).as_posix()
                    self._read(path, posixpath.join(folder, within), read)
        return read

    def _read(self, path: Path, name: str, read: dict[str, str]) -> None:
        if not self._inside(path, name):
            return
        try:
            if not path.is_file():
                return
            size = path.stat().st_size
            self._left -= size
            if self._left < 0:
                self._problem("LM0011", f"the bundle has more than {MAX_SIZE} bytes", name)
                return
            read[name] = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            self._problem("LM0106", f"the file is not UTF-8 text: byte {error.start} is wrong", name)
        except OSError as error:
            self._problem("LM0106", f"the file cannot be read: {error.strerror or 'unknown error'}", name)

    def _inside(self, path: Path, name: str) -> bool:
        try:
            inside = path.resolve().is_relative_to(self._limit)
        except (OSError, RuntimeError):
            inside = False
        if not inside:
            self._problem("LM0105", "a link leads out of the folder that holds the bundle", name)
        return inside

    def _problem(self, code: str, message: str, name: str) -> None:
        self.problems.append(Diagnostic(code=code, message=message, span=Span(name, 0, 0, 1, 1)))
