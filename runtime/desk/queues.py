"""Queues on the host's face: what lies in them, who works them, and rules that are set at run time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from orderloom.models.design import Design
from orderloom.models.tasks import AssignMode, AssignRule, Queue
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import NotAllowed, UnknownQueue
from orderloom.runtime.face import Face
from orderloom.runtime.store.assigning import QueueCount, QueueRule
from orderloom.runtime.store.errors import NotFound

#: a claimed item stays with the one who has it for at least, and at most, so long
_SHORTEST, _LONGEST = timedelta(seconds=10), timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMember:
    """Somebody who works a queue."""

    name: str
    skills: tuple[str, ...]
    away: bool
    #: items of all queues that they have
    load: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """A queue of the active bundles, or one that has items still."""

    name: str
    title: str
    fallout: bool
    #: names of the active bundles that have it
    bundles: tuple[str, ...]
    #: the rules of its design as written
    assign: tuple[str, ...]
    #: what stands over them; None for nothing
    rule: QueueRule | None
    count: QueueCount
    members: tuple[QueueMember, ...]


class Queues(Face):
    """The part of `Runtime` for those who manage queues."""

    @needs(Permission.WORK_VIEW)
    async def queues(self) -> list[QueueView]:
        """The queues that they see, by name."""
        return await self._queues()

    @needs(Permission.WORK_VIEW)
    async def queue(self, name: str) -> QueueView:
        """Raises UnknownQueue, also for one that is not theirs to see."""
        return self._named(await self._queues(), name)

    @needs(Permission.QUEUES_MANAGE)
    async def override_queue(
        self,
        name: str,
        *,
        assign: AssignMode | str | None = None,
        skills: Iterable[str] = (),
        lease: timedelta | None = None,
        paused: bool = False,
        by: str = "",
        reason: str = "",
    ) -> QueueView:
        """Sets, until it is reset, how the queue's items find people (None: as designed), also those that are open; how
        long a claimed one stays with the one who has it (None: 30 minutes); and whether assigning is paused. It stands
        in place of what was set before. Raises UnknownQueue, NotAllowed."""
        found = self._named(await self._queues(), name)
        mode, needed = None if assign is None else _mode(assign), tuple(dict.fromkeys(skills))
        if (mode is AssignMode.BY_SKILL) is not bool(needed):
            raise NotAllowed(what="override_queue", why="skills go with `by_skill`, and `by_skill` with skills")
        if lease is not None and not _SHORTEST <= lease <= _LONGEST:
            raise NotAllowed(what="override_queue", why=f"a lease lasts {_SHORTEST} to {_LONGEST}, found {lease}")
        if mode is None and lease is None and not paused:
            raise NotAllowed(what="override_queue", why="nothing is set; `reset_queue` goes back to the design")
        rule = QueueRule(
            queue=name,
            assign=mode,
            skills=needed,
            lease=lease,
            paused=paused,
            at=self._clock.now(),
            by=self._who(by),
            reason=reason,
        )
        before, after = _told(found.rule), _told(rule)
        deed = self._deed("override_queue", "queue", name, by=by, before=before, after=after, reason=reason)
        self._store.put_queue_rule(rule, deed)
        return self._named(await self._queues(), name)

    @needs(Permission.QUEUES_MANAGE)
    async def reset_queue(self, name: str, by: str = "", reason: str = "") -> QueueView:
        """The design's rules count again. Raises UnknownQueue, NotAllowed where they do."""
        found = self._named(await self._queues(), name)
        deed = self._deed("reset_queue", "queue", name, by=by, before=_told(found.rule), reason=reason)
        try:
            self._store.drop_queue_rule(name, deed)
        except NotFound as error:
            raise NotAllowed(what="reset_queue", why=error) from None
        return self._named(await self._queues(), name)

    # --- inside

    async def _queues(self) -> list[QueueView]:
        designs = [await self._design(bundle.digest) for bundle in self._store.active_bundles()]
        counts, rules = self._store.queue_counts(self._clock.now()), self._store.queue_rules()
        names = {name for design in designs for name in design.queues} | counts.keys() | rules.keys()
        loads = self._store.loads()
        return [
            self._view(name, designs, counts.get(name), rules.get(name), loads)
            for name in sorted(names)
            if self._principal.sees_queue(name)
        ]

    def _view(
        self,
        name: str,
        designs: Iterable[Design],
        count: QueueCount | None,
        rule: QueueRule | None,
        loads: dict[str, int],
    ) -> QueueView:
        having = [(design.name, design.queues[name]) for design in designs if name in design.queues]
        first = having[0][1] if having else Queue(name=name, title=name)
        empty = QueueCount(queue=name, open=0, assigned=0, claimed=0, waiting=0, late=0, oldest=None)
        return QueueView(
            name=name,
            title=first.title,
            fallout=first.fallout,
            bundles=tuple(bundle for bundle, _ in having),
            assign=tuple(dict.fromkeys(rule_text(each) for _, queue in having for each in queue.assign)),
            rule=rule,
            count=count or empty,
            members=tuple(
                QueueMember(
                    name=member.name,
                    skills=tuple(sorted(member.skills)),
                    away=member.away,
                    load=loads.get(member.name, 0),
                )
                for member in self._store.members_of(name)
            ),
        )

    def _named(self, queues: Iterable[QueueView], name: str) -> QueueView:
        known = {queue.name: queue for queue in queues}
        if name not in known:
            raise UnknownQueue(queue=name, known=", ".join(known))
        return known[name]


def rule_text(rule: AssignRule) -> str:
    """A rule as it is written."""
    skills = f" {', '.join(rule.skills)}" if rule.skills else ""
    return f"{rule.mode}{skills}" + (f" when {rule.when.text}" if rule.when is not None else "")


def _mode(text: AssignMode | str) -> AssignMode:
    try:
        return AssignMode(text)
    except ValueError:
        known = ", ".join(f"`{mode}`" for mode in AssignMode)
        raise NotAllowed(what="override_queue", why=f"there is no way to assign `{text}`, only {known}") from None


def _told(rule: QueueRule | None) -> dict[str, str]:
    """A rule, for the trail."""
    if rule is None:
        return {}
    return {
        "assign": str(rule.assign or ""),
        "skills": ", ".join(rule.skills),
        "lease": str(rule.lease or ""),
        "paused": str(rule.paused),
    }
