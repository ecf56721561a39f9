"""Notifications by HTTP."""

from __future__ import annotations

import ssl
from datetime import datetime

import aiohttp

from orderloom.runtime.notifications.channels import text, timeout
from orderloom.runtime.notifications.senders import NotDelivered
from orderloom.runtime.notifications.signing import signature
from orderloom.runtime.store.deliveries import Channel, Delivery

#: bytes of an answer that are read; what is kept of them is cut after secrets are hidden
_MOST_READ = 4_000


class Webhooks:
    """POSTs the body as JSON; only a status of 200 to 299 counts, and redirects are not followed."""

    at_once = 16

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[str, ssl.SSLContext] = {}

    async def send(self, channel: Channel, delivery: Delivery, secret: str, now: datetime) -> None:
        stamp = int(now.timestamp())
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": delivery.key,
            "Orderloom-Delivery": delivery.key,
            "Orderloom-Event": delivery.kind,
            "Orderloom-Timestamp": str(stamp),
        }
        if secret:
            headers["Orderloom-Signature"] = signature(secret, stamp, delivery.body)
        try:
            async with self._open().post(
                text(channel, "url"),
                data=delivery.body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout(channel)),
                ssl=self._context(text(channel, "authority")),
            ) as response:
                if not 200 <= response.status < 300:
                    answer = (await response.content.read(_MOST_READ)).decode(errors="replace")
                    raise NotDelivered(f"answered {response.status}: {' '.join(answer.split()) or 'nothing more'}")
        except TimeoutError:
            raise NotDelivered(f"no answer within {timeout(channel):g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise NotDelivered(f"not reached: {error or type(error).__name__}") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0)
            self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def _context(self, authority: str) -> ssl.SSLContext | bool:
        if not authority:
            return True
        if authority not in self._contexts:
            self._contexts[authority] = ssl.create_default_context(cafile=authority)
        return self._contexts[authority]

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
