"""Where in a request its next character stands, which decides how a value is encoded there.

A cursor reads the fixed text of a template, character by character, once, when the template is compiled. Expressions
never move it: what they print is encoded so that it cannot.
"""

from __future__ import annotations

import copy
from enum import StrEnum
from typing import Protocol

from orderloom.connectors.templates.problem import TemplateProblem

#: headers that the connector writes itself
RESERVED_HEADERS = frozenset(
    ("authorization", "connection", "content-length", "cookie", "host", "idempotency-key", "te", "trailer",
     "transfer-encoding", "upgrade")
)  # fmt: skip
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class BodyCursor(Protocol):
    """The place inside a body of one content type."""

    def read(self, character: str, line: int) -> None:
        """Moves over one character of fixed text."""

    def encoder(self, line: int) -> str:
        """The encoder for a value that stands here."""

    def place(self) -> object:
        """Equal for two cursors at places that are encoded alike."""


class Part(StrEnum):
    """The parts of a request before its body."""

    METHOD = "method"
    PATH = "path"
    QUERY = "query"
    VERSION = "version"
    NAME = "header name"
    VALUE = "header value"
    BODY = "body"


class Cursor:
    """The place inside a whole request."""

    def __init__(self) -> None:
        self.part = Part.METHOD
        #: fixed text of the part so far
        self.fixed = ""
        #: whether the part so far holds an expression
        self.varies = False
        self.header = ""
        self.content_type = ""
        self.method = ""
        #: the path as written, with NUL for each expression
        self.path = ""
        self.body: BodyCursor | None = None

    def copy(self) -> Cursor:
        other = copy.copy(self)
        other.body = copy.copy(self.body)
        return other

    def read(self, text: str, line: int) -> None:
        """Moves over fixed text that starts in this line of the template."""
        for character in text:
            if self.body is not None:
                self.body.read(character, line)
            else:
                _HEAD[self.part](self, character, line)
            line += character == "\n"

    def encoder(self, line: int) -> str:
        """Name of the encoder for a value that stands here."""
        if self.body is not None:
            return self.body.encoder(line)
        self.varies = True
        match self.part:
            case Part.PATH | Part.QUERY:
                if "%" in self.fixed[-2:]:
                    raise TemplateProblem("an expression cannot complete a `%` escape", line)
                if not self.fixed:
                    raise TemplateProblem("the target starts with `/`, not with an expression", line, _JOINED)
                self.fixed += "\0"
                return "path segment" if self.part is Part.PATH else "query value"
            case Part.VALUE:
                return "header value"
        raise TemplateProblem(f"an expression cannot stand in the {self.part}", line)

    def merge(self, other: Cursor, line: int, construct: str) -> None:
        """Goes on after a branch; raises where the branch ends at another kind of place."""
        same = self.part is other.part and self.content_type == other.content_type and self.header == other.header
        if self.body is not None and other.body is not None:
            same = same and self.body.place() == other.body.place()
        if not same:
            raise TemplateProblem(
                f"the branches of this `{construct}` end at different kinds of places",
                line,
                "a quote, a tag or a part of the request that starts in a branch must end in it",
            )
        self.varies = self.varies or other.varies or self.fixed != other.fixed
        if self.body is not None and isinstance(self.body, JsonCursor) and isinstance(other.body, JsonCursor):
            self.body.absorb(other.body)

    def finish(self, line: int) -> None:
        """Raises where the request ends too early."""
        if self.part in (Part.METHOD, Part.NAME) and (self.part is Part.METHOD or self.fixed):
            raise TemplateProblem(f"the request ends in its {self.part}", line, _SHAPE)
        if self.part is Part.VALUE:
            self._end_header(line)
        if self.part in (Part.PATH, Part.QUERY) and not self.fixed.startswith("/"):
            raise TemplateProblem("the request has no target", line, _SHAPE)
        self._enter(self.part)
        if self.body is not None:
            place = self.body.place()
            if place not in ("json", "xml", "form", "text"):
                raise TemplateProblem(f"the body ends inside {place}", line)

    def _method(self, character: str, line: int) -> None:
        if not self.fixed and character in " \t\n":
            return
        if character == " ":
            if self.fixed not in _METHODS:
                raise TemplateProblem(f"`{self.fixed}` is no method; expected one of {', '.join(_METHODS)}", line)
            self.method = self.fixed
            self._enter(Part.PATH)
        elif character == "\n":
            raise TemplateProblem(f"the request line has no target after `{self.fixed}`", line, _SHAPE)
        else:
            self.fixed += character

    def _target(self, character: str, line: int) -> None:
        if character == " ":
            self._enter(Part.VERSION)
        elif character == "\n":
            self._enter(Part.NAME)
        elif not self.fixed and character != "/":
            raise TemplateProblem(f"the target starts with `{character}`; expected `/`", line, _JOINED)
        elif character == "?" and self.part is Part.PATH:
            self.part = Part.QUERY
            self.fixed += character
        elif character == "/" and self.fixed.endswith("/") and self.part is Part.PATH:
            raise TemplateProblem("the path has an empty segment", line)
        elif character in '#\\"<>^`{|}' or not "!" <= character <= "~":
            raise TemplateProblem(f"character {character!r} cannot stand in a target; percent-encode it", line)
        else:
            self.fixed += character

    def _version(self, character: str, line: int) -> None:
        if character != "\n":
            self.fixed += character
        elif self.fixed.rstrip() not in ("", "HTTP/1.1"):
            raise TemplateProblem(f"`{self.fixed}` stands after the target", line, _SHAPE)
        else:
            self._enter(Part.NAME)

    def _name(self, character: str, line: int) -> None:
        if character == "\n":
            if self.fixed.strip():
                raise TemplateProblem(f"`{self.fixed}` is no header; expected `Name: value`", line, _SHAPE)
            self._start_body(line)
        elif character == ":":
            self.header = self.fixed.lower()
            if self.header in RESERVED_HEADERS:
                raise TemplateProblem(
                    f"`{self.fixed}` cannot be set here", line, "the connector writes it; credentials belong in `auth`"
                )
            self._enter(Part.VALUE)
        elif character in _TOKEN:
            self.fixed += character
        else:
            raise TemplateProblem(f"character {character!r} cannot stand in a header's name", line)

    def _value(self, character: str, line: int) -> None:
        if character == "\n":
            self._end_header(line)
            self._enter(Part.NAME)
        elif character != "\t" and not " " <= character <= "~":
            raise TemplateProblem(f"character {character!r} cannot stand in a header", line)
        else:
            self.fixed += character

    def _end_header(self, line: int) -> None:
        if self.header == "content-type":
            if self.varies:
                raise TemplateProblem(
                    "`Content-Type` must be fixed text, since it decides how values are encoded", line
                )
            self.content_type = self.fixed.strip()
        self.header = ""

    def _start_body(self, line: int) -> None:
        self._enter(Part.BODY)
        self.body = body_cursor(self.content_type, line)

    def _enter(self, part: Part) -> None:
        if self.part in (Part.PATH, Part.QUERY):
            self.path = self.fixed.partition("?")[0]
        self.part, self.fixed, self.varies = part, "", False


_SHAPE = "a request is `METHOD /target`, then `Name: value` lines, an empty line, and the body"
_JOINED = "the connector's `base_url` goes before it"
_HEAD = {
    Part.METHOD: Cursor._method,
    Part.PATH: Cursor._target,
    Part.QUERY: Cursor._target,
    Part.VERSION: Cursor._version,
    Part.NAME: Cursor._name,
    Part.VALUE: Cursor._value,
}


class JsonCursor:
    """Inside a JSON body: between tokens, in a string, or after a backslash in one."""

    def __init__(self) -> None:
        self._place = "json"
        #: whether the token that just ended, or is open, holds an expression
        self._varies = False
        #: whether some object key holds an expression
        self.varying_keys = False

    def read(self, character: str, line: int) -> None:
        if self._place == "an escape":
            self._place = "a string"
        elif self._place == "a string":
            if character == "\\":
                self._place = "an escape"
            elif character == '"':
                self._place = "json"
        elif character == '"':
            self._place, self._varies = "a string", False
        elif character not in " \t\n":
            self.varying_keys = self.varying_keys or (character == ":" and self._varies)
            self._varies = False

    def encoder(self, line: int) -> str:
        if self._place == "an escape":
            raise TemplateProblem("an expression cannot stand after a backslash", line)
        self._varies = True
        return "json value" if self._place == "json" else "json text"

    def place(self) -> object:
        return self._place

    def absorb(self, other: JsonCursor) -> None:
        """Takes over what the end of another branch knows."""
        self._varies = self._varies or other._varies
        self.varying_keys = self.varying_keys or other.varying_keys


class XmlCursor:
    """Inside an XML body."""

    def __init__(self) -> None:
        self._place = "xml"
        self._tail = ""

    def read(self, character: str, line: int) -> None:
        match self._place:
            case "xml":
                if character == "<":
                    self._place, self._tail = "markup", "<"
            case "markup":
                self._markup(character, line)
            case "a tag":
                if character == ">":
                    self._place = "xml"
                elif character in "\"'":
                    self._place = f"an attribute in {character}"
            case 'an attribute in "' | "an attribute in '":
                if character == self._place[-1]:
                    self._place = "a tag"
            case _:
                self._tail = (self._tail + character)[-3:]
                if self._tail.endswith(_XML_ENDS[self._place]):
                    self._place, self._tail = "xml", ""

    def _markup(self, character: str, line: int) -> None:
        self._tail += character
        if self._tail == "<!--":
            self._place, self._tail = "a comment", ""
        elif self._tail == "<![CDATA[":
            self._place, self._tail = "a CDATA section", ""
        elif self._tail == "<?":
            self._place, self._tail = "a processing instruction", ""
        elif not self._tail.startswith("<!"):
            self._place = "a tag"
            self.read(character, line)
        elif not any(start.startswith(self._tail) for start in ("<!--", "<![CDATA[")):
            raise TemplateProblem("a document type cannot stand in a request", line)

    def encoder(self, line: int) -> str:
        if self._place == "xml":
            return "xml text"
        if self._place.startswith("an attribute"):
            return "xml attribute"
        raise TemplateProblem(
            f"an expression cannot stand in {self._place}", line, "put it in an element's text or a quoted attribute"
        )

    def place(self) -> object:
        return self._place


_XML_ENDS = {"a comment": "-->", "a CDATA section": "]]>", "a processing instruction": "?>"}


class FormCursor:
    """Inside a form-urlencoded body."""

    def __init__(self) -> None:
        self._tail = ""

    def read(self, character: str, line: int) -> None:
        self._tail = (self._tail + character)[-2:]

    def encoder(self, line: int) -> str:
        if "%" in self._tail:
            raise TemplateProblem("an expression cannot complete a `%` escape", line)
        return "form value"

    def place(self) -> object:
        return "form"


class NoBodyCursor:
    """After the headers of a request without a content type, where only white space may follow."""

    def read(self, character: str, line: int) -> None:
        if not character.isspace():
            raise TemplateProblem("the body has no `Content-Type`", line, _BODIES)

    def encoder(self, line: int) -> str:
        raise TemplateProblem("the body has no `Content-Type`", line, _BODIES)

    def place(self) -> object:
        return "text"


class TextCursor:
    """Inside a plain text body, where nothing has a meaning to protect."""

    def read(self, character: str, line: int) -> None:
        """Fixed text."""

    def encoder(self, line: int) -> str:
        return "plain text"

    def place(self) -> object:
        return "text"


def body_cursor(content_type: str, line: int) -> BodyCursor:
    """The cursor for a body of this content type; raises TemplateProblem for types that have none."""
    kind = content_type.partition(";")[0].strip().lower()
    if not kind:
        return NoBodyCursor()
    if kind == "application/json" or kind.endswith("+json"):
        return JsonCursor()
    if kind in ("application/xml", "text/xml") or kind.endswith("+xml"):
        return XmlCursor()
    if kind == "application/x-www-form-urlencoded":
        return FormCursor()
    if kind == "text/plain":
        return TextCursor()
    raise TemplateProblem(f"a body of type `{kind}` is not supported", line, _BODIES)


_BODIES = "set one of application/json, application/xml, application/x-www-form-urlencoded, text/plain"
