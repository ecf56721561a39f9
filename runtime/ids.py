"""Ids of orders: sorted by time, short enough to read out, and the same for the same idempotency key."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

#: Crockford's base 32 in lower case: no letters that look like others
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_order_id(at: datetime) -> str:
    """Seven characters of the second, seven of chance."""
    return _text(int(at.timestamp()), 7) + _text(secrets.randbits(35), 7)


def keyed_order_id(key: str) -> str:
    """The id that belongs to an idempotency key."""
    digest = hashlib.sha256(key.encode()).digest()
    return "k" + _text(int.from_bytes(digest[:15]), 23)


def _text(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(length - 1, -1, -1))
