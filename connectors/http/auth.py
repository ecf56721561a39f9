"""How calls authenticate: one class a kind, named in `AUTHENTICATORS`."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Protocol

import aiohttp

from orderloom.connectors.masking import Masker
from orderloom.connectors.templates.body import parse_json
from orderloom.models.values import Value

#: a token is renewed this many seconds before it expires, or after half its life if that is sooner
_MARGIN = 30.0
_MOST_TOKEN_BYTES = 100_000


class AuthenticationFailed(Exception):
    """The token endpoint gave no token; `retriable` says whether another attempt may help."""

    def __init__(self, message: str, retriable: bool) -> None:
        super().__init__(message)
        self.retriable = retriable


class Authenticator(Protocol):
    """Adds credentials to calls."""

    async def headers(self, session: aiohttp.ClientSession) -> Mapping[str, str]:
        """The headers that carry the credentials; may ask for a token."""

    def rejected(self, headers: Mapping[str, str]) -> bool:
        """Told of a 401 to a call with these headers; whether trying once more with new ones may help."""


class StaticHeaders:
    """Credentials that do not change."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    async def headers(self, session: aiohttp.ClientSession) -> Mapping[str, str]:
        return self._headers

    def rejected(self, headers: Mapping[str, str]) -> bool:
        return False


class ClientCredentials:
    """OAuth 2 client credentials grant (RFC 6749, 4.4): one token for all calls, asked for by one call at a time."""

    def __init__(self, options: Mapping[str, Value], masker: Masker) -> None:
        self._url = required(options, "token_url")
        self._client = (required(options, "client_id"), required(options, "client_secret"))
        self._scope = options.get("scope")
        self._masker = masker
        self._token = ""
        self._renew_at = 0.0
        self._asking = asyncio.Lock()

    async def headers(self, session: aiohttp.ClientSession) -> Mapping[str, str]:
        if not self._token or monotonic() >= self._renew_at:
            async with self._asking:
                if not self._token or monotonic() >= self._renew_at:
                    await self._ask(session)
        return {"Authorization": f"Bearer {self._token}"}

    def rejected(self, headers: Mapping[str, str]) -> bool:
        if headers.get("Authorization") == f"Bearer {self._token}":
            self._token = ""
        return True

    async def _ask(self, session: aiohttp.ClientSession) -> None:
        form = {"grant_type": "client_credentials"} | ({"scope": str(self._scope)} if self._scope else {})
        credentials = {"Authorization": _basic(*self._client)}
        async with session.post(self._url, data=form, headers=credentials, allow_redirects=False) as response:
            content = await response.content.read(_MOST_TOKEN_BYTES)
        if response.status != 200:
            raise AuthenticationFailed(f"the token endpoint answered {response.status}", response.status >= 429)
        try:
            granted = parse_json(content)
        except ValueError:
            granted = None
        if not isinstance(granted, dict) or not isinstance(granted.get("access_token"), str):
            raise AuthenticationFailed("the token endpoint's answer has no `access_token`", False)
        self._token = granted["access_token"]
        self._masker.learn(self._token)
        life = granted.get("expires_in")
        life = float(life) if isinstance(life, int) else 300.0
        self._renew_at = monotonic() + max(life - _MARGIN, life / 2)


def authenticator(kind: str, options: Mapping[str, Value], masker: Masker) -> Authenticator:
    """The authenticator of a kind; raises ValueError for a kind or options that there are not."""
    if kind not in AUTHENTICATORS:
        raise ValueError(f"no authentication is called `{kind}`; there are {', '.join(AUTHENTICATORS)}")
    return AUTHENTICATORS[kind](options, masker)


def credential_headers(kind: str, options: Mapping[str, Value]) -> tuple[str, ...]:
    """Names of the headers, besides the usual ones, that carry credentials."""
    return (str(options.get("header", "")),) if kind == "apikey" else ()


def tls_context(kind: str, options: Mapping[str, Value], authority: Value) -> ssl.SSLContext:
    """Verifies servers always, against `authority` (path of a PEM file) or the system's authorities."""
    authority = options.get("authority", authority) if kind == "mtls" else authority
    context = ssl.create_default_context(cafile=str(authority) if authority else None)
    if kind == "mtls":
        context.load_cert_chain(required(options, "certificate"), required(options, "key"))
    return context


def required(options: Mapping[str, Value], name: str) -> str:
    """An option as text; raises ValueError where it is missing."""
    value = options.get(name)
    if value is None or value == "":
        raise ValueError(f"the option `{name}` is missing; there are {', '.join(options) or 'none'}")
    return str(value)


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _header(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("a credential holds characters that cannot stand in a header")
    return text


AUTHENTICATORS: Mapping[str, Callable[[Mapping[str, Value], Masker], Authenticator]] = {
    "none": lambda _options, _masker: StaticHeaders({}),
    "basic": lambda options, _masker: StaticHeaders(
        {"Authorization": _basic(required(options, "user"), required(options, "password"))}
    ),
    "bearer": lambda options, _masker: StaticHeaders(
        {"Authorization": "Bearer " + _header(required(options, "token"))}
    ),
    "apikey": lambda options, _masker: StaticHeaders({required(options, "header"): _header(required(options, "key"))}),
    "oauth2": ClientCredentials,
    "mtls": lambda _options, _masker: StaticHeaders({}),
}
