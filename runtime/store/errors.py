"""What can go wrong with a store, in words for the one who runs it."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot do what was asked."""


class StoreUnsupported(StoreError):
    """The database URL names a kind of database that is not supported."""


class StoreBusy(StoreError):
    """Another process holds the database's write lock for longer than the busy timeout."""


class StoreFull(StoreError):
    """There is no room left to write; nothing of the last transaction was kept."""


class StoreDamaged(StoreError):
    """The file is no database, or its contents are broken."""


class StoreTooNew(StoreError):
    """The database was written by a newer version of the software."""


class WorkerRunning(StoreError):
    """Another worker runs on this store."""


class NotFound(StoreError):
    """What was asked for is not in the store."""


class Conflict(StoreError):
    """It is there already, or somebody else was faster."""


class ExternalIdTaken(Conflict):
    """An order of that external id is there already."""

    def __init__(self, external_id: str, order: str) -> None:
        taken = f"is that of order `{order}`" if order else "stands here twice"
        super().__init__(f"external id `{external_id}` {taken}")
        #: id of the order that has it, "" for another one of the same submission
        self.order = order


class VersionConflict(StoreError):
    """An order was changed by someone else since it was loaded; nothing of the batch was kept."""
