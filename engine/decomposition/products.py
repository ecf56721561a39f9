"""Lines for products as inventory holds them."""

from __future__ import annotations

from orderloom.models.catalog import Action, Level
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.inventory import Asset

_FROM_INVENTORY = Provenance(origin=Origin.INVENTORY)


def product_line(asset: Asset, *, id: str, action: Action, parent: str, context: bool) -> Line:
    """A line for a product as inventory holds it."""
    return Line(
        id=id,
        spec=asset.spec,
        level=Level.PRODUCT,
        action=action,
        quantity=asset.quantity,
        attributes=dict(asset.attributes),
        parent=parent,
        root="",
        asset=asset.id,
        context=context,
        before=dict(asset.attributes),
        held=asset,
        ordered=asset.ordered,
        provenance=dict.fromkeys(asset.attributes, _FROM_INVENTORY),
    )
