"""How a message leaves: by HTTP, by SMTP, into a file. What goes wrong is NotDelivered, in words without secrets.

Each way is a module of its own, loaded for the first channel of its kind.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from orderloom.connectors.masking import Masker
from orderloom.connectors.secrets import SecretMissing, read_secret
from orderloom.runtime.notifications.channels import text
from orderloom.runtime.store.deliveries import Channel, Delivery

#: characters of an answer that are kept as the reason of a failure
MOST_REASON = 300
#: kind of channel -> module of this package and its class
_WAYS: Mapping[str, tuple[str, str]] = {
    "webhook": ("webhooks", "Webhooks"),
    "smtp": ("mails", "Mails"),
    "file": ("files", "Files"),
}


class NotDelivered(Exception):
    """A delivery that failed; worth another attempt."""


class Sender(Protocol):
    """One way out."""

    #: attempts for one channel at a time
    at_once: int

    async def send(self, channel: Channel, delivery: Delivery, secret: str, now: datetime) -> None:
        """Returns once the receiver has taken it. Raises NotDelivered."""

    async def close(self) -> None:
        """Ends what is open."""


class Senders:
    """All ways out; secrets are looked up at each attempt, and hidden in whatever is said of a failure."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._senders: dict[str, Sender] = {}

    def at_once(self, channel: Channel) -> int:
        """Attempts for one channel at a time."""
        return self._sender(channel).at_once

    async def send(self, channel: Channel, delivery: Delivery, now: datetime) -> None:
        """Raises NotDelivered."""
        name = text(channel, "secret")
        try:
            secret = read_secret(name, self._environ) if name else ""
        except SecretMissing as error:
            raise NotDelivered(str(error)) from None
        try:
            await self._sender(channel).send(channel, delivery, secret, now)
        except NotDelivered as error:
            masked = Masker((secret,) if secret else ()).mask(str(error))
            raise NotDelivered(masked[: 2 * MOST_REASON]) from None

    def _sender(self, channel: Channel) -> Sender:
        if channel.kind not in self._senders:
            module, name = _WAYS[channel.kind]
            made: Sender = getattr(importlib.import_module(f"orderloom.runtime.notifications.{module}"), name)()
            self._senders[channel.kind] = made
        return self._senders[channel.kind]

    async def close(self) -> None:
        """Ends what is open; what is sent later opens it again."""
        for sender in self._senders.values():
            await sender.close()
