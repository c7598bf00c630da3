"""How values are shown: two-language texts, probabilities, durations, bars."""

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, ngettext

from causes.cause import LAYER_NAMES
from domain.alerts import Severity
from domain.entities import KIND_NAMES, EntityKind, named
from domain.findings import Item
from domain.text import Text
from domain.verdict import Role
from tickets.report import step_line
from web.drawing.values import limited, percent, spoken

register = template.Library()
register.filter(percent)


@register.filter
def in_language(text: Text | None) -> str:
    """The text in the reader's language."""
    return text.in_language(get_language() or "en") if text else ""


@register.filter
def lead(headline: Text) -> str:
    """Of a headline the entity, the cause and how sure it is; the evidence follows in `rest`."""
    return _parted(headline)[0]


@register.filter
def rest(headline: Text) -> str:
    """The evidence that a headline names."""
    return _parted(headline)[1]


def _parted(headline: Text) -> tuple[str, str]:
    whole = in_language(headline)
    mark = next((m for m in ("%). ", "%）。") if m in whole), "")
    first, _, more = whole.partition(mark) if mark else (whole, "", "")
    return first + mark[:2], more


@register.filter
def step(text: Text) -> SafeString:
    """A next step with its command set apart, so that it can be read and copied as one."""
    line, words = step_line(text), in_language(text)
    if line.command:
        return format_html("<code>{}</code>", words)
    return (
        format_html("{} <code>{}</code>", in_language(line.text), line.query)
        if line.query
        else format_html("{}", words)
    )


@register.simple_tag
def manage() -> str:
    """How `manage.py` is called where this service runs."""
    inside = Path(sys.prefix) == settings.BASE_DIR / ".venv"
    return ".venv/bin/python manage.py" if inside else "python manage.py"


@register.filter
def kind_word(kind: str) -> str:
    """An entity's kind in the reader's language."""
    return in_language(KIND_NAMES.get(EntityKind(kind)))


@register.filter
def layer_word(layer: str) -> str:
    """A cause's layer in the reader's language."""
    return in_language(LAYER_NAMES.get(layer)) or layer


@register.filter
def entity_name(key: str) -> str:
    """The entity of a key, as people call it."""
    try:
        return in_language(named(key))
    except (KeyError, ValueError):  # a record of an older version
        return key


@register.filter
def role_word(role: str) -> str:
    """What a cause is beside the others, in the reader's language; a mere alternative needs no word."""
    words = {
        Role.PRIMARY: gettext("primary cause"),
        Role.CONTRIBUTING: gettext("contributed"),
        Role.CONSEQUENCE: gettext("follows from the first"),
    }
    return words.get(Role(role), "")


@register.filter
def measured(value: float | None, unit: str) -> str:
    """A value with its unit in readable size."""
    return spoken(value, unit, get_language() or "en")


@register.filter
def beside(limit: float | None, unit: str) -> str:
    """A limit as it stands beside its value."""
    return limited(limit, unit, get_language() or "en")


@register.filter
def noted(items: Sequence[Item]) -> bool:
    """Whether any line of a detail table has a note."""
    return any(item.note for item in items)


@register.filter
def signed(weight: float) -> str:
    """A term's weight with its sign."""
    return f"{weight:+.1f}".replace("-", "−") if weight else "0"


@register.filter
def severity_slug(rank: int) -> str:
    """0..4 as the severity's word in style sheets and URLs."""
    return list(Severity)[rank].value


@register.filter
def severity_word(rank: int) -> str:
    """0..4 as the severity's word for readers."""
    words = (gettext("Info"), gettext("Warning"), gettext("Average"), gettext("High"), gettext("Critical"))
    return words[rank]


@register.filter
def lasted(start: datetime, end: datetime | None) -> str:
    """The time between two moments in the two largest units."""
    return "" if end is None else duration(end - start)


@register.filter
def since(moment: datetime) -> str:
    """The time from a moment until now."""
    return duration(timezone.now() - moment)


@register.filter
def minutes(count: int) -> str:
    """Whole minutes in words; an incident that was shorter took time too."""
    return duration(timedelta(minutes=count)) if count else gettext("under 1 min")


@register.filter
def seconds(count: int) -> str:
    """Whole seconds in words."""
    return duration(timedelta(seconds=count))


def duration(span: timedelta) -> str:
    """`90 min` up to two hours, then hours, then days; below one minute seconds."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return gettext("%d s") % seconds
    if seconds < 7200:
        return gettext("%d min") % (seconds // 60)
    if seconds < 172800:
        return gettext("%d h") % (seconds // 3600)
    days = seconds // 86400
    return ngettext("%d day", "%d days", days) % days


@register.simple_tag
def bar(probability: float, kind: str = "") -> SafeString:
    """A horizontal bar; the number stands beside it as text, so the bar itself is decoration."""
    return format_html(
        '<svg class="bar {}" viewBox="0 0 100 9" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="9"/></svg>',
        kind, f"{max(0.0, min(1.0, probability)) * 100:.1f}",
    )  # fmt: skip
