"""Messages that come by Amazon's SNS: the signature is verified, and a subscription is confirmed.

Requests go to the host of the declared topic alone, never to an address out of a message.
"""

import base64
import binascii
import re
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate
from django.core.cache import cache

from domain.connections import SourceDecl
from domain.errors import Malformed, Unreachable
from domain.sns import Topic
from evidence.bounded import content_of
from incidents import sources
from incidents.models import Delivery
from ingest.formats.sns import Envelope, envelope_of

TIMEOUT_S = 10.0
REST_S = 5
CERTIFICATE_KEPT_S = 24 * 3600
CERTIFICATE_MOST = 100_000
# https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html; 1 is what a topic has by default.
HASHES = {"1": SHA1, "2": SHA256}
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{8,64}\.pem")
log = structlog.get_logger()


def admit(delivery: Delivery, declared: SourceDecl) -> None:
    """Let a delivery pass that is no message of SNS, or one of the declared topic with the right signature.

    A message about the subscription is answered here. Raises Malformed, with the remedy, for what must not be taken,
    and Unreachable when SNS cannot be asked.
    """
    envelope = envelope_of(bytes(delivery.body))
    if envelope is None or delivery.source.recorded_from:
        return
    topic = _topic(envelope, declared)
    _verify(envelope, topic, delivery.received_at)
    if envelope.Type == "SubscriptionConfirmation":
        _confirm(envelope, topic)
        sources.subscribed(delivery.source, delivery.received_at)
    elif envelope.Type == "UnsubscribeConfirmation":
        sources.subscribed(delivery.source, None)


def _topic(envelope: Envelope, declared: SourceDecl) -> Topic:
    named = envelope.TopicArn[:300]
    topic = Topic.of(declared.sns_topic)
    if topic is None:
        raise Malformed(
            f'this comes by SNS from a topic that is not declared; if it is yours, add sns_topic = "{named}" to the'
            f" [[source]] {declared.kind}/{declared.name}, apply the file, and try the delivery again"
        )
    if topic.arn != envelope.TopicArn:
        raise Malformed(f"this comes by SNS from {named}; the source takes messages of {topic.arn} only", "TopicArn")
    return topic


def _verify(envelope: Envelope, topic: Topic, at: datetime) -> None:
    """Raises Malformed for a message that SNS did not sign."""
    algorithm = HASHES.get(envelope.SignatureVersion)
    if algorithm is None:
        raise Malformed("is neither 1 nor 2; another way to sign is not known", "SignatureVersion")
    key = _key(_certificate(envelope, topic), at)
    try:
        key.verify(base64.b64decode(envelope.Signature, validate=True), envelope.signed_text, PKCS1v15(), algorithm())
    except (InvalidSignature, binascii.Error) as error:
        raise Malformed("does not fit the message, so SNS did not send it like this", "Signature") from error


def _certificate(envelope: Envelope, topic: Topic) -> Certificate:
    """The certificate that a message names, from the topic's own host; one that can be read is kept for a day."""
    address = _address_of_certificate(envelope, topic)
    known: bytes | None = cache.get(address)
    pem = known or _asked(address)
    try:
        certificate = load_pem_x509_certificate(pem[:CERTIFICATE_MOST])
    except ValueError as error:
        raise Malformed(f"names no certificate ({error})", "SigningCertURL") from error
    if known is None:
        cache.set(address, pem, CERTIFICATE_KEPT_S)
    return certificate


def _address_of_certificate(envelope: Envelope, topic: Topic) -> str:
    try:
        parts = urlsplit(envelope.SigningCertURL)
    except ValueError:
        parts = urlsplit("")
    if (parts.scheme, parts.netloc) != ("https", topic.host) or not _CERTIFICATE.fullmatch(parts.path):
        raise Malformed(f"is no certificate of SNS at https://{topic.host}", "SigningCertURL")
    return f"https://{topic.host}{parts.path}"


def _key(certificate: Certificate, at: datetime) -> RSAPublicKey:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise Malformed("names a certificate that was not valid at the time of arrival", "SigningCertURL")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Malformed("names a certificate without an RSA key", "SigningCertURL")
    return key


def _confirm(envelope: Envelope, topic: Topic) -> None:
    """Confirm the subscription to the declared topic; SNS waits three days for it."""
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic.arn, "Token": envelope.Token})
    _asked(f"https://{topic.host}/?{query}")
    log.info("sns_subscription_confirmed", topic=topic.arn)


def _asked(url: str) -> bytes:
    """The answer of SNS. Raises Malformed for a refusal and Unreachable when there is no answer.

    After that it is left alone for `REST_S`, so that a burst of messages waits for it once.
    """
    host = urlsplit(url).netloc
    if cache.get(f"sns-rests-{host}"):
        raise Unreachable(f"{host} did not answer just now")
    try:
        return _answer(url, host)
    except Unreachable:
        cache.set(f"sns-rests-{host}", True, REST_S)
        raise


def _answer(url: str, host: str) -> bytes:
    try:
        return fetch(url)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        if status >= 500 or status == 429:
            raise Unreachable(f"{host} answers {status}") from error
        raise Malformed(f"{host} answers {status}; subscribe again if the message is older than three days") from error
    except httpx.HTTPError as error:
        raise Unreachable(f"{host} cannot be reached ({error})") from error


def fetch(url: str) -> bytes:
    """The content of an address; limited in size and time, with verified TLS, no proxies, no redirects."""
    client = httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)
    with client, client.stream("GET", url) as answer:
        answer.raise_for_status()
        return content_of(answer)
