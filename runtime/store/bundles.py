"""Deployed versions of bundles; their files are kept as one compressed archive."""

from __future__ import annotations

import io
import sqlite3
import zipfile
from collections.abc import Mapping
from datetime import datetime

from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.calendars import outdate
from orderloom.runtime.store.codec import instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.views import BundleView
from orderloom.runtime.store.watches import start_counting

_COLUMNS = "digest, name, version, deployed_at, active"


class SqliteBundles:
    """The `Bundles` side of a store."""

    _database: Database

    def deploy(
        self,
        name: str,
        version: str,
        digest: str,
        sources: Mapping[str, bytes],
        at: datetime,
        deed: Deed | None = None,
    ) -> BundleView:
        with self._database.transaction() as writer:
            found = writer.execute(
                "SELECT digest FROM bundles WHERE name = ? AND version = ?", (name, version)
            ).fetchone()
            if found is not None and found[0] != digest:
                raise Conflict(
                    f"bundle `{name}` {version} is deployed with other content (digest {found[0]}, found {digest}); "
                    "a deployed version never changes: raise `version` in bundle.yaml"
                )
            if found is None:
                writer.execute(
                    f"INSERT INTO bundles ({_COLUMNS}, sources) VALUES (?, ?, ?, ?, 0, ?)",
                    (digest, name, version, micros(at), _archive(sources)),
                )
            _activate(writer, name, digest)
            record(writer, deed)
            return _one(writer, digest)

    def activate(self, digest: str, deed: Deed | None = None) -> BundleView:
        with self._database.transaction() as writer:
            _activate(writer, _one(writer, digest).name, digest)
            record(writer, deed)
            return _one(writer, digest)

    def bundles(self) -> list[BundleView]:
        with self._database.snapshot() as reader:
            rows = reader.execute(f"SELECT {_COLUMNS} FROM bundles ORDER BY deployed_at DESC, name").fetchall()
        return [_view(row) for row in rows]

    def active_bundles(self) -> list[BundleView]:
        with self._database.snapshot() as reader:
            rows = reader.execute(f"SELECT {_COLUMNS} FROM bundles WHERE active = 1 ORDER BY name").fetchall()
        return [_view(row) for row in rows]

    def bundle(self, digest: str) -> BundleView:
        with self._database.snapshot() as reader:
            return _one(reader, digest)

    def bundle_sources(self, digest: str) -> dict[str, bytes]:
        with self._database.snapshot() as reader:
            row = reader.execute("SELECT sources FROM bundles WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            raise NotFound(f"there is no bundle of digest `{digest}`")
        with zipfile.ZipFile(io.BytesIO(row[0])) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def _activate(writer: sqlite3.Connection, name: str, digest: str) -> None:
    writer.execute("UPDATE bundles SET active = (digest = ?) WHERE name = ?", (digest, name))
    outdate(writer, name)
    start_counting(writer)


def _one(connection: sqlite3.Connection, digest: str) -> BundleView:
    row = connection.execute(f"SELECT {_COLUMNS} FROM bundles WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        raise NotFound(f"there is no bundle of digest `{digest}`")
    return _view(row)


def _view(row: tuple[str, str, str, int, int]) -> BundleView:
    digest, name, version, deployed_at, active = row
    return BundleView(digest=digest, name=name, version=version, deployed_at=instant(deployed_at), active=bool(active))


def _archive(sources: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(sources):
            # a fixed date: the same files give the same bytes
            archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), sources[path], zipfile.ZIP_DEFLATED)
    return content.getvalue()
