"""What became of a work item, and what people wrote about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orderloom.runtime.store.auditing import Deed, record
from orderloom.runtime.store.codec import instant, micros
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.desk import lease_of
from orderloom.runtime.store.views import WorkState
from orderloom.runtime.store.work import WorkChange, WorkEvent, current

_NOTE = "work, at, who, text, url, name, media_type"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkNote:
    """A note about a work item, or an attachment: a place where something about it lies, never its content."""

    work: int
    at: datetime
    by: str
    text: str
    #: "" for a note without attachment
    url: str = ""
    name: str = ""
    media_type: str = ""


class SqliteWorkNotes:
    """The part of a store that tells about work items."""

    _database: Database

    def add_note(self, note: WorkNote, deed: Deed) -> None:
        with self._database.transaction() as writer:
            item = current(writer, note.work, note.at)
            writer.execute(
                f"INSERT INTO work_notes (order_id, {_NOTE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (item.order, note.work, micros(note.at), note.by, note.text, note.url, note.name, note.media_type),
            )
            if item.state is WorkState.CLAIMED and item.claimed_by == note.by:
                until = note.at + lease_of(writer, item.queue)
                writer.execute("UPDATE work SET lease = ? WHERE id = ?", (micros(until), item.id))
            record(writer, deed)

    def work_notes(self, work: int) -> list[WorkNote]:
        with self._database.snapshot() as reader:
            rows = reader.execute(f"SELECT {_NOTE} FROM work_notes WHERE work = ? ORDER BY id", (work,)).fetchall()
        return [
            WorkNote(work=work, at=instant(at), by=by, text=text, url=url, name=name, media_type=media_type)
            for work, at, by, text, url, name, media_type in rows
        ]

    def work_history(self, work: int) -> list[WorkChange]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT work, order_id, at, what, who, holder, queue, reason FROM work_history WHERE work = ? "
                "ORDER BY id",
                (work,),
            ).fetchall()
        return [
            WorkChange(
                work=work,
                order=order,
                at=instant(at),
                what=WorkEvent(what),
                by=who,
                holder=holder,
                queue=queue,
                reason=reason,
            )
            for work, order, at, what, who, holder, queue, reason in rows
        ]
