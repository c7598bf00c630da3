"""Certificates with any dates and names: right ones, and those that a client must refuse."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

KEPT = timedelta(days=60)


@dataclass(frozen=True)
class Issued:
    """A certificate and its key as PEM."""

    certificate: str
    key: str


class Authority:
    """A new authority that signs."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        made = _builder(self._name, self._name, self._key.public_key(), now - KEPT, now + KEPT)
        self._own = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
            self._key, hashes.SHA256()
        )

    @property
    def pem(self) -> str:
        """The authority's own certificate."""
        return self._own.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, host: str, begins: timedelta = -KEPT / 2, ends: timedelta = KEPT / 2) -> Issued:
        """A server's certificate for a host that is valid between these times from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:60])])
        made = _builder(subject, self._name, key.public_key(), now + begins, now + ends)
        signed = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False).sign(
            self._key, hashes.SHA256()
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Issued(signed.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        .serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
    )  # fmt: skip
