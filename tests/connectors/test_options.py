"""Kinds, settings and secrets by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderloom.connectors.http import HttpConnector
from orderloom.connectors.options import SettingMissing, resolve
from orderloom.connectors.registry import UnknownConnectorKind, connector_kind, connector_kinds
from orderloom.connectors.secrets import SecretMissing, read_secret
from orderloom.connectors.simulator import SimulatorConnector
from orderloom.models.integration import Auth, ConnectorDefinition, Secret, Setting

DEFINITION = ConnectorDefinition(
    name="inventory",
    title="",
    kind="http",
    options={"base_url": Setting("inventory_url"), "fixed": 7},
    auth=Auth(kind="bearer", options={"token": Secret("inventory_token")}),
)
SETTINGS = {"default": {"inventory_url": "http://a"}, "production": {"inventory_url": "http://b"}}
SECRET = {"ORDERLOOM_SECRET_INVENTORY_TOKEN": "t0k3n"}


def test_kinds_are_found_by_entry_point() -> None:
    assert {"http", "simulator"} <= set(connector_kinds())
    assert connector_kind("http") is HttpConnector
    assert connector_kind("simulator") is SimulatorConnector


def test_an_unknown_kind_lists_what_is_installed() -> None:
    with pytest.raises(UnknownConnectorKind, match=r"`soap`; installed are .*http.*simulator"):
        connector_kind("soap")


@pytest.mark.parametrize(
    ("environment", "url"), [("default", "http://a"), ("production", "http://b"), ("test", "http://a")]
)
def test_settings_are_those_of_the_environment(environment: str, url: str) -> None:
    options = resolve(DEFINITION, SETTINGS, environment, SECRET)
    assert options.values == {"base_url": url, "fixed": 7}
    assert options.auth == {"token": "t0k3n"}
    assert options.secrets == ("t0k3n",)
    assert "t0k3n" not in repr(options)


def test_a_variable_overrides_a_setting() -> None:
    environ = {**SECRET, "ORDERLOOM_SETTING_INVENTORY_URL": "http://c"}
    assert resolve(DEFINITION, SETTINGS, "production", environ).values["base_url"] == "http://c"


def test_a_missing_setting_says_where_it_was_looked_for() -> None:
    with pytest.raises(SettingMissing, match=r"`inventory_url`.*ORDERLOOM_SETTING_INVENTORY_URL.*under `test`"):
        resolve(DEFINITION, {}, "test", SECRET)


def test_a_missing_secret_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match=r"`inventory_token`.*ORDERLOOM_SECRET_INVENTORY_TOKEN.*is not set"):
        resolve(DEFINITION, SETTINGS, environ={})
    with pytest.raises(SecretMissing, match="and the file"):
        read_secret("inventory_token", {"ORDERLOOM_SECRETS_DIR": str(tmp_path)})


def test_secrets_come_from_files_and_the_environment_goes_first(tmp_path: Path) -> None:
    (tmp_path / "inventory_token").write_text("from file \n", encoding="utf-8")
    environ = {"ORDERLOOM_SECRETS_DIR": str(tmp_path)}
    assert read_secret("inventory_token", environ) == "from file "
    assert read_secret("inventory_token", environ | SECRET) == "t0k3n"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "/etc/passwd"])
def test_a_secrets_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(SecretMissing, match="is no name of a secret"):
        read_secret(name, {"ORDERLOOM_SECRETS_DIR": str(tmp_path)})
