"""Certificates of two authorities, one that the probes trust and one that they do not."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

NAME = "service.lab.example"


@dataclass(frozen=True)
class Pair:
    """A certificate with its key, both as PEM, and the file of the authority that signed it."""

    certificate: str
    key: str
    authority: Path


def pair(folder: Path, name: str) -> Pair:
    """A new authority `name` and a server certificate that it signed."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, key, certificate = folder / f"{name}-ca.pem", folder / f"{name}.key", folder / f"{name}.pem"
    ca_key, request, extra = folder / f"{name}-ca.key", folder / f"{name}.csr", folder / f"{name}.ext"
    extra.write_text(f"subjectAltName=DNS:{NAME}\n")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    _openssl("req", "-x509", *new, "-keyout", ca_key, "-out", authority, "-subj", f"/CN={name}-ca", "-days", "30")
    _openssl("req", *new, "-keyout", key, "-out", request, "-subj", f"/CN={NAME}")
    _openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", ca_key, "-CAcreateserial",
             "-out", certificate, "-days", "20", "-extfile", extra)  # fmt: skip
    return Pair(certificate.read_text(), key.read_text(), authority)


def _openssl(*args: str | Path) -> None:
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)
