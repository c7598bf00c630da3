"""Jira, Cloud and Data Center: one ticket per incident, the report in one comment that is edited in place."""

from urllib.parse import quote, urlsplit

from domain.text import Text
from tickets.jira import events, find, texts
from tickets.jira.api import CLOUD, DATA_CENTER, GATEWAY, JiraApi, connect, server_info
from tickets.jira.check import check
from tickets.jira.write import Writer
from tickets.render.form import safe_url
from tickets.system import Notification, Receipt, System, TargetState, Transport

NO_TICKET = Text("no ticket of this incident was found, and none is made")
OVER = Text("the incident was over before it had a ticket; none is made")


def notify(transport: Transport, notification: Notification, state: TargetState) -> Receipt:
    """Finds or makes the incident's ticket and brings it to the notification; safe to repeat after any failure."""
    api = connect(transport, state.get("deployment"))
    kind = CLOUD if api.cloud else DATA_CENTER
    if state.get("deployment") != kind:
        state.put(deployment=kind)
    ticket, parts = _find_or_create(api, notification, state)
    if ticket is None:
        return Receipt("", "", texts.joined(parts))
    parts += Writer(api, notification, state, ticket).all()
    same = Text("all stands there already")
    sentence = texts.joined(parts or [same])
    return Receipt(
        ticket.key,
        f"{_site_url(api, state)}/browse/{quote(ticket.key, safe='')}",
        Text("{key}: {sentence}", key=ticket.key, sentence=sentence),
    )


def _find_or_create(
    api: JiraApi, notification: Notification, state: TargetState
) -> tuple[find.Ticket | None, list[Text]]:
    """The ticket, and what had to be done for it."""
    known = state.get("key")
    if ticket := find.find(api, notification, state):
        if ticket.key != known:
            state.put(key=ticket.key, creating="")
        found = Text("found {key}", key=ticket.key)
        return ticket, [] if known else [found]
    if api.transport.declared.mode == "update-only":
        find.wait_for_others(api, notification)
        return None, [NO_TICKET]
    if notification.snapshot.state == "resolved":
        find.wait_for_own(api, state)
        return None, [OVER]
    return find.create(api, notification, state), [Text("ticket made")]


def _site_url(api: JiraApi, state: TargetState) -> str:
    """Where people open tickets: behind Atlassian's gateway that is another address."""
    url = str(api.transport.declared.url).rstrip("/")
    if urlsplit(url).hostname != GATEWAY:
        return url
    site = state.get("site") or safe_url(str(server_info(api.transport).get("baseUrl", ""))).rstrip("/")
    if site != state.get("site"):
        state.put(site=site)
    return site or url


SYSTEM = System(
    kind="jira",
    section="ticket",
    title=Text("Jira"),
    setup=Text(
        "Declare url, project and mode. Cloud: basic_user is the e-mail address of a service account and"
        " basic_password_file its API token, or give an OAuth 2.0 client. Data Center: a personal access token in"
        " bearer_file. For the way back add a webhook for issue updated, comment created and comment updated, signed"
        " with the secret of webhook_secret_file (Cloud) or with the secret address (Data Center); without a webhook"
        " the tickets are asked every poll_s seconds."
    ),
    notify=notify,
    check=check,
    parse_webhook=events.parse_webhook,
    poll_events=events.poll_events,
    edits=True,
    every_s=0.2,
)
