"""The compiled form of a bundle: everything the engine, the connectors and the host need, checked and resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orderloom.models.calendar import Calendar
from orderloom.models.catalog import Enum, Spec
from orderloom.models.integration import ConnectorDefinition, Operation
from orderloom.models.jeopardy import Thresholds
from orderloom.models.rules import DecompositionRule, Rejection, Table
from orderloom.models.tasks import PlanDefinition, Queue
from orderloom.models.values import Value
from orderloom.models.watching import WatchRule

#: the queue of failed tasks for which the design names none; it always exists
DEFAULT_FALLOUT_QUEUE = "fallout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A checked design. All mappings keep the order of the source."""

    name: str
    version: str
    #: SHA-256 over all files of the bundle, as hex; same files, same digest
    digest: str
    enums: Mapping[str, Enum]
    specs: Mapping[str, Spec]
    rules: tuple[DecompositionRule, ...]
    tables: Mapping[str, Table]
    rejections: tuple[Rejection, ...]
    plans: Mapping[str, PlanDefinition]
    queues: Mapping[str, Queue]
    connectors: Mapping[str, ConnectorDefinition]
    operations: Mapping[str, Operation]
    #: environment name -> setting name -> value; `default` holds for all
    settings: Mapping[str, Mapping[str, Value]]
    #: IANA name of the zone in which dates and, where there is no calendar, business days are counted
    time_zone: str = "UTC"
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    #: name of the calendar for terms that name none; "" for Monday to Friday
    calendar: str = ""
    jeopardy: Thresholds = field(default_factory=Thresholds)
    watches: Mapping[str, WatchRule] = field(default_factory=dict)
    #: why the clock of work may be stopped; empty where any word will do
    pause_reasons: tuple[str, ...] = ()
    #: whether orders of one account are carried out one after the other, in the order of their submission
    account_sequence: bool = False
