"""What a channel is sent: Jinja templates of the language of requests, with a default for each kind of event.

Webhooks and files are sent JSON, in which a value cannot change the structure; mail is plain text behind a first line
`Subject: …`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from orderloom.connectors.templates.problem import BadValue, TemplateProblem
from orderloom.connectors.templates.request import RequestTemplate
from orderloom.models.conversion import Json
from orderloom.models.integration import Template
from orderloom.runtime.notifications.matching import told
from orderloom.runtime.store.codec import dumps
from orderloom.runtime.store.deliveries import Channel, OrderBrief
from orderloom.runtime.store.views import PublishedEvent

#: kinds of channels that are sent plain text
MAIL = "smtp"

_JSON = """\
{
  "id": {{ delivery.id }},
  "kind": {{ event.kind }},
  "sequence": {{ event.sequence }},
  "at": {{ event.at }},
  "order": {% if order is present %}
{ "id": {{ order.id }}, "externalId": {{ order.external_id }}, "account": {{ order.account }} },
{% else %}
null,
{% endif %}
  "data": {{ event.data }}
}
"""
_MAILS: Mapping[str, str] = {
    "order.state": """\
Subject: Order {{ order.name }}: {{ event.data.to }}

Order {{ order.name }} of {{ order.account_name }} is {{ event.data.to }}. Before it was {{ event.data.from }}.
""",
    "milestone": """\
Subject: Order {{ order.name }}: {{ event.data.text }}

{{ event.data.text }}.

This is about order {{ order.name }} of {{ order.account_name }}.
""",
    "order.information_required": """\
Subject: Order {{ order.name }}: we need your answer

To go on with order {{ order.name }} of {{ order.account_name }}, we need an answer:

{{ event.details }}
""",
    "order.expected": """\
Subject: Order {{ order.name }}: new expected completion

Order {{ order.name }} of {{ order.account_name }}:

{{ event.details }}
""",
    "*": """\
Subject: {{ event.kind }}{% if order is present %}: order {{ order.name }}{% endif %}


{{ event.kind }} at {{ event.at }}

{{ event.details }}
""",
}
_HEAD_LINES = {True: "POST /\nContent-Type: text/plain\n\n", False: "POST /\nContent-Type: application/json\n\n"}


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    #: of mails
    subject: str
    body: bytes


class Wording:
    """The compiled templates of one kind of channel; raises TemplateProblem where a text is not one."""

    def __init__(self, kind: str, templates: Mapping[str, str]) -> None:
        mail = kind == MAIL
        defaults = _MAILS if mail else {"*": _JSON}
        self._templates = [
            (pattern, _Mail(text) if mail else _Json(text)) for pattern, text in (*templates.items(), *defaults.items())
        ]

    def message(self, channel: Channel, event: PublishedEvent, order: OrderBrief | None, key: str) -> Message:
        """The message for an event; raises BadValue for values that cannot be sent, or that are missing."""
        template = next(template for pattern, template in self._templates if fnmatchcase(event.kind, pattern))
        data = told(channel.wanted, event)
        return template.message(
            {
                "channel": {"name": channel.name},
                "delivery": {"id": key},
                "event": {
                    "kind": event.kind,
                    "sequence": event.sequence,
                    "at": event.at,
                    "data": data,
                    "details": _details(data),
                },
                "order": None if order is None else _order(order),
            }
        )


@lru_cache(maxsize=256)
def _compiled(kind: str, templates: tuple[tuple[str, str], ...]) -> Wording:
    return Wording(kind, dict(templates))


def wording(channel: Channel) -> Wording:
    """The templates of a channel, compiled once."""
    return _compiled(channel.kind, tuple(channel.templates.items()))


class _Json:
    def __init__(self, text: str) -> None:
        self._body = _template(text, 0, mail=False)

    def message(self, context: Mapping[str, object]) -> Message:
        return Message(subject="", body=self._body.render(context).body)


class _Mail:
    def __init__(self, text: str) -> None:
        first, _, rest = text.partition("\n")
        name, colon, subject = first.partition(":")
        if name.strip().lower() != "subject" or not colon:
            raise TemplateProblem(
                f"the first line is `{first[:80]}`", 1, "a mail starts with a line `Subject: …`, then an empty line"
            )
        self._subject = _template(subject.strip(), 0, mail=True)
        self._body = _template(rest.lstrip("\n"), 1, mail=True)

    def message(self, context: Mapping[str, object]) -> Message:
        subject = self._subject.render(context).body.decode()
        # whatever a value holds, a subject is one line
        return Message(subject=" ".join(subject.split()), body=self._body.render(context).body)


def _template(text: str, before: int, *, mail: bool) -> RequestTemplate:
    head = _HEAD_LINES[mail]
    try:
        return RequestTemplate(Template(path="", text=head + text))
    except TemplateProblem as problem:
        line = max(1, problem.line - head.count("\n") + before)
        raise TemplateProblem(problem.message, line, problem.help) from None


def _order(order: OrderBrief) -> dict[str, object]:
    return {
        "id": order.id,
        "external_id": order.external_id,
        #: what people call it by
        "name": order.external_id or order.id,
        "account": order.account,
        "account_name": order.account_name or order.account,
        "priority": order.priority,
        "category": order.category,
        "description": order.description,
        "products": order.products,
    }


def _details(data: Mapping[str, Json]) -> str:
    return "\n".join(
        f"{name}: {value if isinstance(value, str) else dumps(value).decode()}" for name, value in data.items()
    )


__all__ = ["BadValue", "Message", "TemplateProblem", "Wording", "wording"]
