"""What a worker counts."""

from __future__ import annotations

from dataclasses import dataclass

from orderloom.models.journal import EntryKind, Step


@dataclass(slots=True)
class Totals:
    """What a worker has done since it was made."""

    #: events applied
    events: int = 0
    #: changes of task states, each durable
    transitions: int = 0
    callouts: int = 0
    commits: int = 0
    refused: int = 0
    poisoned: int = 0

    def since(self, before: Totals) -> Totals:
        """What was added to the totals of an earlier moment."""
        return Totals(
            events=self.events - before.events,
            transitions=self.transitions - before.transitions,
            callouts=self.callouts - before.callouts,
            commits=self.commits - before.commits,
            refused=self.refused - before.refused,
            poisoned=self.poisoned - before.poisoned,
        )


def transitions(step: Step) -> int:
    """Changes of task states that a step made; an entry names the states it went through."""
    number = 0
    for entry in step.entries:
        if entry.kind is EntryKind.TASK_STATE:
            through = entry.data.get("through")
            number += 1 + (len(through) if isinstance(through, list) else 0)
    return number
