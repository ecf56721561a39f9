"""A connector's options with settings and secrets resolved for the environment it runs in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from orderloom.connectors.secrets import read_secret
from orderloom.models.integration import ConnectorDefinition, Option, Secret, Setting
from orderloom.models.values import Value


class SettingMissing(LookupError):
    """A setting that no environment of the bundle gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Resolved options; never shown, since some values are secret."""

    values: Mapping[str, Value] = field(default_factory=dict, repr=False)
    #: options of the connector's `auth`
    auth: Mapping[str, Value] = field(default_factory=dict, repr=False)
    #: the values among them that came from secrets
    secrets: tuple[str, ...] = field(default=(), repr=False)


def resolve(
    definition: ConnectorDefinition,
    settings: Mapping[str, Mapping[str, Value]],
    environment: str = "default",
    environ: Mapping[str, str] | None = None,
) -> Options:
    """Looks up what a connector's options name; raises SettingMissing or SecretMissing, which say where they looked."""
    secrets: list[str] = []

    def look_up(option: Option) -> Value:
        if isinstance(option, Setting):
            return read_setting(option.name, settings, environment, environ)
        if isinstance(option, Secret):
            secrets.append(read_secret(option.name, environ))
            return secrets[-1]
        return option

    values = {name: look_up(option) for name, option in definition.options.items()}
    auth = {name: look_up(option) for name, option in definition.auth.options.items()} if definition.auth else {}
    return Options(values=values, auth=auth, secrets=tuple(secrets))


def setting_variable(name: str) -> str:
    """The environment variable that overrides a setting."""
    return "ORDERLOOM_SETTING_" + name.upper()


def read_setting(
    name: str,
    settings: Mapping[str, Mapping[str, Value]],
    environment: str = "default",
    environ: Mapping[str, str] | None = None,
) -> Value:
    """A setting: from its variable, else of the environment, else of `default`; raises SettingMissing."""
    environ = os.environ if environ is None else environ
    variable = setting_variable(name)
    if variable in environ:
        return environ[variable]
    for place in (environment, "default"):
        if name in settings.get(place, {}):
            return settings[place][name]
    raise SettingMissing(
        f"the setting `{name}` is missing; looked for it in the environment variable {variable} "
        f"and in `settings` of bundle.yaml under `{environment}` and `default`"
    )
