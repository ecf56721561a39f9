"""Hides secrets in everything that is kept or shown."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from json import dumps
from urllib.parse import quote, quote_plus

from orderloom.models.values import Value

MASK = "•••"
#: headers whose values are hidden whatever they hold
CREDENTIAL_HEADERS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "apikey", "x-auth-token")
)
#: a shorter secret is too likely to occur by chance inside other base64 text
_LEAST_ENCODED = 6
#: the same of values that systems put out
_LEAST_SPOKEN = 8


class Masker:
    """Replaces secrets, in the forms in which they travel, by `•••`."""

    def __init__(self, secrets: Iterable[str] = (), headers: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._headers = CREDENTIAL_HEADERS | {name.lower() for name in headers}
        self._pattern: re.Pattern[str] | None = None
        #: characters of the longest form; a text must be masked before it is cut, and be this much longer than the cut
        self.longest = 0
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Hides this one too from now on, e.g. a token that was just issued."""
        forms = {form for form in _forms(secret) if form} - self._forms
        if forms:
            self._forms |= forms
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
            self.longest = len(longest_first[0])

    def mask(self, text: str) -> str:
        """The text without its secrets."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def mask_value(self, value: Value) -> Value:
        """A value that a system has put out, without secrets that it said back. A short secret is left, since it would
        spoil values that hold the like by chance."""
        if isinstance(value, str):
            spoken = any(len(form) >= _LEAST_SPOKEN and form in value for form in self._forms)
            return self.mask(value) if spoken else value
        if isinstance(value, tuple):
            return tuple(self.mask_value(each) for each in value)
        return value

    def mask_headers(self, headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """The headers without secrets; the value of a credential header is hidden whole."""
        for name, value in headers:
            yield name, MASK if name.lower() in self._headers else self.mask(value)


def masker(secrets: Iterable[str], headers: Iterable[str] = ()) -> Masker:
    """A masker for these secrets, and for these headers besides the usual ones."""
    return Masker(secrets, headers)


def message_text(start: str, headers: Mapping[str, str] | Iterable[tuple[str, str]], body: str) -> str:
    """An HTTP message as people read it."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return "\n".join((start, *(f"{name}: {value}" for name, value in pairs), "", body)).rstrip("\n")


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield dumps(secret)[1:-1]
    yield dumps(secret, ensure_ascii=False)[1:-1]
    yield escape(secret)
    yield escape(secret, quote=False)
    content = secret.encode("utf-8", "surrogatepass")
    if len(content) >= _LEAST_ENCODED:
        for shift in range(3):
            yield from _base64_forms(content, shift)


def _base64_forms(content: bytes, shift: int) -> Iterator[str]:
    # inside a longer text the bytes start at one of three offsets; characters shared with neighbours are left out
    text = b64encode(bytes(shift) + content).decode()
    first = -(-shift * 8 // 6)
    last = (shift + len(content)) * 8 // 6
    yield text[first:last]
    yield text[first:last].translate(str.maketrans("+/", "-_"))
