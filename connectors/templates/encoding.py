"""How a value is written at each place of a request.

One function per place. They are the only way a value gets into a request: the compiler of request templates puts
exactly one of them around every expression, whatever filters the template itself applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from json.encoder import encode_basestring
from math import isfinite
from urllib.parse import quote

from jinja2.runtime import Undefined

from orderloom.connectors.templates.problem import BadValue
from orderloom.models.conversion import to_json
from orderloom.models.values import Period

#: a decimal is written digit by digit, so its exponent is bounded
_MOST_DIGITS = 400
_DEEPEST = 64

#: what XML 1.0 cannot carry, even escaped
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_HEADER = re.compile("[^\t\u0020-\u007e]")
_XML_TEXT = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("\r"): "&#13;"}
_XML_ATTRIBUTE = _XML_TEXT | {ord('"'): "&quot;", ord("'"): "&apos;", ord("\n"): "&#10;", ord("\t"): "&#9;"}


def json_value(value: object) -> str:
    """A whole JSON value: strings in quotes, absent values `null`, lists and objects in full."""
    return _json(value, _DEEPEST)


def json_text(value: object) -> str:
    """What may stand between the quotes of a JSON string."""
    return encode_basestring(plain_text(value))[1:-1]


def xml_text(value: object) -> str:
    """Character data of an XML element."""
    return _xml(value).translate(_XML_TEXT)


def xml_attribute(value: object) -> str:
    """An XML attribute's value, in either kind of quotes; line breaks survive a parser's normalization."""
    return _xml(value).translate(_XML_ATTRIBUTE)


def path_segment(value: object) -> str:
    """Part of one path segment: everything but letters, digits and `-._~` is percent-encoded, `/` too."""
    text = plain_text(value)
    if not text:
        raise BadValue("an empty value cannot stand in a path")
    return _percent(text)


def query_value(value: object) -> str:
    """Part of a query's name or value."""
    return _percent(plain_text(value))


def form_value(value: object) -> str:
    """Part of a name or value of an `application/x-www-form-urlencoded` body."""
    return _percent(plain_text(value))


def header_value(value: object) -> str:
    """Part of a header's value: printable ASCII, since anything else is read differently by different servers."""
    text = plain_text(value)
    if found := _NOT_HEADER.search(text):
        raise BadValue(f"character U+{ord(found[0]):04X} cannot stand in a header")
    return text


def plain_text(value: object) -> str:
    """A value as text, e.g. `true`, `19.90`, `2026-01-31`, `PT4H`; absent values, lists and objects have none."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        raise BadValue("the value is absent; say what to send instead with `| default(…)`")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal, float)):
        return _number(value)
    if isinstance(value, (date, datetime, timedelta, Period)):
        return str(to_json(value))
    if isinstance(value, Undefined):
        str(value)
    raise BadValue(f"{_noun(value)} cannot stand here; expected a single value")


#: names that no template can write, so that a template cannot apply them itself
ENCODERS: Mapping[str, Callable[[object], str]] = {
    "json value": json_value,
    "json text": json_text,
    "xml text": xml_text,
    "xml attribute": xml_attribute,
    "path segment": path_segment,
    "query value": query_value,
    "form value": form_value,
    "header value": header_value,
    "plain text": plain_text,
}


def _json(value: object, depth: int) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None:
        return "null"
    if isinstance(value, (tuple, list, Mapping)) and not depth:
        raise BadValue(f"the value is nested deeper than {_DEEPEST} levels")
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_json(item, depth - 1) for item in value)}]"
    if isinstance(value, Mapping):
        members = (f"{encode_basestring(plain_text(key))}: {_json(item, depth - 1)}" for key, item in value.items())
        return f"{{{', '.join(members)}}}"
    text = plain_text(value)
    return text if isinstance(value, (int, Decimal, float)) else encode_basestring(text)


def _number(value: int | Decimal | float) -> str:
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS or len(value.as_tuple().digits) > _MOST_DIGITS:
            raise BadValue(f"the number has more than {_MOST_DIGITS} digits")
        return format(value, "f")
    if not isfinite(value):
        raise BadValue("the number is not finite")
    return repr(value)


def _xml(value: object) -> str:
    text = plain_text(value)
    if found := _NOT_XML.search(text):
        raise BadValue(f"character U+{ord(found[0]):04X} cannot stand in XML")
    return text


def _percent(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as problem:
        raise BadValue(f"character U+{ord(text[problem.start]):04X} cannot be sent") from None


def _noun(value: object) -> str:
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, (tuple, list)) else "this"
