"""Opens a SQLite store: finds the file, tests its version, brings it up to date."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from orderloom.runtime.store.errors import StoreBusy, StoreDamaged, StoreError, StoreFull, StoreTooNew, StoreUnsupported

#: the newest revision that this software knows; equal to `schema.REVISION`, which is dear to import
REVISION = "0004"

#: seconds that a writer waits for another process
BUSY_TIMEOUT = 10.0


def path_of(url: str) -> Path:
    """The file that a `sqlite:///…` URL, or a bare path, names. Raises StoreUnsupported for any other database."""
    if "://" not in url:
        return Path(url)
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite":
        raise StoreUnsupported(
            f"database `{scheme}://…` is not supported yet; use `sqlite:///PATH`, or unset `ORDERLOOM_DATABASE_URL` "
            "for the embedded store"
        )
    path = rest.removeprefix("/")
    if not path or path == ":memory:":
        raise StoreUnsupported("a store in memory keeps nothing; name a file: `sqlite:///PATH`")
    return Path(path)


@contextlib.contextmanager
def clean_errors(path: Path) -> Iterator[None]:
    """Turns what SQLite raises into the errors of a store."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, path) from error


def translated(error: Exception, path: Path) -> StoreError:
    """The store's error for one of SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusy(
            f"`{path}` is locked: another process has been writing for more than {BUSY_TIMEOUT:.0f} s; "
            "try again, or look for a program that holds the file open"
        )
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"no room left to write `{path}`; free some space, nothing was lost")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreDamaged(f"`{path}` is no sound SQLite database ({error}); restore it from a backup")
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(f"cannot open `{path}`; does its folder exist, and may this user write there?")
    if code == sqlite3.SQLITE_READONLY:
        return StoreError(f"`{path}` cannot be written; this user needs write access to the file and its folder")
    return StoreError(f"`{path}`: {error}")


def connected(path: Path) -> sqlite3.Connection:
    """A connection with the settings of this store, in autocommit mode: transactions are begun by hand."""
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 4000")
    connection.execute("PRAGMA cache_size = -32000")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def prepare(path: Path) -> None:
    """Makes the tables where they are missing or old. Raises StoreTooNew, StoreDamaged, StoreBusy."""
    with clean_errors(path):
        connection = connected(path)
        try:
            found = _revision(connection)
        finally:
            connection.close()
    if found == REVISION:
        return
    if found > REVISION:
        raise StoreTooNew(
            f"`{path}` was written by a newer version of orderloom (schema {found}, this version knows {REVISION}); "
            "upgrade orderloom, or use another store"
        )
    migrate(path)


def _revision(connection: sqlite3.Connection) -> str:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "alembic_version" in tables:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""
    if tables - {"sqlite_sequence"}:
        raise StoreDamaged("the database holds tables of another program; name a file of its own")
    return ""


def migrate(path: Path, revision: str = "head") -> None:
    """Brings the tables to a revision of the schema; makes the file where there is none."""
    # imported here: a store that is up to date does not pay for it
    import sqlalchemy
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = sqlalchemy.create_engine("sqlite://", creator=lambda: connected(path), poolclass=sqlalchemy.NullPool)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            # two processes may open a new store at once: the second finds the work done
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(config, revision)
            connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        raise translated(error.orig if isinstance(error.orig, Exception) else error, path) from error
    finally:
        engine.dispose()
