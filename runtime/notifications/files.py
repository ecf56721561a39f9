"""Notifications as lines of a file."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path

import orjson

from orderloom.runtime.notifications.channels import text
from orderloom.runtime.notifications.senders import NotDelivered
from orderloom.runtime.store.deliveries import Channel, Delivery


class Files:
    """Appends a line of JSON, durable before it counts."""

    at_once = 1

    async def send(self, channel: Channel, delivery: Delivery, secret: str, now: datetime) -> None:
        try:
            await asyncio.to_thread(_append, Path(text(channel, "path")), delivery.body)
        except OSError as error:
            raise NotDelivered(f"cannot write `{text(channel, 'path')}`: {error.strerror}") from None

    async def close(self) -> None:
        """Nothing is kept open."""


def _append(path: Path, body: bytes) -> None:
    line = orjson.dumps(orjson.loads(body)) + b"\n"
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        size = os.fstat(file).st_size
        # a line that a crash cut off stays by itself
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line
        while line:
            line = line[os.write(file, line) :]
        os.fsync(file)
    finally:
        os.close(file)
