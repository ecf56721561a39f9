"""What every kind of connector is: something that makes calls and reads callback messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from orderloom.connectors.options import Options
from orderloom.models.callout import Answer, Callout
from orderloom.models.catalog import Enum
from orderloom.models.integration import ConnectorDefinition, Operation


class Connector(Protocol):
    """One external system, opened. Calls may run at the same time; all of them on one event loop."""

    async def call(self, operation: Operation, callout: Callout) -> Answer:
        """Makes the call; what goes wrong outside is an Answer, never an exception."""

    def read_callback(
        self, operation: Operation, message: bytes | Mapping[str, object], headers: Mapping[str, str]
    ) -> tuple[str, Answer]:
        """The correlation of a callback message ("" where it has none), and what it means."""

    async def close(self) -> None:
        """Ends what is open; calls still running end as lost connections."""


class ConnectorKind(Protocol):
    """A kind of connector: what an entry point of the group `orderloom.connectors` names.

    Raises TemplateProblem for a template that is not one, and SettingMissing or SecretMissing for a missing option.
    """

    def __call__(
        self,
        definition: ConnectorDefinition,
        options: Options,
        operations: Mapping[str, Operation],
        enums: Mapping[str, Enum],
    ) -> Connector:
        """Opens a connector for `operations`, those of the design that name it."""
