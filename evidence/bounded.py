"""Reads an answer no further than its limit."""

import httpx

ANSWER_LIMIT = 16 * 1024 * 1024


def content_of(response: httpx.Response) -> bytes:
    """The whole body, decompressed. Raises httpx.ReadError above the limit."""
    parts: list[bytes] = []
    size = 0
    for part in httpx.Response(response.status_code, headers=response.headers, stream=response.stream).iter_bytes():
        size += len(part)
        if size > ANSWER_LIMIT:
            raise httpx.ReadError(f"the answer is larger than {ANSWER_LIMIT} bytes")
        parts.append(part)
    return b"".join(parts)
