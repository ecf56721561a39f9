"""Signatures of webhooks: receivers tell by them who sent a message, and when."""

from __future__ import annotations

import hmac
from hashlib import sha256


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """`v1=` and the hexadecimal HMAC-SHA256, by the secret, of `TIMESTAMP.BODY`; the timestamp is in Unix seconds."""
    return "v1=" + hmac.new(secret.encode(), b"%d." % timestamp + body, sha256).hexdigest()
