"""Authenticates a ticket system's webhook: by its secret path, by its signature, or by both."""

import hashlib
import hmac
from collections.abc import Callable, Mapping

SIGNATURE = "X-Hub-Signature"


def is_genuine(secret: Callable[[str], str], headers: Mapping[str, str], body: bytes, path: str) -> bool:
    """Every declared way must hold, and at least one must be declared; compared in constant time.

    `webhook_path` is the last part of the address, `webhook_secret` signs the raw body with HMAC-SHA256.
    """
    wanted_path, key = secret("webhook_path"), secret("webhook_secret")
    right_path = hmac.compare_digest(path.encode(), wanted_path.encode())
    signed = f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"
    right_signature = hmac.compare_digest(headers.get(SIGNATURE, "").encode(), signed.encode())
    return bool(wanted_path or key) and (right_path or not wanted_path) and (right_signature or not key)
