"""Failed tasks on the host's face: who may do what with them, what a correction changes, and the owner who is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from orderloom.models.journal import WorkKind
from orderloom.models.order import OrderStatus
from orderloom.runtime import Runtime
from orderloom.runtime.access.permissions import ROLES
from orderloom.runtime.access.principals import Principal
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.errors import (
    Forbidden,
    NotAllowed,
    UnknownBulk,
    UnknownConnector,
    UnknownDefinition,
    UnknownLine,
    UnknownQueue,
    UnknownWork,
    ValuesRefused,
)
from orderloom.runtime.pace import Pace
from orderloom.runtime.store.causes import FalloutFilter
from orderloom.runtime.store.views import WorkState
from tests.runtime.face.parcels import FILES, box

TMF_EVENT = "ProductOrderInformationRequiredEvent"


def someone(role: str, *, accounts: frozenset[str] | None = None, queues: frozenset[str] | None = None) -> Principal:
    return Principal(name=role, permissions=ROLES[role].permissions, accounts=accounts, queues=queues)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[tuple[Runtime, VirtualClock]]:
    clock = VirtualClock()
    async with await Runtime.open(path, clock=clock) as runtime:
        await runtime.deploy(FILES)
        yield runtime, clock


async def failed(runtime: Runtime, *ids: str, account: str = "A-1") -> list[int]:
    """Orders of boxes that are too heavy; the items of their failed tasks."""
    for id in ids:
        await runtime.submit(box(id=id, account=account))
    await runtime.run_until_idle()
    for item in await runtime.work(kind=WorkKind.MANUAL):
        await runtime.complete(item.id, "ada", {"weight": 30})
    await runtime.run_until_idle()
    return [each.item.id for each in await runtime.fallout() if each.item.order in ids]


Story = Callable[[Runtime, VirtualClock], Awaitable[None]]


def told(path: Path, story: Story) -> None:
    async def run() -> None:
        async with opened(path) as (runtime, clock):
            await story(runtime, clock)

    asyncio.run(run())


def test_a_correction_is_shown_before_it_is_made(tmp_path: Path) -> None:
    async def story(runtime: Runtime, _clock: VirtualClock) -> None:
        (item,) = await failed(runtime, "O-1")
        line = (await runtime.fallout_item(item)).item.task.partition("/")[0]
        found = await runtime.preview_correction("O-1", line, {"weight": "3", "size": "small"})
        assert [(each.name, each.before, each.after) for each in found.changes] == [("weight", 30, 3)]
        assert found.tasks == ((await runtime.fallout_item(item)).item.task,)
        assert (await runtime.preview_correction("O-1", line, {"weight": 30})).tasks == ()
        with pytest.raises(ValuesRefused) as refused:
            await runtime.preview_correction("O-1", line, {"weight": "much", "colour": "red", "size": None})
        assert {each.path for each in refused.value.problems} == {"weight", "colour", "size"}
        with pytest.raises(UnknownLine):
            await runtime.preview_correction("O-1", "nowhere", {"weight": 3})
        await runtime.correct("O-1", line, {"weight": 3}, "ada", "weighed again")
        await runtime.run_until_idle()
        await runtime.retry(item, "ada")
        await runtime.run_until_idle()
        assert await runtime.fallout() == []
        (deed,) = [each.deed for each in await runtime.audit(order="O-1", what="correct")]
        assert (deed.who, deed.before, deed.after, deed.reason) == (
            "ada",
            {"weight": 30},
            {"weight": 3},
            "weighed again",
        )

    told(tmp_path, story)


def test_the_owner_of_an_order_is_asked_and_answers(tmp_path: Path) -> None:
    async def story(runtime: Runtime, _clock: VirtualClock) -> None:
        (item,) = await failed(runtime, "O-1")
        operator = runtime.bound(someone("fallout_operator", queues=frozenset(("trouble",))))
        owner = runtime.bound(someone("customer", accounts=frozenset(("A-1",))))
        stranger = runtime.bound(someone("customer", accounts=frozenset(("A-2",))))
        with pytest.raises(NotAllowed, match="name the attributes"):
            await operator.return_to_owner(item)
        with pytest.raises(ValuesRefused, match="colour"):
            await operator.return_to_owner(item, ("weight", "colour"))
        await operator.return_to_owner(item, ("weight",), "how heavy is it?")
        await runtime.run_until_idle()
        assert (await runtime.work_item(item)).state is WorkState.RETURNED
        (event,) = [each for each in await runtime.events() if each.kind == "order.information_required"]
        assert (event.order, event.data["event"], event.data["attributes"]) == ("O-1", TMF_EVENT, ["weight"])
        assert "how heavy is it?" in str([record.entries for record in await runtime.journal("O-1")])
        assert await stranger.wanted() == []
        (wanted,) = await owner.wanted()
        assert (wanted.item, wanted.attributes, wanted.text, wanted.by) == (
            item, ("weight",), "how heavy is it?", "fallout_operator",
        )  # fmt: skip
        with pytest.raises(UnknownWork):
            await stranger.answer(item, {"weight": 3})
        with pytest.raises(ValuesRefused, match="size"):
            await owner.answer(item, {"weight": 3, "size": "large"})
        with pytest.raises(ValuesRefused, match="weight: expected a value"):
            await owner.answer(item, {})
        with pytest.raises(Forbidden):
            await owner.retry(item)
        await owner.answer(item, {"weight": 3})
        with pytest.raises(NotAllowed, match="waits to be taken up"):
            await owner.answer(item, {"weight": 4})
        await runtime.run_until_idle()
        assert await owner.wanted() == []
        assert await runtime.fallout() == []
        assert [each.deed.who for each in await runtime.audit(what="answer")] == ["customer"]
        assert (await runtime.replay("O-1")).differences == ()

    told(tmp_path, story)


def test_a_question_in_words_is_answered_in_words(tmp_path: Path) -> None:
    async def story(runtime: Runtime, _clock: VirtualClock) -> None:
        (item,) = await failed(runtime, "O-1")
        owner = runtime.bound(someone("customer", accounts=frozenset(("A-1",))))
        await runtime.return_to_owner(item, (), "is it worth it?", "ada")
        await runtime.run_until_idle()
        with pytest.raises(ValuesRefused, match="an answer in words"):
            await owner.answer(item, {"tracking": "T-of-another"})
        with pytest.raises(ValuesRefused, match="the answer in words"):
            await owner.answer(item, {})
        await owner.answer(item, {}, reason="it is")
        with pytest.raises(UnknownWork):
            await owner.answer(item, {}, reason="it is not")
        await runtime.run_until_idle()
        assert (await runtime.work_item(item)).state is WorkState.OPEN
        last = (await runtime.work_history(item))[-1]
        assert (last.by, last.reason) == ("customer", "it is")

    told(tmp_path, story)


def test_what_waits_for_the_owner_can_be_taken_back_and_comes_back_with_an_amendment(tmp_path: Path) -> None:
    async def story(runtime: Runtime, _clock: VirtualClock) -> None:
        one, two = await failed(runtime, "O-1", "O-2")
        for item in (one, two):
            await runtime.return_to_owner(item, (), "is it a box at all?", "ada")
        await runtime.run_until_idle()
        assert {each.item for each in await runtime.wanted()} == {one, two}
        with pytest.raises(NotAllowed, match="waits for the owner"):
            await runtime.retry(one, "ada")
        assert (await runtime.take_back(one, "ada")).state is WorkState.OPEN
        with pytest.raises(NotAllowed, match="does not wait"):
            await runtime.take_back(one, "ada")
        await runtime.amend("O-2", box("fragile", id="O-2"), "owner", "it is one")
        await runtime.run_until_idle()
        assert await runtime.wanted() == []
        states = {each.item.order: each.item.state for each in await runtime.fallout()}
        assert states == {"O-1": WorkState.OPEN, "O-2": WorkState.OPEN}

    told(tmp_path, story)


def test_bulks_are_of_what_one_sees(tmp_path: Path) -> None:
    async def story(runtime: Runtime, clock: VirtualClock) -> None:
        items = await failed(runtime, "O-1", "O-2", "O-3")
        outsider = runtime.bound(someone("fallout_operator", queues=frozenset(("others",))))
        assert await outsider.fallout() == []
        assert await outsider.fallout_groups() == []
        with pytest.raises(NotAllowed, match="nothing matches"):
            await outsider.start_bulk("skip")
        with pytest.raises(UnknownWork):
            await outsider.start_bulk("skip", items=items)
        with pytest.raises(UnknownQueue):
            await runtime.start_bulk("handOver", queue="nowhere")
        for wrong in ({"queue": "trouble"}, {"values": {"weight": 1}}):
            with pytest.raises(NotAllowed, match="it takes no"):
                await runtime.start_bulk("skip", **wrong)
        with pytest.raises(NotAllowed, match="it needs values"):
            await runtime.start_bulk("correct")
        with pytest.raises(UnknownBulk):
            await runtime.bulk(99)
        (group,) = await runtime.fallout_groups()
        where = FalloutFilter(group=group.cause.id)
        started = await runtime.start_bulk(
            "correct",
            where,
            values={"weight": "3"},
            pace=Pace.read("30/m"),
            at=clock.now() + timedelta(hours=1),
            by="ada",
        )
        assert (started.total, started.chosen) == (3, {"group": group.cause.id})
        assert await outsider.bulks() == []
        for asked in (outsider.bulk, outsider.bulk_targets, outsider.stop_bulk, outsider.resume_bulk):
            with pytest.raises(UnknownBulk):
                await asked(started.id)
        for span in (timedelta(hours=1), timedelta(seconds=2), timedelta(seconds=2), timedelta(seconds=2)):
            clock.advance(span)
            await runtime.run_until_idle()
        assert (await runtime.bulk(started.id)).done == 3
        assert [each.state for each in await runtime.bulk_targets(started.id)] == ["done"] * 3
        assert len(await runtime.audit(what="start_bulk")) == 1
        with pytest.raises(NotAllowed):
            await runtime.stop_bulk(started.id)

    told(tmp_path, story)


def test_orders_are_held_by_filter(tmp_path: Path) -> None:
    async def story(runtime: Runtime, _clock: VirtualClock) -> None:
        await failed(runtime, "O-1", "O-2")
        await failed(runtime, "O-3", account="A-2")
        held = await runtime.hold_many(account="A-1", by="ada", reason="no credit")
        await runtime.run_until_idle()
        assert (await runtime.bulk(held.id)).done == 2
        assert {each.id for each in await runtime.orders(status=OrderStatus.HELD)} == {"O-1", "O-2"}
        await runtime.hold_many("resume", orders=["O-2"])
        await runtime.run_until_idle()
        assert [each.id for each in await runtime.orders(status=OrderStatus.HELD)] == ["O-1"]

    told(tmp_path, story)


def test_control_is_for_administrators_and_is_shown(tmp_path: Path) -> None:
    async def story(runtime: Runtime, _clock: VirtualClock) -> None:
        manager = runtime.bound(someone("manager"))
        with pytest.raises(Forbidden):
            await manager.limit_connector("depot", at_once=1)
        with pytest.raises(UnknownConnector):
            await runtime.limit_connector("moon", at_once=1)
        with pytest.raises(NotAllowed, match="hold the connector"):
            await runtime.limit_connector("depot", at_once=0)
        with pytest.raises(NotAllowed, match="`depot` is not held"):
            await runtime.release_connector("depot")
        with pytest.raises(UnknownConnector):
            await runtime.release_connector("moon")
        with pytest.raises(NotAllowed, match="has no breaker"):
            await runtime.open_breaker("depot")
        with pytest.raises(UnknownDefinition):
            await runtime.pause_tasks("Ship.nothing")
        with pytest.raises(UnknownDefinition):
            await runtime.resume_tasks("Ship.pack")
        await runtime.limit_connector("depot", priority=4, at_once=2, pace=Pace.read("30/m"), by="ada")
        await runtime.limit_connector(at_once=9)
        await runtime.hold_connector("depot", "maintenance", "ada")
        (depot,) = await manager.connectors()
        (limit,) = depot.limits
        assert (depot.held, limit.priority, limit.at_once, limit.pace) == (True, 4, 2, "30/m")
        assert [each.at_once for each in await runtime.shared_limits()] == [9]
        await runtime.release_connector("depot", "ada", Pace.read("5/s"))
        assert (await runtime.connectors())[0].release == "5/s"
        await runtime.limit_connector("depot", priority=4)
        assert (await runtime.connectors())[0].limits == ()
        (first, *_rest) = await runtime.audit(what="limit_connector")
        assert (first.deed.before["at_once"], first.deed.after) == (2, {"priority": 4})
        drain = await runtime.drain(by="ada", reason="upgrade")
        assert await runtime.drained() == drain
        assert await runtime.undrain()
        assert not await runtime.undrain()

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("text", "shown"), [("10/s", "10/s"), ("30/m", "30/m"), ("5", "5/s"), ("0.5/s", "30/m"), ("2/h", "2/h")]
)
def test_paces_are_read_and_shown(text: str, shown: str) -> None:
    assert str(Pace.read(text)) == shown


@pytest.mark.parametrize("text", ["", "fast", "0/s", "1/d", "-1/s"])
def test_what_is_no_pace(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        Pace.read(text)
