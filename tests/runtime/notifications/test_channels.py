"""Channels on a real store and over real connections: what is sent, signed, retried, held up and given up."""

from __future__ import annotations

import asyncio
import email
import ipaddress
import json
import re
import ssl
import types
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.policy import default as modern
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from orderloom.models.conversion import Json
from orderloom.runtime.access.principals import Principal
from orderloom.runtime.clock import VirtualClock
from orderloom.runtime.errors import (
    ChannelRefused,
    ChannelTaken,
    Forbidden,
    NotTaken,
    UnknownChannel,
    UnknownDelivery,
)
from orderloom.runtime.notifications.duty import worded
from orderloom.runtime.notifications.mails import mail
from orderloom.runtime.notifications.matching import is_wanted
from orderloom.runtime.notifications.signing import signature
from orderloom.runtime.store.deliveries import Channel, OrderBrief, Wanted
from orderloom.runtime.store.views import PublishedEvent
from orderloom.runtime.synchronous import SyncRuntime
from tests.runtime.face.parcels import box
from tests.runtime.face.test_progress import SHOWN
from tests.runtime.notifications.receivers import Hooks, Mailbox, Taken

SECRET = "a-very-well-kept-secret"
README = Path(__file__).parents[3] / "runtime/notifications/README.md"


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def runtime(tmp_path: Path, clock: VirtualClock) -> Iterator[SyncRuntime]:
    with SyncRuntime(tmp_path / "home", clock=clock, environ={"ORDERLOOM_SECRET_HOOK_KEY": SECRET}) as runtime:
        runtime.deploy(SHOWN)
        yield runtime


def packed(runtime: SyncRuntime, weight: int = 3, **more: Any) -> str:
    """An order that has got as far as to wait for its parcel to be seen, or to fail where it is too heavy."""
    order = runtime.submit(box(**more)).id
    runtime.run_until_idle()
    (item,) = runtime.work(order=order)
    runtime.complete(item.id, "ada", {"weight": weight})
    runtime.run_until_idle()
    return order


def bodies(hooks: Hooks) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in hooks.taken]


def test_a_webhook_is_signed_and_told_what_it_wants(runtime: SyncRuntime) -> None:
    with Hooks() as hooks:
        runtime.add_channel("crm", "webhook", {"url": hooks.url, "secret": "hook_key"}, events=["order.*"])
        order = packed(runtime, externalId="X-1")
        told = bodies(hooks)
        assert {each["kind"] for each in told} == {"order.state", "order.expected"}
        assert [each["data"]["to"] for each in told if each["kind"] == "order.state"][-1] == "pending"
        assert told[0]["order"] == {"id": order, "externalId": "X-1", "account": "A-1"}
        assert told[0]["id"] == f"crm:{told[0]['sequence']}" == hooks.taken[0].headers["Orderloom-Delivery"]
        for each in hooks.taken:
            stamp = int(each.headers["Orderloom-Timestamp"])
            assert each.headers["Orderloom-Signature"] == signature(SECRET, stamp, each.body)
            assert SECRET.encode() not in each.body
        assert [each.state for each in runtime.deliveries("crm", order=order)] == ["done"] * len(told)


def test_the_receiver_of_the_readme_takes_each_once(
    runtime: SyncRuntime, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clock: VirtualClock
) -> None:
    found = re.search(r"<!-- receiver -->\n```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found
    module = types.ModuleType("receiver")
    exec(compile(found[1], str(README), "exec"), module.__dict__)
    monkeypatch.setenv("HOOK_KEY", SECRET)
    clock.advance(datetime.now(UTC) - clock.now())
    with Hooks(app=module.app) as hooks:
        for name, secret in (("crm", "hook_key"), ("thief", "other")):
            runtime.add_channel(name, "webhook", {"url": hooks.url, "secret": secret}, events=["milestone"])
        runtime.try_channel("crm")
        with pytest.raises(NotTaken, match="the secret `other` is missing"):
            runtime.try_channel("thief")
        monkeypatch.setenv("HOOK_KEY", "changed")
        with pytest.raises(NotTaken, match="answered 403"):
            runtime.try_channel("crm")
    out = capsys.readouterr().out
    assert out.count("told") == 1
    assert "channel.test" in out


def test_customers_are_told_words_and_no_more(runtime: SyncRuntime) -> None:
    with Hooks() as hooks:
        runtime.add_channel("portal", "webhook", {"url": hooks.url}, accounts=["A-1"], visible_only=True)
        packed(runtime, account="A-2")
        assert hooks.taken == []
        order = packed(runtime)
        words = [each["data"] for each in bodies(hooks) if each["kind"] == "milestone"]
        assert words == [
            {"order": order, "text": "Your small parcel is packed"},
            {"order": order, "text": "Your parcel is on its way"},
        ]
        assert {each["kind"] for each in bodies(hooks)} == {"milestone", "order.state", "order.expected"}
        (failed,) = runtime.work(kind="fallout", order=packed(runtime, weight=30))
        runtime.return_to_owner(failed.id, ["weight"], "how heavy is it?")
        runtime.run_until_idle()
        (asked,) = [each["data"] for each in bodies(hooks) if each["kind"] == "order.information_required"]
        assert (asked["attributes"], asked["text"]) == (["weight"], "how heavy is it?")
        assert "Ship." not in "".join(each.body.decode() for each in hooks.taken)


def test_products_and_queues_choose_too(runtime: SyncRuntime) -> None:
    with Hooks() as hooks:
        runtime.add_channel("boxes", "webhook", {"url": hooks.url}, events=["milestone"], products=["Box"])
        runtime.add_channel("none", "webhook", {"url": hooks.url}, products=["Crate"])
        runtime.add_channel("queue", "webhook", {"url": hooks.url}, queues=["packers"])
        packed(runtime)
        assert {each.headers["Orderloom-Delivery"].split(":")[0] for each in hooks.taken} == {"boxes"}


def test_breaches_are_told_and_counted(runtime: SyncRuntime, clock: VirtualClock) -> None:
    with Hooks() as hooks:
        runtime.add_channel("desk", "webhook", {"url": hooks.url}, events=["work.*"], queues=["packers"])
        runtime.add_channel("other", "webhook", {"url": hooks.url}, events=["work.*"], queues=["trouble"])
        order = runtime.submit(box()).id
        runtime.run_until_idle()
        clock.advance(timedelta(hours=5))
        runtime.run_until_idle()
        breached = [each for each in bodies(hooks) if each["kind"] == "work.breached"]
        assert [(each["order"]["id"], each["data"]["queue"]) for each in breached] == [(order, "packers")]
        assert {each["id"].split(":")[0] for each in bodies(hooks)} == {"desk"}
        (row,) = runtime.report("sla").rows
        assert row[:6] == ("packers", 0, 0, 0, 0, 1)


def test_what_fails_holds_up_its_order_only_and_is_given_up(runtime: SyncRuntime, clock: VirtualClock) -> None:
    broken: set[str] = set()

    def answer(taken: Taken) -> int:
        return 503 if json.loads(taken.body)["order"]["id"] in broken else 204

    with Hooks(answer) as hooks:
        settings: dict[str, Json] = {"url": hooks.url, "secret": "hook_key", "tries": 3}
        runtime.add_channel("crm", "webhook", settings, events=["milestone", "order.state"])
        first = runtime.submit(box()).id
        broken.add(first)
        second = runtime.submit(box()).id
        for order in (first, second):
            runtime.run_until_idle()
            (item,) = runtime.work(order=order)
            runtime.complete(item.id, "ada", {"weight": 3})
        runtime.run_until_idle()
        assert {each["order"]["id"] for each in bodies(hooks)} == {second}
        waiting = runtime.deliveries("crm", "waiting")
        assert {each.order for each in waiting} == {first}
        assert [each.tries for each in sorted(waiting, key=lambda each: each.id)] == [1] + [0] * (len(waiting) - 1)
        assert waiting[-1].due == clock.now() + timedelta(seconds=10)
        clock.advance(timedelta(seconds=9))
        runtime.run_until_idle()
        assert runtime.deliveries("crm", "waiting")[-1].tries == 1
        # the pauses double, without chance
        for seconds in (1, 20):
            clock.advance(timedelta(seconds=seconds))
            runtime.run_until_idle()
        (dead,) = runtime.deliveries("crm", "dead")
        assert (dead.tries, dead.error) == (3, "answered 503: as you wish")
        # the next of that order is tried now
        assert runtime.deliveries("crm", "waiting")[-1].tries == 1
        broken.clear()
        clock.advance(timedelta(seconds=10))
        runtime.run_until_idle()
        assert runtime.deliveries("crm", "waiting") == []
        with pytest.raises(UnknownDelivery):
            runtime.resend("crm", [dead.id + 1000])
        assert runtime.resend("crm", [dead.id], "root", "the receiver is back") == 1
        runtime.run_until_idle()
        sequences = [each["sequence"] for each in bodies(hooks) if each["order"]["id"] == first]
        assert sequences == [*sorted(sequences[:-1]), dead.sequence]
        assert SECRET not in repr(runtime.deliveries()) + repr(runtime.channels())


def test_a_pause_loses_nothing_and_a_removal_forgets(runtime: SyncRuntime) -> None:
    with Hooks() as hooks:
        runtime.add_channel("crm", "webhook", {"url": hooks.url}, events=["order.state"])
        runtime.pause_channel("crm", "root", "the receiver moves")
        packed(runtime)
        assert hooks.taken == []
        runtime.resume_channel("crm", "root")
        runtime.run_until_idle()
        assert len(hooks.taken) >= 2
        runtime.remove_channel("crm", "root")
        assert runtime.channels() == []
        deeds = runtime.audit(kind="channel")
        assert [each.deed.what for each in reversed(deeds)] == [
            "add_channel",
            "pause_channel",
            "resume_channel",
            "remove_channel",
        ]
        for unknown in (runtime.pause_channel, runtime.remove_channel, runtime.try_channel, runtime.deliveries):
            with pytest.raises(UnknownChannel, match="no channel `crm`; there are: none"):
                unknown("crm")


@pytest.mark.parametrize(
    ("status", "message"), [(302, "answered 302"), (404, "answered 404: as you wish"), (500, "answered 500")]
)
def test_other_answers_are_failures_and_redirects_are_not_followed(
    runtime: SyncRuntime, status: int, message: str
) -> None:
    with Hooks(lambda _taken: status) as hooks:
        runtime.add_channel("crm", "webhook", {"url": hooks.url})
        with pytest.raises(NotTaken, match=message):
            runtime.try_channel("crm")
    with pytest.raises(NotTaken, match="not reached"):
        runtime.try_channel("crm")


def test_a_receiver_that_repeats_the_secret_does_not_show_it(runtime: SyncRuntime) -> None:
    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        text = b"x" * 280 + SECRET.encode() * 20
        writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(text) + text)
        await writer.drain()
        writer.close()

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(repeat, "127.0.0.1", 0)

    loop = runtime._loop
    server = asyncio.run_coroutine_threadsafe(serve(), loop).result()
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    runtime.add_channel("crm", "webhook", {"url": url, "secret": "hook_key"})
    with pytest.raises(NotTaken) as refused:
        runtime.try_channel("crm")
    assert "•••" in str(refused.value)
    assert "a-very" not in str(refused.value)
    loop.call_soon_threadsafe(server.close)


def test_a_slow_receiver_is_not_waited_for(runtime: SyncRuntime) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def serve() -> asyncio.Server:
        return await asyncio.start_server(silence, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(serve(), runtime._loop).result()
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    runtime.add_channel("slow", "webhook", {"url": url, "timeout": 0.2})
    with pytest.raises(NotTaken, match=r"no answer within 0\.2 s"):
        runtime.try_channel("slow")
    runtime._loop.call_soon_threadsafe(server.close)


def test_lines_of_a_file_survive_a_torn_one(runtime: SyncRuntime, tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_bytes(b'{"torn')
    runtime.add_channel("feed", "file", {"path": str(path)}, events=["order.state"])
    packed(runtime)
    torn, *lines = path.read_text().splitlines()
    assert torn == '{"torn'
    found = [json.loads(line) for line in lines]
    assert [each["sequence"] for each in found] == sorted(each["sequence"] for each in found)
    assert {each["kind"] for each in found} == {"order.state"}
    runtime.add_channel("nowhere", "file", {"path": str(tmp_path / "no" / "such")})
    with pytest.raises(NotTaken, match="cannot write"):
        runtime.try_channel("nowhere")


def test_mail_is_sent_in_words(runtime: SyncRuntime, clock: VirtualClock) -> None:
    with Mailbox(busy=1) as mailbox:
        settings: dict[str, Json] = {
            "host": "127.0.0.1",
            "port": mailbox.port,
            "security": "none",
            "from": "orders@example.net",
            "to": ["desk@example.net", "boss@example.net"],
        }
        runtime.add_channel("desk", "smtp", settings, events=["milestone"], visible_only=True)
        # one recipient was refused once, the other has its mail
        packed(runtime, externalId="Übergröße")
        for _ in range(4):
            clock.advance(timedelta(minutes=1))
            runtime.run_until_idle()
        assert mailbox.mails[0][1] == ["boss@example.net"]
        sender, to, content = mailbox.mails[1]
        assert (sender, to) == ("orders@example.net", ["desk@example.net", "boss@example.net"])
        message = email.message_from_bytes(content, policy=modern)
        assert message["Subject"] == "Order Übergröße: Your parcel is on its way"
        assert message["Bcc"] is None
        assert re.fullmatch(r"<desk\.\d+@example\.net>", message["Message-ID"])
        assert message.get_body().get_content().startswith("Your parcel is on its way.")  # type: ignore[union-attr]


def test_a_watch_rule_notifies_the_channels_of_a_queue() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    data: dict[str, Json] = {"notify": ["noc", "boss"], "count": 5}
    event = PublishedEvent(sequence=7, order="", at=now, kind="watch.fired", data=data)
    assert is_wanted(Wanted(kinds=("watch.*",), queues=("noc",)), event, None)
    assert not is_wanted(Wanted(queues=("field",)), event, None)
    assert not is_wanted(Wanted(accounts=("A-1",)), event, None)
    assert not is_wanted(Wanted(visible_only=True), event, None)


def test_no_value_gets_into_the_head_of_a_mail() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    settings: dict[str, Json] = {"host": "h", "from": "a@example.net", "to": ["b@example.net"]}
    channel = Channel(name="desk", kind="smtp", settings=settings, created_at=now)
    data: dict[str, Json] = {"text": "done\r\nBcc: x@example.net\n\nand more"}
    event = PublishedEvent(sequence=7, order="O-1", at=now, kind="milestone", data=data)
    order = OrderBrief(
        id="O-1",
        external_id="",
        account="A-1",
        account_name="Ada\r\n.\r\nQUIT",
        status="completed",
        priority=4,
        category="",
        description="",
        products=("Box",),
    )
    message = email.message_from_bytes(bytes(mail(channel, worded(channel, event, order, now))), policy=modern)
    assert message["Subject"] == "Order O-1: done Bcc: x@example.net and more"
    assert message.keys() == [
        *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    ]


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mailbox")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def test_mail_logs_in_behind_starttls_only(runtime: SyncRuntime, tmp_path: Path) -> None:
    public, private = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    settings: dict[str, Json] = {
        "host": "127.0.0.1",
        "user": "orders",
        "secret": "hook_key",
        "from": "orders@example.net",
        "to": ["desk@example.net"],
    }
    with Mailbox(user="orders", password=SECRET, tls=context) as mailbox:
        runtime.add_channel("good", "smtp", {**settings, "port": mailbox.port, "authority": str(public)})
        runtime.try_channel("good")
        assert (len(mailbox.mails), mailbox.logins) == (1, 1)
        runtime.add_channel("unknown", "smtp", {**settings, "port": mailbox.port})
        with pytest.raises(NotTaken, match="certificate verify failed"):
            runtime.try_channel("unknown")
        mailbox.password = "another"
        with pytest.raises(NotTaken, match="535") as refused:
            runtime.try_channel("good")
        assert SECRET not in str(refused.value)
    with Mailbox() as plain:
        runtime.add_channel("plain", "smtp", {**settings, "port": plain.port})
        with pytest.raises(NotTaken, match="STARTTLS"):
            runtime.try_channel("plain")
        assert plain.mails == []


def test_templates_word_kinds_and_fail_alone(runtime: SyncRuntime) -> None:
    with Hooks() as hooks:
        templates = {"milestone": '{"say": "{{ event.data.text | upper }}", "who": {{ order.account }}}'}
        runtime.add_channel("crm", "webhook", {"url": hooks.url}, events=["milestone"], templates=templates)
        bad = {"milestone": '{"say": {{ event.data.nothing }}}'}
        runtime.add_channel("bad", "webhook", {"url": hooks.url}, events=["milestone"], templates=bad)
        order = packed(runtime)
        assert bodies(hooks)[-1] == {"say": "YOUR PARCEL IS ON ITS WAY", "who": "A-1"}
        dead = runtime.deliveries("bad", "dead", order)
        assert {each.error for each in dead} == {"the template fails: `nothing` has no value"}
        # its words would still be missing
        assert runtime.resend("bad") == 0


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("pigeon", {}, "`pigeon` is no kind of channel; expected one of webhook, smtp, file"),
        ("webhook", {}, "`url` is missing; expected a webhook needs url"),
        ("webhook", {"url": "ftp://x"}, "`url` is `ftp://x`; expected http"),
        ("webhook", {"url": "http://a:b@x/"}, "`url` holds credentials"),
        ("webhook", {"url": "http://x/", "path": "/x"}, "a webhook has no `path`"),
        ("webhook", {"url": "http://x/", "tries": 0}, "`tries` is `0`; expected a number above 0"),
        ("webhook", {"url": "http://x/", "secret": "no secret!"}, "`secret` is no name of a secret"),
        ("file", {"path": "here"}, "`path` is `here`; expected an absolute path"),
        ("smtp", {"host": "h", "to": ["x\r\nBcc: y@z"], "from": "a@b"}, "expected addresses"),
        ("smtp", {"host": "h", "to": ["x@y"], "from": "a@b", "user": "u"}, "`user` stands alone"),
        (
            "smtp",
            {"host": "h", "to": ["x@y"], "from": "a@b", "user": "u", "secret": "s", "security": "none"},
            "a password would be sent in the clear",
        ),
    ],
)
def test_wrong_settings_are_refused(runtime: SyncRuntime, kind: str, settings: dict[str, Json], message: str) -> None:
    with pytest.raises(ChannelRefused) as refused:
        runtime.add_channel("crm", kind, settings)
    assert message in str(refused.value)
    assert "no secret!" not in str(refused.value)


def test_wrong_names_and_templates_are_refused(runtime: SyncRuntime) -> None:
    with pytest.raises(ChannelRefused, match="`A b` is no name"):
        runtime.add_channel("A b", "file", {"path": "/x"})
    with pytest.raises(ChannelRefused, match="line 2: no filter is called `env`"):
        runtime.add_channel("crm", "file", {"path": "/x"}, templates={"*": '{\n"a": {{ event.kind | env }} }'})
    with pytest.raises(ChannelRefused, match="a mail starts with a line `Subject:"):
        smtp: dict[str, Json] = {"host": "h", "to": ["x@y"], "from": "a@b"}
        runtime.add_channel("crm", "smtp", smtp, templates={"*": "hello"})
    runtime.add_channel("crm", "file", {"path": "/x"})
    with pytest.raises(ChannelTaken):
        runtime.add_channel("crm", "file", {"path": "/x"})


def test_only_those_who_may_manage_channels(runtime: SyncRuntime) -> None:
    nobody = runtime.bound(Principal(name="eve", permissions=frozenset()))
    for forbidden in (
        lambda: nobody.add_channel("crm", "file", {"path": "/x"}),
        lambda: nobody.channels(),
        lambda: nobody.resend("crm"),
    ):
        with pytest.raises(Forbidden):
            forbidden()


def test_nothing_of_one_channel_waits_for_another(runtime: SyncRuntime) -> None:
    seen: dict[str, list[int]] = defaultdict(list)

    def answer(taken: Taken) -> int:
        name, _, number = taken.headers["Orderloom-Delivery"].partition(":")
        seen[name].append(int(number))
        return 500 if name == "down" else 204

    with Hooks(answer) as hooks:
        for name in ("down", "up"):
            runtime.add_channel(name, "webhook", {"url": hooks.url}, events=["order.state", "milestone"])
        for _ in range(12):
            packed(runtime)
        assert len(seen["up"]) == len(set(seen["up"])) == len(runtime.deliveries("up", "done"))
        assert runtime.deliveries("up", "waiting") == []
        assert len(seen["down"]) == 12
