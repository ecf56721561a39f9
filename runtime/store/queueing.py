"""The contract of the store for those who work queues, see `store.interface`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from orderloom.models.journal import Event
from orderloom.models.tasks import AssignRule
from orderloom.runtime.store.assigning import QueueCount, QueueRule
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.desk import Moved, Wish
from orderloom.runtime.store.views import WorkItem
from orderloom.runtime.store.work import WorkChange, WorkEvent
from orderloom.runtime.store.work_notes import WorkNote


class Desk(Protocol):
    """Who has which work item. Each method raises NotFound, or Conflict with the reason why it cannot be, and tells the
    item's history what it did."""

    def claim(self, work: int, by: str, at: datetime, deed: Deed | None = None) -> WorkItem:
        """Gives an item to a person until the lease of its queue runs out, where nobody else has it; one who has it
        already keeps it for longer."""

    def claim_next(self, wish: Wish, at: datetime, deed: Callable[[WorkItem], Deed | None]) -> WorkItem | None:
        """The same for the most urgent item that they may take, by priority, due time and age: what is assigned to them
        first, what they gave back last. None where there is none."""

    def renew(self, work: int, by: str, at: datetime, deed: Deed | None = None) -> WorkItem:
        """The lease begins anew."""

    def unclaim(self, work: int, by: str, at: datetime, deed: Deed | None = None) -> WorkItem:
        """They give it back; by a rule it then goes to somebody else."""

    def assign(self, work: int, to: str, at: datetime, deed: Deed) -> WorkItem:
        """Gives it to a person to do, whoever has it; to "", to the one whom its rule chooses."""

    def reassign(
        self, works: Iterable[int], to: str, at: datetime, deed: Callable[[WorkItem], Deed], within: str = ""
    ) -> list[Moved]:
        """The same for many; with `within` only for those that this person still has."""

    def finish(self, work: int, by: str, event: Event, at: datetime, deed: Deed | None = None) -> int:
        """Posts what ends the item for the one who has it, or takes it now; returns the request's number. Until that is
        taken up, nobody else gets the item, even if the lease runs out meanwhile."""

    def pass_on(
        self, work: int, queue: str, rule: AssignRule, what: WorkEvent, at: datetime, deed: Deed, holder: str | None
    ) -> WorkItem:
        """Puts it into another queue, ESCALATED or HANDED_OVER, where nobody has it at first. Conflict where somebody
        else than `holder` has it; None for whoever may."""

    def lapse(self, at: datetime) -> int:
        """Frees items whose leases have run out, some hundreds at most; returns how many."""

    def next_lease(self) -> datetime | None:
        """When the next lease runs out; None for none."""

    def add_note(self, note: WorkNote, deed: Deed) -> None:
        """Keeps a note; the lease of its author begins anew."""

    def work_notes(self, work: int) -> list[WorkNote]:
        """Oldest first."""

    def work_history(self, work: int) -> list[WorkChange]:
        """Oldest first."""


class Assigning(Protocol):
    """How items find people."""

    def queue_rules(self) -> dict[str, QueueRule]:
        """What stands over the rules of designs, by queue."""

    def put_queue_rule(self, rule: QueueRule, deed: Deed) -> None:
        """In place of an earlier one; open items are looked at again."""

    def drop_queue_rule(self, queue: str, deed: Deed) -> None:
        """The design's rules count again. Raises NotFound where they do."""

    def queue_counts(self, at: datetime) -> dict[str, QueueCount]:
        """By queue; those without items are left out."""

    def loads(self) -> dict[str, int]:
        """How many items each person has, assigned or claimed; those without are left out."""

    def assign_open(self, at: datetime) -> int:
        """Gives open items, some hundreds of each queue at most, to the members whom their rules choose; returns how
        many were looked at. Those for whom there is nobody are looked at again after `seek_again`, or when the rule of
        the queue changes."""

    def seek_again(self, works: Callable[[str, str], bool], at: datetime) -> int:
        """After people have come or gone: takes assigned items from those who do not work their queue (`works(person,
        queue)`) any more, and lets all open items look for somebody; returns how many were taken."""

    def changed_by_anybody(self) -> int:
        """A number that is another one once anything was written, by whomever."""

    def last_deed(self) -> int:
        """The id of the latest deed, 0 for none."""

    def people_changed(self, after: int) -> bool:
        """Whether users, teams or roles have changed since that deed."""
