"""Jira, Cloud and Data Center: one ticket per incident, the report in one comment that is edited in place."""

from urllib.parse import quote, urlsplit

from domain.text import Text
from tickets.jira import back, find, texts
from tickets.jira.check import check
from tickets.jira.wire import CLOUD, DATA_CENTER, GATEWAY, Wire, opened, server
from tickets.jira.write import Writer
from tickets.render.form import safe_url
from tickets.system import Notification, Receipt, System, TargetState, Transport

NO_TICKET = Text("no ticket of this incident was found, and none is made", "没有找到该事件的工单，也不创建")
OVER = Text("the incident was over before it had a ticket; none is made", "事件在有工单之前已结束，不再创建")


def tell(means: Transport, notice: Notification, memory: TargetState) -> Receipt:
    """The incident's ticket, found or made, as the notice says it; again from the top after any failure."""
    wire = opened(means, memory.get("deployment"))
    kind = CLOUD if wire.cloud else DATA_CENTER
    if memory.get("deployment") != kind:
        memory.put(deployment=kind)
    ticket, parts = _ticket(wire, notice, memory)
    if ticket is None:
        return Receipt("", "", texts.joined(parts))
    parts += Writer(wire, notice, memory, ticket).all()
    same = Text("all stands there already", "内容已是最新")
    sentence = texts.joined(parts or [same])
    return Receipt(
        ticket.key,
        f"{_site(wire, memory)}/browse/{quote(ticket.key, safe='')}",
        Text(f"{ticket.key}: {sentence.en}", f"{ticket.key}：{sentence.zh}"),
    )


def _ticket(wire: Wire, notice: Notification, memory: TargetState) -> tuple[find.Ticket | None, list[Text]]:
    """The ticket, and what had to be done for it."""
    known = memory.get("key")
    if ticket := find.find(wire, notice, memory):
        if ticket.key != known:
            memory.put(key=ticket.key, creating="")
        found = Text(f"found {ticket.key}", f"找到 {ticket.key}")
        return ticket, [] if known else [found]
    if wire.means.declared.mode == "update-only":
        find.wait_for_others(wire, notice)
        return None, [NO_TICKET]
    if notice.snapshot.state == "resolved":
        find.wait_for_own(wire, memory)
        return None, [OVER]
    return find.create(wire, notice, memory), [Text("ticket made", "已创建工单")]


def _site(wire: Wire, memory: TargetState) -> str:
    """Where people open tickets: behind Atlassian's gateway that is another address."""
    url = str(wire.means.declared.url).rstrip("/")
    if urlsplit(url).hostname != GATEWAY:
        return url
    site = memory.get("site") or safe_url(str(server(wire.means).get("baseUrl", ""))).rstrip("/")
    if site != memory.get("site"):
        memory.put(site=site)
    return site or url


SYSTEM = System(
    kind="jira",
    section="ticket",
    title=Text("Jira", "Jira"),
    setup=Text(
        "Declare url, project and mode. Cloud: basic_user is the e-mail address of a service account and"
        " basic_password_file its API token, or give an OAuth 2.0 client. Data Center: a personal access token in"
        " bearer_file. For the way back add a webhook for issue updated, comment created and comment updated, signed"
        " with the secret of webhook_secret_file (Cloud) or with the secret address (Data Center); without a webhook"
        " the tickets are asked every poll_s seconds.",
        "请声明 url、project 和 mode。Cloud：basic_user 为服务账号邮箱，basic_password_file 为其 API 令牌，或使用"
        " OAuth 2.0 客户端。Data Center：在 bearer_file 中放个人访问令牌。若要接收回传，请添加 issue updated、"
        "comment created、comment updated 的 webhook，用 webhook_secret_file 的密钥签名（Cloud）或使用带密钥的地址"
        "（Data Center）；没有 webhook 时，每隔 poll_s 秒查询一次工单。",
    ),
    tell=tell,
    check=check,
    heard=back.heard,
    polled=back.polled,
    edits=True,
    every_s=0.2,
)
