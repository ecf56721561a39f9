"""Channels of notifications on the host's face: made, tried, paused and removed by administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orderloom.models.conversion import Json
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.errors import ChannelTaken, NotTaken, UnknownChannel, UnknownDelivery
from orderloom.runtime.face import Face
from orderloom.runtime.notifications.channels import check_channel
from orderloom.runtime.notifications.duty import worded
from orderloom.runtime.notifications.senders import NotDelivered
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.deliveries import Backlog, Channel, Delivery, DeliveryState, Wanted
from orderloom.runtime.store.errors import Conflict, NotFound
from orderloom.runtime.store.views import PublishedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """A channel and what waits for it."""

    channel: Channel
    backlog: Backlog


class Notifying(Face):
    """The part of `Runtime` that says who outside is told what."""

    @needs(Permission.NOTIFICATIONS_MANAGE)
    async def add_channel(
        self,
        name: str,
        kind: str,
        settings: Mapping[str, Json],
        *,
        events: Sequence[str] = (),
        accounts: Sequence[str] = (),
        products: Sequence[str] = (),
        queues: Sequence[str] = (),
        visible_only: bool = False,
        templates: Mapping[str, str] | None = None,
        by: str = "",
        reason: str = "",
    ) -> Channel:
        """From now on this channel is told the events of these kinds (`*` in them stands for anything; none for all),
        accounts, products and queues; with `visible_only` only what customers are told, in their words.

        `templates` says how kinds are worded. Raises ChannelRefused, ChannelTaken.
        """
        channel = Channel(
            name=name,
            kind=kind,
            settings={key: value for key, value in settings.items() if value not in (None, "", [])},
            wanted=Wanted(
                kinds=tuple(events),
                accounts=tuple(accounts),
                products=tuple(products),
                queues=tuple(queues),
                visible_only=visible_only,
            ),
            templates=dict(templates or {}),
            created_at=self._clock.now(),
        )
        check_channel(channel)
        after: dict[str, Json] = {"kind": kind, "settings": dict(channel.settings), "events": list(events)}
        deed = self._deed("add_channel", "channel", name, by=by, after=after, reason=reason)
        try:
            self._store.add_channel(channel, deed)
        except Conflict:
            raise ChannelTaken(channel=name) from None
        return channel

    @needs(Permission.NOTIFICATIONS_MANAGE)
    async def channels(self) -> list[ChannelView]:
        """By name."""
        backlogs = self._store.backlogs()
        nothing = Backlog(waiting=0, dead=0, oldest=None)
        return [ChannelView(channel=each, backlog=backlogs.get(each.name, nothing)) for each in self._store.channels()]

    @needs(Permission.NOTIFICATIONS_MANAGE)
    async def remove_channel(self, name: str, by: str = "", reason: str = "") -> None:
        """With all that waits for it. Raises UnknownChannel."""
        found = self._channel(name)
        before: dict[str, Json] = {"kind": found.kind, "settings": dict(found.settings)}
        deed = self._deed("remove_channel", "channel", name, by=by, before=before, reason=reason)
        try:
            self._store.remove_channel(name, deed)
        except NotFound:
            raise self._unknown(name) from None

    @needs(Permission.NOTIFICATIONS_MANAGE)
    async def pause_channel(self, name: str, by: str = "", reason: str = "") -> None:
        """Nothing is sent, and nothing is lost. Raises UnknownChannel."""
        self._pause(name, True, self._deed("pause_channel", "channel", name, by=by, reason=reason))

    @needs(Permission.NOTIFICATIONS_MANAGE)
    async def resume_channel(self, name: str, by: str = "", reason: str = "") -> None:
        """Sends what waited. Raises UnknownChannel."""
        self._pause(name, False, self._deed("resume_channel", "channel", name, by=by, reason=reason))

    @needs(Permission.NOTIFICATIONS_MANAGE)
    async def try_channel(self, name: str) -> None:
        """Sends an event `channel.test` over it, at once and once, worded as its template for that kind says. Raises
        UnknownChannel, and NotTaken with the reason."""
        channel = self._channel(name)
        now = self._clock.now()
        self._store.record(self._deed("try_channel", "channel", name))
        event = PublishedEvent(sequence=0, order="", at=now, kind="channel.test", data={"channel": name})
        delivery = worded(channel, event, None, now)
        try:
            if delivery.error:
                raise NotDelivered(delivery.error)
            await self._host.senders.send(channel, delivery, now)
        except NotDelivered as problem:
            raise NotTaken(channel=name, why=problem) from None

    @needs(Permission.NOTIFICATIONS_MANAGE)
    async def deliveries(
        self, channel: str = "", state: DeliveryState | str = "", order: str = "", limit: int = 100
    ) -> list[Delivery]:
        """What was, is to be, or could not be delivered, newest first. Raises UnknownChannel."""
        if channel:
            self._channel(channel)
        states = (DeliveryState(state),) if state else tuple(DeliveryState)
        return self._store.deliveries(states, channel, order, limit)

    @needs(Permission.NOTIFICATIONS_MANAGE)
    async def resend(self, channel: str, deliveries: Sequence[int] = (), by: str = "", reason: str = "") -> int:
        """Tries again what was given up: these deliveries, or all of the channel, at most 10,000; returns how many.
        Raises UnknownChannel, UnknownDelivery."""
        self._channel(channel)
        dead = {each.id: each for each in self._store.deliveries((DeliveryState.DEAD,), channel, limit=10_000)}
        for id in deliveries:
            if id not in dead:
                raise UnknownDelivery(delivery=id, channel=channel)
        # what its template failed on has no body
        chosen = [dead[id] for id in deliveries or dead if dead[id].body]
        after: dict[str, Json] = {"deliveries": [each.id for each in chosen]}
        deed = self._deed("resend", "channel", channel, by=by, after=after, reason=reason)
        return self._store.resend(chosen, self._clock.now(), deed)

    # --- inside

    def _channel(self, name: str) -> Channel:
        for each in self._store.channels():
            if each.name == name:
                return each
        raise self._unknown(name)

    def _unknown(self, name: str) -> UnknownChannel:
        names = ", ".join(each.name for each in self._store.channels()) or "none"
        return UnknownChannel(channel=name, names=names)

    def _pause(self, name: str, paused: bool, deed: Deed) -> None:
        try:
            self._store.pause_channel(name, paused, deed)
        except NotFound:
            raise self._unknown(name) from None
