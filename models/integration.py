"""Connectors and operations: how the outside world is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from orderloom.models.catalog import Attribute
from orderloom.models.source import Span
from orderloom.models.tasks import RetryPolicy
from orderloom.models.values import Value


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that the bundle's settings give for the environment it runs in."""

    name: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential by name; its value is looked up where it is used and is never stored or shown."""

    name: str


#: A connector option: a constant, a setting, or a secret.
Option = Value | Setting | Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    """How a connector authenticates.

    | kind   | options                                                  |
    |--------|----------------------------------------------------------|
    | none   |                                                          |
    | basic  | user, password                                           |
    | bearer | token                                                    |
    | apikey | header, key                                              |
    | oauth2 | token_url, client_id, client_secret, scope               |
    | mtls   | certificate, key (paths of PEM files), authority         |
    """

    kind: str
    options: Mapping[str, Option]


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Opens after so many failures in a row and stays open so long; calls meanwhile are held, not failed."""

    failures: int
    pause: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many calls at once, and so many per second; None is unlimited."""

    concurrent: int | None = None
    per_second: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorDefinition:
    """`connector NAME kind { … }`; `kind` names an entry point of the group `orderloom.connectors`."""

    name: str
    title: str
    kind: str
    options: Mapping[str, Option]
    auth: Auth | None = None
    limit: Limit = Limit()
    breaker: Breaker | None = None
    doc: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template's path inside the bundle and its text."""

    path: str
    text: str
    #: where the design names it
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """The answer comes later, as a message whose `correlate` equals the output of that name."""

    correlate: str
    within: timedelta
    #: response template for the message; None: the same as for the answer
    response: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOn:
    """What counts as retriable: HTTP statuses, ranges as (400, 499), time-outs, lost connections."""

    statuses: tuple[tuple[int, int], ...] = ((408, 408), (429, 429), (500, 599))
    timeout: bool = True
    connection: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`operation connector.name { … }`: one call of an external system."""

    #: `connector.name`
    name: str
    title: str
    connector: str
    request: Template | None
    response: Template | None
    timeout: timedelta = timedelta(seconds=30)
    retry_on: RetryOn = RetryOn()
    #: policy for calls whose task names none; None for no retries
    retry: RetryPolicy | None = None
    outputs: Mapping[str, Attribute]
    callback: Callback | None = None
    doc: str = ""
    span: Span | None = None
