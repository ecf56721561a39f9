"""What users and teams are granted, for commands about both."""

from __future__ import annotations

from collections.abc import Iterator

from orderloom.runtime.access.standing import TeamView, UserView
from orderloom.runtime.store.identity import Grant

#: kinds of grants, as they are written
GRANTS = tuple(str(each) for each in Grant)
#: those that a team can hold
TEAM_GRANTS = tuple(each for each in GRANTS if each != Grant.TEAM)


def grants_text(view: UserView | TeamView) -> Iterator[tuple[str, str]]:
    """What is held, kind by kind; nothing for kinds of which nothing is."""
    for title in ("roles", "teams", "members", "queues", "skills", "accounts"):
        values = getattr(view, title, ())
        if values:
            yield title, ", ".join(values)
