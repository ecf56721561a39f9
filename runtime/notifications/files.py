"""Notifications as lines of a file."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import orjson

from orderloom.runtime.notifications.channels import text
from orderloom.runtime.notifications.senders import NotDelivered
from orderloom.runtime.store.deliveries import Channel, Delivery


class Files:
    """Appends lines of JSON, durable before they count; what waits while others are written goes in one write."""

    at_once = 100

    def __init__(self) -> None:
        self._waiting: list[tuple[Path, bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def send(self, channel: Channel, delivery: Delivery, secret: str, now: datetime) -> None:
        loop = asyncio.get_running_loop()
        path, done = Path(text(channel, "path")), loop.create_future()
        self._waiting.append((path, orjson.dumps(orjson.loads(delivery.body)) + b"\n", done))
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        try:
            await done
        except OSError as error:
            raise NotDelivered(f"cannot write `{path}`: {error.strerror}") from None

    async def close(self) -> None:
        if self._writing is not None and not self._writing.done():
            await self._writing

    async def _write(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            by_path: dict[Path, list[tuple[bytes, asyncio.Future[None]]]] = defaultdict(list)
            for path, line, done in waiting:
                by_path[path].append((line, done))
            for path, lines in by_path.items():
                error: OSError | None = None
                try:
                    await asyncio.to_thread(_append, path, b"".join(line for line, _ in lines))
                except OSError as problem:
                    error = problem
                for _, done in lines:
                    if done.done():
                        continue
                    if error is None:
                        done.set_result(None)
                    else:
                        done.set_exception(error)


def _append(path: Path, lines: bytes) -> None:
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        size = os.fstat(file).st_size
        # a line that a crash cut off stays by itself
        if size and os.pread(file, 1, size - 1) != b"\n":
            lines = b"\n" + lines
        while lines:
            lines = lines[os.write(file, lines) :]
        os.fsync(file)
    finally:
        os.close(file)
