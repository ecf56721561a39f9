"""Notifications by SMTP."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime

from orderloom.runtime.notifications.channels import text, timeout
from orderloom.runtime.notifications.senders import NotDelivered
from orderloom.runtime.store.deliveries import Channel, Delivery

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class Mails:
    """Sends by SMTP, in a thread; a recipient that the server refuses while it takes others is not told again."""

    at_once = 2

    async def send(self, channel: Channel, delivery: Delivery, secret: str, now: datetime) -> None:
        try:
            await asyncio.to_thread(_send_mail, channel, mail(channel, delivery), secret)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise NotDelivered(f"not taken by {text(channel, 'host')}: {error or type(error).__name__}") from None

    async def close(self) -> None:
        """Nothing is kept open."""


def mail(channel: Channel, delivery: Delivery) -> EmailMessage:
    """The mail of a delivery; its Message-ID is the same at each attempt."""
    message = EmailMessage(policy=MAIL_POLICY)
    sender = text(channel, "from")
    message["Subject"] = delivery.subject
    message["From"] = sender
    message["To"] = ", ".join(_recipients(channel))
    message["Date"] = format_datetime(delivery.at)
    message["Message-ID"] = f"<{delivery.channel}.{delivery.sequence}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(delivery.body.decode())
    return message


def _recipients(channel: Channel) -> list[str]:
    to = channel.settings["to"]
    return [str(each) for each in to] if isinstance(to, list) else [str(to)]


def _send_mail(channel: Channel, message: EmailMessage, secret: str) -> None:
    security = text(channel, "security") or "starttls"
    found = channel.settings.get("port")
    port = found if isinstance(found, int) else _PORTS[security]
    host, seconds = text(channel, "host"), timeout(channel)
    context = ssl.create_default_context(cafile=text(channel, "authority") or None)
    if security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=seconds)
    with server:
        if security == "starttls":
            server.starttls(context=context)
        if user := text(channel, "user"):
            server.login(user, secret)
        server.send_message(message, to_addrs=_recipients(channel))
