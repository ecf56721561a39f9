"""The kinds of channels and their settings, checked when a channel is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from yarl import URL

from orderloom.models.conversion import Json
from orderloom.runtime.errors import ChannelRefused
from orderloom.runtime.notifications.pacing import MOST_HOURS, MOST_TRIES
from orderloom.runtime.notifications.wording import TemplateProblem, Wording
from orderloom.runtime.store.deliveries import Channel

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SECRET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_ADDRESS = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")
_SECURITY = ("starttls", "tls", "none")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel."""

    needed: tuple[str, ...]
    others: tuple[str, ...]


_COMMON = ("tries", "hours", "timeout")
KINDS: Mapping[str, Kind] = {
    "webhook": Kind(("url",), ("secret", "authority", *_COMMON)),
    "smtp": Kind(("host", "to", "from"), ("port", "security", "user", "secret", "authority", *_COMMON)),
    "file": Kind(("path",), ("tries", "hours")),
}
#: seconds that one attempt may take
TIMEOUT = 30


def check_channel(channel: Channel) -> None:
    """Raises ChannelRefused, which says what was found and what is expected."""
    if not _NAME.fullmatch(channel.name):
        _refuse(channel, f"`{channel.name[:80]}` is no name", "lower case letters, digits, `_` and `-`, at most 64")
    kind = KINDS.get(channel.kind)
    if kind is None:
        _refuse(channel, f"`{channel.kind}` is no kind of channel", f"one of {', '.join(KINDS)}")
    given = [name for name, value in channel.settings.items() if value not in (None, "", [])]
    for name in given:
        if name not in (*kind.needed, *kind.others):
            _refuse(channel, f"a {channel.kind} has no `{name}`", f"{', '.join((*kind.needed, *kind.others))}")
    for name in kind.needed:
        if name not in given:
            _refuse(channel, f"`{name}` is missing", f"a {channel.kind} needs {', '.join(kind.needed)}")
    for name in given:
        _CHECKS[name](channel, name, channel.settings[name])
    if channel.kind == "smtp":
        _check_mail(channel)
    _check_templates(channel)


def most_tries(channel: Channel) -> int:
    """Attempts before a delivery is given up."""
    found = channel.settings.get("tries")
    return found if isinstance(found, int) else MOST_TRIES


def most_hours(channel: Channel) -> float:
    """Hours after which a delivery is given up."""
    found = channel.settings.get("hours")
    return float(found) if isinstance(found, (int, float)) else MOST_HOURS


def timeout(channel: Channel) -> float:
    """Seconds that an attempt may take."""
    found = channel.settings.get("timeout")
    return float(found) if isinstance(found, (int, float)) else TIMEOUT


def text(channel: Channel, name: str) -> str:
    """A setting, "" where there is none."""
    found = channel.settings.get(name)
    return found if isinstance(found, str) else ""


def _refuse(channel: Channel, found: str, expected: str) -> NoReturn:
    raise ChannelRefused(channel=channel.name[:80], found=found, expected=expected)


def _url(channel: Channel, name: str, value: Json) -> None:
    try:
        url = URL(str(value))
    except ValueError:
        url = URL("")
    if url.scheme not in ("http", "https") or not url.host or url.fragment:
        _refuse(channel, f"`{name}` is `{value}`", "http(s)://host[:port][/path][?query]")
    if url.user or url.password:
        _refuse(channel, f"`{name}` holds credentials", "none there: the receiver checks the signature, see `secret`")


def _secret(channel: Channel, name: str, value: Json) -> None:
    if not isinstance(value, str) or not _SECRET.fullmatch(value):
        # the value is not repeated: it may be the secret itself
        _refuse(channel, f"`{name}` is no name of a secret", "its name: letters, digits, `_`, `.` and `-`")


def _addresses(channel: Channel, name: str, value: Json) -> None:
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, str) or not _ADDRESS.fullmatch(each) or not each.isascii():
            _refuse(channel, f"`{name}` holds `{each}`", "addresses of the form name@domain, in ASCII")


def _path(channel: Channel, name: str, value: Json) -> None:
    if not isinstance(value, str) or not Path(value).is_absolute() or "\0" in value:
        _refuse(channel, f"`{name}` is `{value}`", "an absolute path")


def _host(channel: Channel, name: str, value: Json) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9.:_-]+", value):
        _refuse(channel, f"`{name}` is `{value}`", "a host name or an address")


def _user(channel: Channel, name: str, value: Json) -> None:
    if not isinstance(value, str) or not value.isprintable():
        _refuse(channel, f"`{name}` is no text of one line", "the name to log in with")


def _security(channel: Channel, name: str, value: Json) -> None:
    if value not in _SECURITY:
        _refuse(channel, f"`{name}` is `{value}`", f"one of {', '.join(_SECURITY)}")


def _port(channel: Channel, name: str, value: Json) -> None:
    if not isinstance(value, int) or not 0 < value < 65_536:
        _refuse(channel, f"`{name}` is `{value}`", "a number from 1 to 65535")


def _positive(channel: Channel, name: str, value: Json) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 10_000:
        _refuse(channel, f"`{name}` is `{value}`", "a number above 0, at most 10000")


def _count(channel: Channel, name: str, value: Json) -> None:
    if not isinstance(value, int):
        _refuse(channel, f"`{name}` is `{value}`", "a whole number")
    _positive(channel, name, value)


_CHECKS = {
    "url": _url,
    "secret": _secret,
    "to": _addresses,
    "from": _addresses,
    "path": _path,
    "authority": _path,
    "host": _host,
    "user": _user,
    "security": _security,
    "port": _port,
    "tries": _count,
    "hours": _positive,
    "timeout": _positive,
}


def _check_mail(channel: Channel) -> None:
    user, secret = text(channel, "user"), text(channel, "secret")
    if bool(user) is not bool(secret):
        _refuse(channel, f"`{'user' if user else 'secret'}` stands alone", "`user` and `secret` together, or none")
    if user and text(channel, "security") == "none":
        _refuse(channel, "a password would be sent in the clear", "`security` starttls or tls where there is a user")


def _check_templates(channel: Channel) -> None:
    for pattern, template in channel.templates.items():
        try:
            Wording(channel.kind, {pattern: template})
        except TemplateProblem as problem:
            found = f"the template for `{pattern}`, line {problem.line}: {problem.message}"
            _refuse(channel, found, problem.help or "a Jinja template, see the README")
