"""The order and the account as expressions and templates see them."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.models.order import Account, ProductOrder
from orderloom.models.values import Value


def order_values(order: ProductOrder) -> Mapping[str, Value]:
    """What expressions and templates see as `order`; what the order does not say is absent."""
    return {
        "id": order.id,
        "external_id": order.external_id or None,
        "category": order.category or None,
        "description": order.description or None,
        "priority": order.priority,
        "requested_start": order.requested_start,
        "requested_completion": order.requested_completion,
        "order_date": order.order_date,
        "channel": order.channel or None,
    }


def account_values(account: Account) -> Mapping[str, Value]:
    """What expressions and templates see as `account`."""
    return {"id": account.id, "name": account.name or None}
