"""What things were before: versions of assets, and orders from their first event on."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from operator import attrgetter

from orderloom.models.catalog import Level
from orderloom.models.inventory import Asset, AssetChange, AssetState, AssetVersion
from orderloom.models.order import ProductOrder
from orderloom.runtime.store.codec import dumps, instant, loads, unpack_values
from orderloom.runtime.store.database import Database
from orderloom.runtime.store.errors import NotFound
from orderloom.runtime.store.state_codec import asset_of, order_from, packed_asset

_SETS = ("users_added", "users_removed", "relies_on")
#: fields of a change with their defaults, and what reads them all at once
_DEFAULTS = tuple((each.name, each.default) for each in fields(AssetChange))
_values = attrgetter(*(name for name, _default in _DEFAULTS))


def change_bytes(change: AssetChange) -> bytes:
    """Fields that hold their default are left out."""
    values = zip(_DEFAULTS, _values(change), strict=True)
    return dumps({name: _packed(value) for (name, default), value in values if value != default})


def _packed(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return packed_asset(value) if isinstance(value, Asset) else value


def change_of(data: bytes) -> AssetChange:
    found = loads(data)
    found["level"] = Level(found["level"])
    found["state"] = AssetState(found["state"])
    found["attributes"] = unpack_values(found.get("attributes", {}))
    for name in _SETS:
        found[name] = frozenset(found.get(name, ()))
    if "restored" in found:
        found["restored"] = asset_of(found["restored"])
    return AssetChange(**found)


def _as_change(asset: Asset) -> AssetChange:
    """The change that makes the asset where there is none: the first version of what was there before versions."""
    names = {each.name for each in fields(AssetChange)}
    same = {each.name: getattr(asset, each.name) for each in fields(Asset) if each.name in names}
    return AssetChange(**same, users_added=asset.users)


class SqliteHistories:
    """The `Histories` side of a store."""

    _database: Database

    def asset_history(self, asset: str) -> list[AssetVersion]:
        with self._database.snapshot() as reader:
            rows = reader.execute(
                "SELECT at, change, data FROM asset_history WHERE asset = ? ORDER BY id", (asset,)
            ).fetchall()
        if not rows:
            raise NotFound(f"inventory holds no `{asset}`")
        versions = []
        for number, (at, change, data) in enumerate(rows, 1):
            made = asset_of(loads(data))
            told = change_of(change) if change else _as_change(made)
            versions.append(AssetVersion(number=number, at=instant(at), change=told, asset=made))
        return versions

    def origin(self, order: str) -> tuple[ProductOrder, str, datetime]:
        with self._database.snapshot() as reader:
            row = reader.execute(
                "SELECT content, coalesce(contents.design, orders.design), submitted_at "
                "FROM contents JOIN orders ON id = order_id WHERE id = ?",
                (order,),
            ).fetchone()
        if row is None:
            raise NotFound(f"there is no order `{order}`")
        return order_from(row[0]), str(row[1]), instant(row[2])
