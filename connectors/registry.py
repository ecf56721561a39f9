"""The kinds of connectors that are installed, and opening the connectors of a design."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import cast

from orderloom.connectors.options import resolve
from orderloom.connectors.protocol import Connector, ConnectorKind
from orderloom.models.design import Design

GROUP = "orderloom.connectors"


class UnknownConnectorKind(LookupError):
    """No installed package offers this kind of connector."""


def connector_kinds() -> tuple[str, ...]:
    """Names of the installed kinds, sorted."""
    return tuple(sorted({found.name for found in entry_points(group=GROUP)}))


@cache
def connector_kind(name: str) -> ConnectorKind:
    """The kind of that name; raises UnknownConnectorKind."""
    for found in entry_points(group=GROUP, name=name):
        return cast("ConnectorKind", found.load())
    raise UnknownConnectorKind(
        f"no connector kind is called `{name}`; installed are {', '.join(connector_kinds())} "
        f"(a package adds one by an entry point of the group `{GROUP}`)"
    )


def open_connector(
    design: Design, name: str, environment: str = "default", environ: Mapping[str, str] | None = None
) -> Connector:
    """Opens a design's connector with the settings of one environment; `environ` stands for `os.environ`."""
    definition = design.connectors[name]
    operations = {key: found for key, found in design.operations.items() if found.connector == name}
    options = resolve(definition, design.settings, environment, environ)
    return connector_kind(definition.kind)(definition, options, operations, design.enums)
