"""Reads an answer no further than its limit, and no longer."""

import time

import httpx

ANSWER_LIMIT = 16 * 1024 * 1024
# A read's own time limit starts anew with every byte.
LONGEST_S = 30.0


def content_of(response: httpx.Response) -> bytes:
    """The whole body, decompressed. Raises httpx.ReadError above the limit, httpx.ReadTimeout when it trickles."""
    parts: list[bytes] = []
    size, until = 0, time.monotonic() + LONGEST_S
    for part in httpx.Response(response.status_code, headers=response.headers, stream=response.stream).iter_bytes():
        size += len(part)
        if size > ANSWER_LIMIT:
            raise httpx.ReadError(f"the answer is larger than {ANSWER_LIMIT} bytes")
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer does not come to its end")
        parts.append(part)
    return b"".join(parts)
