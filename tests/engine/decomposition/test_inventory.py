"""Changes of inventory are deltas, so that two orders that share an item do not undo each other."""

from __future__ import annotations

from dataclasses import replace

from orderloom.engine.inventory import apply_change
from orderloom.models.catalog import Level
from orderloom.models.inventory import AssetChange, AssetState

ADDED = AssetChange(
    id="T",
    spec="T",
    level=Level.RESOURCE,
    account="ACC",
    order="O1",
    state=AssetState.ACTIVE,
    attributes={"a": 1, "b": 2},
    users_added=frozenset(("p",)),
    anchor="T account ACC",
)


def test_made_from_the_change_where_there_was_none() -> None:
    asset = apply_change(None, ADDED)

    assert asset.state is AssetState.ACTIVE
    assert asset.attributes == {"a": 1, "b": 2}
    assert asset.users == {"p"}
    assert asset.anchor == "T account ACC"


def test_attributes_and_users_are_deltas() -> None:
    change = replace(
        ADDED, attributes={"a": None, "c": 3}, users_added=frozenset(("q",)), users_removed=frozenset(("p",))
    )
    asset = apply_change(apply_change(None, ADDED), change)

    assert asset.attributes == {"b": 2, "c": 3}
    assert asset.users == {"q"}


def test_a_reservation_does_not_take_an_active_item_out_of_use() -> None:
    asset = apply_change(apply_change(None, ADDED), replace(ADDED, state=AssetState.RESERVED))

    assert asset.state is AssetState.ACTIVE


def test_an_item_is_terminated_with_its_last_user() -> None:
    shared = apply_change(apply_change(None, ADDED), replace(ADDED, users_added=frozenset(("q",))))
    gone = replace(ADDED, state=AssetState.TERMINATED, users_added=frozenset(), users_removed=frozenset(("p",)))

    left = apply_change(shared, gone)
    assert left.state is AssetState.ACTIVE
    assert left.users == {"q"}
    last = apply_change(left, replace(gone, users_removed=frozenset(("q",))))
    assert last.state is AssetState.TERMINATED
    assert apply_change(last, ADDED).attributes == {"a": 1, "b": 2}
