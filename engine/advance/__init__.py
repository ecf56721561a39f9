"""The core's one state function: events in; changed rows, journal entries and commands out."""

from orderloom.engine.advance.advance import advance
from orderloom.engine.advance.outlook import with_outlook
from orderloom.engine.advance.people import uncorrectable
from orderloom.engine.advance.refused import Refused
from orderloom.engine.advance.related import awaited_by, related_verdict, waits_only_for
from orderloom.engine.advance.replay import replay

__all__ = [
    "Refused",
    "advance",
    "awaited_by",
    "related_verdict",
    "replay",
    "uncorrectable",
    "waits_only_for",
    "with_outlook",
]
