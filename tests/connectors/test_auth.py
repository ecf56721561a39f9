"""Authentication, and secrets that must not be found anywhere afterwards."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import Mapping
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orderloom.connectors.masking import MASK, Masker, masker
from orderloom.models.callout import Answer, Outcome
from orderloom.models.integration import Auth
from orderloom.models.values import Value

from .loopback import Handler, answered, serving
from .systems import callout, http_connector, operation

SECRET = 's3cret/"key"&<é>+='


async def asked(
    url: str, kind: str, options: Mapping[str, Value], secrets: tuple[str, ...] = (SECRET,), calls: int = 1
) -> list[Answer]:
    found = operation()
    connector = http_connector(url, found, auth=Auth(kind=kind, options={}), resolved=options, secrets=secrets)
    try:
        return [await connector.call(found, callout(key=str(number))) for number in range(calls)]
    finally:
        await connector.close()


def sent(kind: str, options: Mapping[str, Value]) -> tuple[dict[str, str], Answer]:
    """The headers of one call, and its answer; the server repeats all it was sent."""
    headers: dict[str, str] = {}

    async def handler(request: web.Request) -> web.StreamResponse:
        headers.update({name.lower(): value for name, value in request.headers.items()})
        given = " ".join(request.headers.values())
        return web.json_response(
            {"port": {"id": "P"}, "echo": [given, SECRET, quote(SECRET, safe=""), json.dumps(SECRET)]},
            status=201,
            headers={"X-Echo": given, "Set-Cookie": f"s={quote(SECRET)}"},
        )

    async def run() -> Answer:
        async with serving(handler) as url:
            return (await asked(url, kind, options))[0]

    answer = asyncio.run(run())
    assert answer.outcome is Outcome.COMPLETED
    assert answer.exchange is not None
    assert MASK in answer.exchange.request or kind == "none"
    assert_hidden(SECRET, repr(astuple(answer)), answer.exchange.request, answer.exchange.response)
    return headers, answer


def assert_hidden(secret: str, *texts: str) -> None:
    content = secret.encode()
    forms = [
        secret,
        quote(secret, safe=""),
        quote(secret),
        json.dumps(secret)[1:-1],
        base64.b64encode(content).decode(),
    ]
    forms += [base64.urlsafe_b64encode(content).decode().rstrip("="), json.dumps(secret, ensure_ascii=False)[1:-1]]
    for text in texts:
        for form in forms:
            assert form not in text


def test_basic() -> None:
    headers, _ = sent("basic", {"user": "loom", "password": SECRET})
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode() == f"loom:{SECRET}"


def test_bearer() -> None:
    ascii_secret = "tok-1234567890"
    headers: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        headers.append(request.headers["Authorization"])
        return answered(500, {"error": {"code": f"bad {ascii_secret}"}})

    async def run() -> Answer:
        async with serving(handler) as url:
            return (await asked(url, "bearer", {"token": ascii_secret}, (ascii_secret,)))[0]

    answer = asyncio.run(run())
    assert headers == [f"Bearer {ascii_secret}"]
    assert answer.code == f"bad {MASK}"
    assert ascii_secret not in repr(answer)


def test_api_key() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.headers["X-Own-Key"] == "k-123456"
        return answered()

    async def run() -> Answer:
        async with serving(handler) as url:
            return (await asked(url, "apikey", {"header": "X-Own-Key", "key": "k-123456"}, ()))[0]

    answer = asyncio.run(run())
    assert answer.outcome is Outcome.COMPLETED
    assert answer.exchange is not None
    assert f"X-Own-Key: {MASK}" in answer.exchange.request


def test_none_sends_no_credentials() -> None:
    assert "authorization" not in sent("none", {})[0]


def test_an_unknown_kind_and_a_missing_option_are_named() -> None:
    with pytest.raises(ValueError, match="no authentication is called `kerberos`"):
        asyncio.run(asked("http://a.example", "kerberos", {}))
    with pytest.raises(ValueError, match="`token` is missing"):
        asyncio.run(asked("http://a.example", "bearer", {}))
    with pytest.raises(ValueError, match="cannot stand in a header"):
        asyncio.run(asked("http://a.example", "bearer", {"token": "a\r\nb"}))


class TokenSystem:
    """A system with a token endpoint; tokens it has forgotten get 401."""

    def __init__(self, life: float = 3600, forget_after: int | None = None) -> None:
        self.life = life
        self.forget_after = forget_after
        self.issued = 0
        self.used: list[str] = []

    def handler(self) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            if request.path == "/token":
                form = await request.post()
                assert form["grant_type"] == "client_credentials"
                assert form["scope"] == "orders"
                self.issued += 1
                await asyncio.sleep(0.02)
                return answered(200, {"access_token": f"token-{self.issued}-abcdef", "expires_in": self.life})
            self.used.append(request.headers["Authorization"])
            if self.forget_after is not None and self.used.count(self.used[-1]) > self.forget_after:
                return answered(401, {"error": {"code": f"expired {self.used[-1]}"}})
            return answered()

        return handle

    def call(self, calls: int, at_once: bool = False) -> list[Answer]:
        async def run() -> list[Answer]:
            async with serving(self.handler()) as url:
                options: dict[str, Value] = {
                    "token_url": f"{url}/token", "client_id": "loom", "client_secret": SECRET, "scope": "orders",
                }  # fmt: skip
                if not at_once:
                    return await asked(url, "oauth2", options, calls=calls)
                found = operation()
                auth = Auth(kind="oauth2", options={})
                connector = http_connector(url, found, auth=auth, resolved=options, secrets=(SECRET,))
                answers = await asyncio.gather(*(connector.call(found, callout(key=str(n))) for n in range(calls)))
                await connector.close()
                return list(answers)

        return asyncio.run(run())


def test_a_token_is_kept_for_its_life() -> None:
    system = TokenSystem()
    assert all(answer.outcome is Outcome.COMPLETED for answer in system.call(5))
    assert system.issued == 1


def test_one_call_asks_for_the_token_and_the_others_wait() -> None:
    system = TokenSystem()
    system.call(20, at_once=True)
    assert system.issued == 1
    assert len(system.used) == 20


def test_a_token_is_renewed_before_it_expires() -> None:
    system = TokenSystem(life=0)
    system.call(3)
    assert system.issued == 3


def test_a_refused_token_is_renewed_once() -> None:
    system = TokenSystem(forget_after=2)
    answers = system.call(4)
    assert all(answer.outcome is Outcome.COMPLETED for answer in answers)
    assert system.issued == 2


def test_a_token_refused_twice_is_a_failure_and_is_hidden() -> None:
    system = TokenSystem(forget_after=0)
    (answer,) = system.call(1)
    assert system.issued == 2
    assert answer.outcome is Outcome.FATAL
    assert "abcdef" not in repr(answer)


def test_a_token_endpoint_that_fails() -> None:
    async def run(status: int) -> Answer:
        async def handler(request: web.Request) -> web.StreamResponse:
            return answered(status, {})

        async with serving(handler) as url:
            options: dict[str, Value] = {"token_url": f"{url}/token", "client_id": "loom", "client_secret": SECRET}
            return (await asked(url, "oauth2", options))[0]

    assert [(a.outcome, a.code) for a in (asyncio.run(run(503)), asyncio.run(run(400)))] == [
        (Outcome.RETRIABLE, "authentication"),
        (Outcome.FATAL, "authentication"),
    ]


def certificate(
    folder: Path, name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Writes `name.pem` and `name.key`; its own authority where no issuer is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signer = issuer[1] if issuer else key
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False),
        (x509.BasicConstraints(ca=issuer is None, path_length=None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    ]
    builder = x509.CertificateBuilder(
        issuer_name=issuer[0].subject if issuer else subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + timedelta(hours=1),
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    made = builder.sign(signer, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(private)
    return made, key


@pytest.mark.parametrize("own", [True, False])
def test_mutual_tls(tmp_path: Path, own: bool) -> None:
    authority = certificate(tmp_path, "authority")
    certificate(tmp_path, "server", authority)
    certificate(tmp_path, "client", authority)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "authority.pem")
    tls.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    tls.verify_mode = ssl.CERT_REQUIRED
    subjects: list[object] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        subjects.append(request.transport.get_extra_info("peercert")["subject"])
        return answered()

    options: dict[str, Value] = {
        "certificate": str(tmp_path / "client.pem"), "key": str(tmp_path / "client.key"),
    }  # fmt: skip
    if own:
        options["authority"] = str(tmp_path / "authority.pem")

    async def run() -> Answer:
        async with serving(handler, tls) as url:
            return (await asked(url, "mtls", options, ()))[0]

    answer = asyncio.run(run())
    if own:
        assert answer.outcome is Outcome.COMPLETED
        assert subjects == [((("commonName", "client"),),)]
    else:
        assert answer.code == "connection"
        assert subjects == []


@pytest.mark.parametrize("secret", [SECRET, "short", "p" * 5000, "ümläut & <b>", "100%/+"])
def test_every_form_of_a_secret_is_masked(secret: str) -> None:
    mask = masker([secret]).mask
    content = secret.encode()
    around = [base64.b64encode(b"x" * n + content + b"y" * m).decode() for n in range(4) for m in range(4)]
    if len(content) >= 6:
        for text in around:
            assert MASK in mask(text)
    assert_hidden(secret, mask(f"a {secret} b {quote(secret, safe='')} c {json.dumps(secret)} d"))


def test_credential_headers_are_masked_whole() -> None:
    pairs = [("Authorization", "x"), ("cookie", "y"), ("X-API-Key", "z"), ("X-Mine", "w"), ("Accept", "v")]
    assert [value for _, value in Masker((), ("x-mine",)).mask_headers(pairs)] == [MASK] * 4 + ["v"]


def test_a_secret_across_the_cut_leaves_no_half() -> None:
    secret = "abcdefghijklmnop"

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=400, text="x" * 19_992 + secret + "y" * 100_000)

    async def run() -> Answer:
        async with serving(handler) as url:
            return (await asked(url, "none", {}, (secret,)))[0]

    answer = asyncio.run(run())
    assert answer.exchange is not None
    assert "abcd" not in answer.exchange.response
    assert len(answer.exchange.response) < 21_000
