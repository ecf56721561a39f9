"""One SQLite file: a connection that writes, one that reads, each used by one thread at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from orderloom.runtime.store.errors import WorkerRunning
from orderloom.runtime.store.opening import clean_errors, connected, prepare


class Database:
    """The file with its connections. Other processes may have it open too; SQLite keeps them apart."""

    def __init__(self, path: Path) -> None:
        self.path = path
        prepare(path)
        with clean_errors(path):
            self._writer = connected(path)
            self._reader = connected(path)
            self._reader.execute("PRAGMA query_only = ON")
        # not re-entrant on purpose: the worker takes it in one thread and gives it back in another
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._reading_long = threading.Lock()
        self._long_reader: sqlite3.Connection | None = None
        self._lock_file: int | None = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside becomes durable at the end, or nothing does."""
        writer = self.begin()
        try:
            yield writer
        except BaseException as error:
            self.roll_back()
            if isinstance(error, sqlite3.Error):
                with clean_errors(self.path):
                    raise
            raise
        self.seal()

    def begin(self) -> sqlite3.Connection:
        """Opens a transaction; `seal` or `roll_back` ends it, from whatever thread."""
        self._writing.acquire()
        try:
            with clean_errors(self.path):
                self._writer.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._writing.release()
            raise
        return self._writer

    def seal(self) -> None:
        """Commits. Where that fails nothing of the transaction is kept."""
        try:
            with clean_errors(self.path):
                self._writer.execute("COMMIT")
        except BaseException:
            self._undo()
            raise
        finally:
            self._writing.release()

    def roll_back(self) -> None:
        try:
            self._undo()
        finally:
            self._writing.release()

    def _undo(self) -> None:
        # SQLite has rolled back by itself after some errors, disk full among them
        if self._writer.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute("ROLLBACK")

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """All reads inside see the same committed moment."""
        with self._reading, clean_errors(self.path):
            self._reader.execute("BEGIN")
            try:
                yield self._reader
            finally:
                self._reader.execute("COMMIT")

    @contextlib.contextmanager
    def long_snapshot(self) -> Iterator[sqlite3.Connection]:
        """The same on a connection of its own, for reads that take long: the others need not wait for them."""
        with self._reading_long, clean_errors(self.path):
            if self._long_reader is None:
                self._long_reader = connected(self.path)
                self._long_reader.execute("PRAGMA query_only = ON")
            self._long_reader.execute("BEGIN")
            try:
                yield self._long_reader
            finally:
                self._long_reader.execute("COMMIT")

    def data_version(self) -> int:
        """Changes when anybody has committed something since the last call."""
        with self._reading, clean_errors(self.path):
            return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    def lock_worker(self) -> None:
        """Takes the file lock that one worker holds for its life; the system frees it however the process ends."""
        path = self._lock_path
        if self._lock_file is not None:
            raise WorkerRunning(f"a worker runs on `{self.path}` already, in this very process (pid {os.getpid()})")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(file, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise WorkerRunning(
                f"a worker runs on `{self.path}` already, as process {pid} (lock `{path}`); an SQLite store has one "
                f"worker: leave it the work, or stop it with `kill {pid}`"
            ) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._lock_file = file

    def worker_runs(self) -> bool:
        """Whether some process holds that lock. Nothing is left locked by the question."""
        if self._lock_file is not None:
            return True
        try:
            file = os.open(self._lock_path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    @property
    def _lock_path(self) -> Path:
        return self.path.with_name(self.path.name + ".worker.lock")

    def close(self) -> None:
        """Closes the connections once no transaction is under way, and gives up the worker's lock."""
        with self._writing:
            self._writer.close()
        with self._reading:
            self._reader.close()
        with self._reading_long:
            if self._long_reader is not None:
                self._long_reader.close()
                self._long_reader = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None
