"""What a message leads with (what happened, the other incidents of a storm), and its receipt, sent once."""

from dataclasses import replace

from domain.text import Text
from tickets.report import TITLE, Line, Report, Section, bounded
from tickets.sanitize import clipped, one_line
from tickets.system import Notification, Reason, Receipt, TargetState

LEADS = {
    Reason.CAUSE_CHANGED: Text("Other first cause"),
    Reason.ACKNOWLEDGED: Text("Acknowledged", context="occasion"),
    Reason.CONFIRMED: Text("Cause confirmed"),
    Reason.RESOLVED: Text("Resolved"),
    Reason.REOPENED: Text("Reopened", context="occasion"),
    Reason.MERGED: Text("Merged", context="occasion"),
}
AT_ONCE = Text("{count} incidents at once")
STORM = Text("Further incidents in this message")
SENT = Text("Sent.")
SENT_BEFORE = Text("It had been sent before; nothing was sent again.")
DIGEST = 20
# The key in the stored target state under which the last message's id is kept.
LAST_MESSAGE = "told"


def report_with_lead(notification: Notification) -> Report:
    """The report with what happened in front of its title, and the storm's other incidents as its first section."""
    report, lead = notification.report, LEADS.get(notification.reason)
    if notification.digest:
        lead = AT_ONCE.format(count=len(notification.digest) + 1)
    if lead:
        title = f"{lead.in_language(notification.language)}: {one_line(report.title)}"
        report = replace(report, title=clipped(title, TITLE))
    if not notification.digest:
        return report
    lines = tuple(_digest_line(one) for one in notification.digest[:DIGEST])
    storm = Section(STORM, lines, len(notification.digest) - len(lines), yields=1)
    return replace(report, sections=(storm, *report.sections))


def _digest_line(report: Report) -> Line:
    title = f"#{report.number} {clipped(report.title, TITLE // 2)}"
    return Line(bounded(Text("{title}: {headline}", title=title, headline=report.headline)), url=report.url)


def message_id(notification: Notification) -> str:
    """Identifies one message of an incident: its revision and reason."""
    return f"{notification.revision}.{notification.reason}"


def sent_before(notification: Notification, state: TargetState) -> Receipt | None:
    """The receipt of a message that was sent before, None when it was not."""
    if state.get(LAST_MESSAGE) != message_id(notification):
        return None
    return Receipt(state.get("key"), notification.report.url, SENT_BEFORE)


def sent_receipt(notification: Notification, state: TargetState, key: str = "", **more: str) -> Receipt:
    """The receipt of a message that has just been sent, kept at once with all else that the next attempt must know."""
    state.put(**{LAST_MESSAGE: message_id(notification), "key": key, **more})
    return Receipt(key, notification.report.url, SENT)
