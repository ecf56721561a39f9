"""Orders of every kind of task, the systems they call and the people they wait for; each may be killed at any moment.

Systems and people are like those outside: what they have taken on they remember (in a file), and what they owe they
bring again after a restart. Answers follow from the key and the attempt alone, so every run ends alike.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from orderloom.models.callout import Answer, Callout, Outcome
from orderloom.models.design import Design
from orderloom.models.integration import Callback, Limit, Operation
from orderloom.models.journal import FalloutAction, FalloutResolved, WorkCompleted, WorkKind
from orderloom.models.tasks import TaskKind
from orderloom.runtime.store.codec import dumps
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.sqlite import SqliteStore
from orderloom.runtime.store.views import NewOrder, WorkFilter
from tests.runtime.worker.making import QUICK, call, design, operation, order, task, waits_for_online


def loaded_design() -> Design:
    """Calls that fail at first, one with a callback, one for a person after a refusal; a visit; an event."""
    port = operation("port", callback=Callback(correlate="ref", within=timedelta(hours=4)))
    tasks = (
        call("reserve", retry=QUICK),
        call("check", operation="shop.check"),
        call("port", "reserve", operation="shop.port"),
        task("visit", TaskKind.MANUAL, "check", queue="field"),
        task("online", TaskKind.WAIT, "reserve", event=waits_for_online()),
        call("bill", "port", "visit", "online", retry=QUICK),
        task("over", TaskKind.MILESTONE, "bill"),
    )
    return design(tasks, port, operation("check"), limit=Limit(concurrent=32))


class Log:
    """Lines that outlive the process once they are written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def write(self, line: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_bytes().splitlines()]


def share(*parts: object) -> int:
    """0 … 99, the same for the same parts."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big") % 100


class System:
    """The external system: writes down each call before it answers."""

    def __init__(self, store: SqliteStore, log: Log) -> None:
        self._store = store
        self._log = log
        for line in log.lines():
            if line["operation"] == "shop.port":
                self._call_back(line["key"])

    async def call(self, called: Operation, callout: Callout) -> Answer:
        key, attempt = callout.key, callout.attempt
        body = {part: dict(values) for part, values in callout.context.items()}
        whole = hashlib.sha256(dumps(body)).hexdigest()
        body.get("task", {}).pop("attempt", None)
        body_only = hashlib.sha256(dumps(body)).hexdigest()
        self._log.write({"operation": called.name, "key": key, "attempt": attempt, "whole": whole, "body": body_only})
        await asyncio.sleep(share(key, attempt, "pause") / 20_000)
        if called.name == "shop.port":
            self._call_back(key)
            return Answer(outcome=Outcome.ACCEPTED, outputs={"ref": key}, correlation=key)
        if called.name == "shop.check" and attempt == 1 and share(key) < 20:
            return Answer(outcome=Outcome.FATAL, code="NO_STOCK", message="sold out")
        if share(key, attempt) < 25:
            return Answer(outcome=Outcome.RETRIABLE, code="status_503")
        return Answer(outcome=Outcome.COMPLETED, outputs={"ref": f"R-{key}"})

    def _call_back(self, key: str) -> None:
        self._store.post_callback("shop.port", key, Outcome.COMPLETED, {"ref": f"P-{key}"}, datetime.now(UTC))


async def submit_up_to(store: SqliteStore, digest: str, log: Log, number: int) -> None:
    """Submits what is missing, a few at a time, and writes down what was acknowledged."""
    acknowledged = {line["order"] for line in log.lines()}
    for each in (order(each, boxes=1 + each % 2) for each in range(number)):
        if each.id in acknowledged:
            continue
        # a Conflict means: kept before the last end, only not acknowledged
        with contextlib.suppress(Conflict):
            store.submit([NewOrder(order=each, design=digest)], datetime.now(UTC))
        for item in each.items:
            store.post_event("online", {"serial": item.attributes["serial"]}, datetime.now(UTC))
        log.write({"order": each.id})
        await asyncio.sleep(0)


async def people(store: SqliteStore) -> None:
    """Complete visits, and retry what is in fallout."""
    seen: set[int] = set()
    while True:
        for item in store.work(WorkFilter(), limit=200):
            if item.id in seen:
                continue
            seen.add(item.id)
            now = datetime.now(UTC)
            if item.kind is WorkKind.MANUAL:
                store.post(item.order, WorkCompleted(task=item.task, by="ada"), now)
            else:
                retry = FalloutResolved(task=item.task, action=FalloutAction.RETRY, by="ada")
                store.post(item.order, retry, now)
        await asyncio.sleep(0.01)
