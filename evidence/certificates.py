"""What is wrong with a certificate, by the words of Go's and OpenSSL's verifiers.

Go: crypto/x509 `CertificateInvalidError`, `HostnameError`, `UnknownAuthorityError`; OpenSSL: x509_txt.c.
"""

import re
import ssl

EXPIRED, NOT_YET_VALID = "expired", "not yet valid"
WRONG_NAME, UNKNOWN_AUTHORITY, UNTRUSTED = "wrong name", "unknown authority", "untrusted"
KINDS = (EXPIRED, NOT_YET_VALID, WRONG_NAME, UNKNOWN_AUTHORITY)
# Go says "has expired or is not yet valid" of both, and then which time is on which side.
ROWS = (
    (re.compile(r"current time \S+ is before|certificate is not yet valid$|notBefore", re.MULTILINE), NOT_YET_VALID),
    (re.compile(r"certificate has expired"), EXPIRED),
    (
        re.compile(
            r"certificate is valid for .{0,500}, not |is not valid for any names|doesn't contain any IP SANs|"
            r"[Hh]ostname mismatch|IP address mismatch|relies on legacy Common Name field"
        ),
        WRONG_NAME,
    ),
    (
        re.compile(r"signed by unknown authority|self[- ]signed certificate|unable to get (local )?issuer certificate"),
        UNKNOWN_AUTHORITY,
    ),
)
# OpenSSL's codes of X509_verify_cert.
CODES = {9: NOT_YET_VALID, 10: EXPIRED, 62: WRONG_NAME, 64: WRONG_NAME, 18: UNKNOWN_AUTHORITY, 19: UNKNOWN_AUTHORITY,
         20: UNKNOWN_AUTHORITY, 21: UNKNOWN_AUTHORITY}  # fmt: skip


def fault_of(message: str) -> str:
    """One of the kinds, or `untrusted` where the message names none."""
    return next((kind for pattern, kind in ROWS if pattern.search(message)), UNTRUSTED)


def fault_of_error(error: ssl.SSLCertVerificationError) -> str:
    """One of the kinds, or `untrusted` where OpenSSL names none."""
    return CODES.get(error.verify_code, UNTRUSTED)
