"""Receivers on loopback: one that takes webhooks, one that speaks SMTP."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web


class _InThread:
    """Runs on an event loop of its own, so that plain tests may use it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError


@dataclass
class Taken:
    """A request that came in."""

    headers: dict[str, str]
    body: bytes


class Hooks(_InThread):
    """Takes webhooks; `answer` says with which status."""

    def __init__(self, answer: Callable[[Taken], int] = lambda _taken: 204, app: web.Application | None = None) -> None:
        super().__init__()
        self.taken: list[Taken] = []
        self.answer = answer
        self._app = app
        self.url = ""

    async def start(self) -> None:
        app = self._app or web.Application()
        if self._app is None:
            app.router.add_post("/told", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/told"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        taken = Taken(dict(request.headers), await request.read())
        status = self.answer(taken)
        if status < 300:
            self.taken.append(taken)
        headers = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, text=f"as you {request.headers.get('X-Echo', 'wish')}", headers=headers)


@dataclass
class Mailbox(_InThread):
    """A small SMTP server: EHLO, STARTTLS where it has a certificate, AUTH PLAIN, mail in."""

    user: str = ""
    password: str = ""
    tls: Any = None
    #: answers to RCPT before this many are 451
    busy: int = 0
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    logins: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await asyncio.sleep(0)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, to, known, secure = "", list[str](), not self.user, False
        writer.write(b"220 mailbox\r\n")
        try:
            while line := (await reader.readline()).decode().strip():
                word = line.upper().split(" ")[0]
                if word == "EHLO":
                    offers = (
                        ["mailbox"] + (["STARTTLS"] if self.tls and not secure else []) + ["AUTH PLAIN", "8BITMIME"]
                    )
                    answer = "\r\n".join(
                        f"250{'-' if number < len(offers) - 1 else ' '}{each}" for number, each in enumerate(offers)
                    )
                elif word == "STARTTLS":
                    writer.write(b"220 go on\r\n")
                    await writer.drain()
                    await writer.start_tls(self.tls)
                    secure = True
                    continue
                elif word == "AUTH":
                    given = base64.b64decode(line.split(" ")[2]).decode().split("\0")[1:]
                    known = given == [self.user, self.password]
                    self.logins += known
                    answer = "235 welcome" if known else f"535 {given[1]} is wrong"
                elif word == "MAIL" and not known:
                    answer = "530 log in first"
                elif word == "MAIL":
                    sender, to, answer = line[line.index("<") + 1 : line.index(">")], [], "250 ok"
                elif word == "RCPT" and self.busy > 0:
                    self.busy -= 1
                    answer = "451 come again later"
                elif word == "RCPT":
                    to.append(line[line.index("<") + 1 : line.index(">")])
                    answer = "250 ok"
                elif word == "DATA":
                    writer.write(b"354 go on\r\n")
                    await writer.drain()
                    content = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                    self.mails.append((sender, to, content))
                    answer = "250 taken"
                elif word == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    answer = "250 ok"
                writer.write(answer.encode() + b"\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()
