"""Removes credentials from text by their form, for logs and for everything that is shown."""

import re

HIDDEN = "•••"
_SHAPES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(\bauthorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token)\s+)?)[^\s\"',}]+()",
        r"(\b(?:bearer|basic)\s+)(?=\S*[0-9=_])[A-Za-z0-9._~+/=-]{8,}()",
        r"([?&](?:key|sign|signature|secret|password|[a-z_-]*token|api_?key)=)[^&\s\"'<>]+()",
        r"([\"'](?:auth|password|[a-z_]*token|[a-z_]*secret|api_?key)[\"']\s*:\s*[\"'])[^\"']+([\"'])",
        r"(hooks\.slack\.com/[a-z]+/)[^\s\"'<>]+()",
        r"(/tickets/[^/\s]+/webhook/)[^/\s\"'<>]+()",
        r"(/open-apis/bot/v2/hook/)[^\s\"'<>]+()",
        r"(://[^/\s:@]*:)[^@/\s]+(@)",
    )
)


def redacted(text: str) -> str:
    """The text with tokens, passwords and webhook keys hidden."""
    for shape in _SHAPES:
        text = shape.sub(rf"\g<1>{HIDDEN}\g<2>", text)
    return text
