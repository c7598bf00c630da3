"""Envelopes of SNS: a right signature of the declared topic is taken, a subscription is confirmed, all else is parked."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache as once
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from django.core.cache import cache
from django.utils import timezone

from connections.declare import declare
from domain.connections import Connections, SourceDecl
from domain.sns import Topic
from incidents import deliveries, sources
from incidents.models import Alert, Delivery, Incident, Source
from ingest import sns
from ingest.formats.sns import envelope_of
from tests.ingest.documented import TOKEN, payload, post, work
from tests.ingest.test_doors import GOOD

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alerts"
HOST = "sns.eu-west-1.amazonaws.com"
PEM = f"https://{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"


@once
def key(which: str = "own") -> Any:
    if which == "curve":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(which: str = "own", days: int = 100) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    begins = datetime.now(UTC) - timedelta(days=200)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key(which).public_key())
    made = made.serial_number(7).not_valid_before(begins).not_valid_after(begins + timedelta(days=200 + days))
    return made.sign(key(which), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def sealed(message: str, which: str = "own", **fields: str) -> bytes:
    """An envelope with its signature, as SNS posts it; `fields` replace its own before it is signed."""
    version = fields.get("SignatureVersion", "1")
    whole = {
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC,
        "Message": message, "Timestamp": timezone.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": version, "SigningCertURL": PEM, **fields,
    }  # fmt: skip
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if whole["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{whole[name]}\n" for name in names if name in whole)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    whole["Signature"] = base64.b64encode(key(which).sign(text.encode(), padding.PKCS1v15(), algorithm)).decode()
    return json.dumps(whole, indent=2).encode()


def handshake(kind: str = "SubscriptionConfirmation", **fields: str) -> bytes:
    url = f"https://{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
    return sealed("You have chosen to subscribe", Type=kind, Token="2336412f37", **{"SubscribeURL": url, **fields})


@dataclass
class Amazon:
    """What answers in SNS's place, and what it was asked."""

    pem: bytes = field(default_factory=certificate)
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        request = httpx.Request("GET", url)
        if self.status == 0:
            raise httpx.ConnectError("no route", request=request)
        httpx.Response(self.status, request=request).raise_for_status()
        return self.pem if url.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"


@pytest.fixture
def amazon(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    cache.clear()
    for kind in ("alertmanager", "cloudwatch"):
        sources.make_source(kind, "prod", TOKEN)
    declare(
        Connections(
            source=[SourceDecl(kind=kind, name="prod", sns_topic=TOPIC) for kind in ("alertmanager", "cloudwatch")]
        )
    )
    made = Amazon()
    monkeypatch.setattr(sns, "fetch", made.fetch)
    yield made
    cache.clear()


def sent(body: bytes, kind: str = "alertmanager") -> Delivery:
    assert post(kind, body, content_type="text/plain; charset=UTF-8").status_code == 202
    work()
    return Delivery.objects.latest("received_at")


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "[FIRING:1] etcd"}])
def test_a_signed_message_of_the_declared_topic_is_taken(amazon: Amazon, version: str, subject: dict[str, str]) -> None:
    for _ in range(2):
        assert sent(sealed(GOOD.decode(), SignatureVersion=version, **subject)).state == "done"
    assert Incident.objects.count() == 1 and amazon.asked == [PEM]


def test_amazons_text_that_comes_twice_is_one_occurrence_and_its_end_resolves_it(amazon: Amazon) -> None:
    at = timezone.now() - timedelta(minutes=2)
    text = payload("amazon-prometheus-text.txt").decode().partition("Labels:\n - alertname = CartSlow")[0]
    body = sealed(text, Timestamp=at.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    assert [sent(body).state, sent(body).state] == ["done", "done"]
    (alert,) = Alert.objects.all()
    assert alert.firing and alert.started_at == at.replace(microsecond=0)
    sent(sealed(text.replace("Alerts Firing:", "Alerts Resolved:")))
    assert Incident.objects.get().state == "resolved" and not Alert.objects.filter(firing=True).exists()


def test_an_alarm_of_cloudwatch_comes_by_sns(amazon: Amazon) -> None:
    assert sent(sealed(payload("cloudwatch-alarm.json").decode()), "cloudwatch").state == "done"
    assert Incident.objects.get().title == "Containers of cart restart"


def test_a_subscription_is_confirmed_at_the_topics_own_host_and_shown(amazon: Amazon) -> None:
    elsewhere = "https://internal.example/?Action=ConfirmSubscription"
    assert sent(handshake(SubscribeURL=elsewhere)).state == "done"
    asked = urlsplit(amazon.asked[-1])
    assert (asked.scheme, asked.netloc, asked.path) == ("https", HOST, "/")
    assert parse_qs(asked.query) == {"Action": ["ConfirmSubscription"], "TopicArn": [TOPIC], "Token": ["2336412f37"]}
    source = Source.objects.get(kind="alertmanager")
    assert source.subscribed_at == Delivery.objects.get().received_at and not Incident.objects.exists()
    assert sent(handshake("UnsubscribeConfirmation")).state == "done"
    source.refresh_from_db()
    assert source.subscribed_at is None and len(amazon.asked) == 2


def test_the_door_itself_asks_nobody(amazon: Amazon) -> None:
    assert post("alertmanager", handshake(), content_type="text/plain").status_code == 202
    assert amazon.asked == []


def test_an_undeclared_topic_is_parked_with_what_to_declare_and_taken_once_it_is(amazon: Amazon) -> None:
    declare(Connections(source=[SourceDecl(kind="alertmanager", name="prod")]))
    row = sent(handshake())
    assert row.state == "parked" and f'add sns_topic = "{TOPIC}" to the [[source]] alertmanager/prod' in row.reason
    assert amazon.asked == []
    declare(Connections(source=[SourceDecl(kind="alertmanager", name="prod", sns_topic=TOPIC)]))
    deliveries.replay_delivery(row, "somebody")
    work()
    assert Source.objects.get(kind="alertmanager").subscribed_at


OTHER = TOPIC.replace("alerts", "others")
WRONG = [
    (lambda: sealed(GOOD.decode(), TopicArn=OTHER), "TopicArn: this comes by SNS from " + OTHER),
    (lambda: sealed(GOOD.decode()).replace(b"10.0.0.1", b"10.0.0.2"), "Signature: does not fit the message"),
    (lambda: sealed(GOOD.decode(), which="other"), "Signature: does not fit the message"),
    (lambda: sealed("x").replace(b'"Signature": "', b'"Signature": "%'), "Signature: does not fit the message"),
    (lambda: sealed("x", SignatureVersion="3"), "SignatureVersion: is neither 1 nor 2"),
    *(
        (lambda url=url: sealed("x", SigningCertURL=url), "SigningCertURL: is no certificate of SNS at")
        for url in [
            PEM.replace("https", "http"), PEM.replace(HOST, "sns.us-east-1.amazonaws.com"), PEM.replace(HOST, "evil.example"),
            PEM.replace(HOST, f"{HOST}@evil.example"), PEM.replace(HOST, f"{HOST}:444"), f"https://{HOST}/other.pem",
            f"https://{HOST}/x/../SimpleNotificationService-0123456789.pem", "https://[", "",
        ]
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), WRONG)
def test_what_sns_did_not_send_is_parked_with_the_reason(amazon: Amazon, body: Any, reason: str) -> None:
    row = sent(body())
    assert (row.state, row.attempts) == ("parked", 1) and row.reason.startswith(reason)
    assert not Incident.objects.exists() and set(amazon.asked) <= {PEM}


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (b"no certificate", "names no certificate"),
        (lambda: certificate(days=-50), "was not valid at the time of arrival"),
        (lambda: certificate("curve"), "without an RSA key"),
    ],
)
def test_a_certificate_that_cannot_be_trusted_is_no_certificate(amazon: Amazon, pem: Any, reason: str) -> None:
    amazon.pem = pem if isinstance(pem, bytes) else pem()
    row = sent(sealed(GOOD.decode()))
    assert row.state == "parked" and reason in row.reason


def test_an_answer_that_is_no_certificate_is_not_kept(amazon: Amazon) -> None:
    amazon.pem, right = b"<html>", amazon.pem
    sent(sealed(GOOD.decode()))
    amazon.pem = right
    assert sent(sealed(GOOD.decode())).state == "done"


@pytest.mark.parametrize(("status", "state"), [(0, "new"), (503, "new"), (429, "new"), (403, "parked")])
def test_when_sns_does_not_answer_it_is_asked_again_later_and_a_refusal_is_final(
    amazon: Amazon, status: int, state: str
) -> None:
    amazon.status = status
    row = sent(handshake())
    assert row.state == state and HOST in row.reason
    amazon.status = 200
    if state == "new":
        cache.clear()
        Delivery.objects.update(claimed_until=None)
        work()
        assert Source.objects.get(kind="alertmanager").subscribed_at


def test_a_burst_waits_for_sns_once(amazon: Amazon) -> None:
    amazon.status = 0
    for number in range(5):
        post("alertmanager", sealed(f"{number}"), content_type="text/plain")
    work()
    assert len(amazon.asked) == 1 and set(Delivery.objects.values_list("state", "attempts")) == {("new", 1)}


def test_a_recorded_envelope_is_replayed_without_a_network(amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Source, "recorded_from", "somewhere")
    delivery = Delivery(source=Source.objects.get(kind="alertmanager"), body=sealed("x", TopicArn=OTHER))
    sns.admit(delivery, SourceDecl(kind="alertmanager", name="prod"))
    assert amazon.asked == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"TopicArn": 1}',
        b'{"TopicArn": "x", "Type": "Odd"}',
        b'["TopicArn"]',
        b'{"TopicArn": ',
        b'{"a": "\\"TopicArn\\""}',
    ],
)
def test_what_only_looks_like_an_envelope_is_none(body: bytes) -> None:
    assert envelope_of(body) is None


@pytest.mark.parametrize(
    ("arn", "host"),
    [
        (TOPIC, HOST),
        ("arn:aws-cn:sns:cn-north-1:123456789012:a-b_c.fifo", "sns.cn-north-1.amazonaws.com.cn"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:x", "sns.us-gov-west-1.amazonaws.com"),
        ("arn:aws:sns:evil.example/a1:123456789012:x", None), ("arn:aws:sns:eu-west-1:12:x", None),
        (TOPIC + "\n", None), ("arn:aws:sqs:eu-west-1:123456789012:x", None), ("", None),
    ],
)  # fmt: skip
def test_the_host_follows_from_the_topic_alone(arn: str, host: str | None) -> None:
    topic = Topic.of(arn)
    assert (topic.host if topic else None) == host
