"""Mail over SMTP: one thread per incident, plain text and HTML, over verified TLS."""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape

from domain.errors import Refused, Unreachable
from domain.text import Text
from tickets.message import message_id, report_with_lead, sent_before, sent_receipt
from tickets.problems import RefusedWithText, problem_of
from tickets.render import render
from tickets.render.form import title_of
from tickets.sanitize import clipped
from tickets.system import Notification, Problem, Receipt, System, TargetState, Transport
from tickets.transport import trust

# A header line may have 998 bytes; a subject that is shown has far less.
SUBJECT = 150
INCOMPLETE = Text("The declaration lacks smtp_host, sender or recipients; add what is missing")
OPEN_PASSWORD = Text("A password would go over an open connection; set smtp_tls to starttls or tls")
NOT_OFFERED = Text("The mail server offers no STARTTLS or no sign-in on this port; compare smtp_tls and smtp_port")
BAD_PASSWORD = Text("The mail server does not take user and password; correct basic_user and basic_password_file")
OPEN = Text("The connection is not encrypted; set smtp_tls to starttls or tls")


def message_of(transport: Transport, notification: Notification, state: TargetState) -> EmailMessage:
    """The mail of a notification; the first mail of an incident begins the thread that the others belong to."""
    report, declared = report_with_lead(notification), transport.declared
    domain = parseaddr(declared.sender)[1].partition("@")[2] or "localhost"
    root = f"<incident-{notification.snapshot.id}@{domain}>"
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = declared.sender, ", ".join(declared.recipients)
    mail["Subject"] = state.get("subject") or clipped(
        title_of(report if notification.digest else notification.report), SUBJECT
    )
    mail["Date"], mail["Auto-Submitted"] = format_datetime(transport.now), "auto-generated"
    if state.get("root"):
        mail["Message-ID"] = f"<incident-{notification.snapshot.id}.{message_id(notification)}@{domain}>"
        mail["In-Reply-To"] = mail["References"] = root
    else:
        mail["Message-ID"] = root
    mail.set_content(str(render(report, "text", notification.language)))
    shown = str(render(report, "html", notification.language))
    mail.add_alternative(_page(shown, title_of(report), notification.language), subtype="html")
    return mail


def as_text(mail: EmailMessage) -> str:
    """The mail's headers and both its texts, not as they are encoded for the way."""
    headers = "\n".join(f"{name}: {value}" for name, value in mail.items())
    texts = [str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n\n".join([headers, *texts])


def _page(fragment: str, title: str, language: str) -> str:
    code = "zh-Hans" if language.startswith("zh") else "en"
    head = f'<!doctype html>\n<html lang="{code}"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return f"{head}\n<body>\n{fragment}</body></html>\n"


@contextmanager
def connect(transport: Transport) -> Iterator[smtplib.SMTP]:
    """A signed-in session. Raises Unreachable or Refused, without text from the session."""
    declared = transport.declared
    if not (declared.smtp_host and declared.sender and declared.recipients):
        raise RefusedWithText(INCOMPLETE)
    if declared.basic_user and declared.smtp_tls == "none":
        raise RefusedWithText(OPEN_PASSWORD)
    try:
        with _session(transport) as session:
            if declared.basic_user:
                session.login(declared.basic_user, transport.secret("basic_password"))
            yield session
    except smtplib.SMTPException as error:
        raise _error_of(error) from error
    except OSError as error:
        raise Unreachable(f"the mail server cannot be reached ({_reason(error)})") from error


def _session(transport: Transport) -> smtplib.SMTP:
    declared = transport.declared
    name = parseaddr(declared.sender)[1].partition("@")[2] or "localhost"
    place = {"host": declared.smtp_host, "port": declared.smtp_port, "local_hostname": name}
    if declared.smtp_tls == "tls":
        return smtplib.SMTP_SSL(**place, timeout=declared.timeout_s, context=trust(declared.ca_file))
    session = smtplib.SMTP(**place, timeout=declared.timeout_s)
    if declared.smtp_tls == "starttls":
        try:
            session.starttls(context=trust(declared.ca_file))
        except BaseException:
            session.close()
            raise
    return session


def _reason(error: OSError) -> str:
    """The reason why a certificate is not trusted, else the error's type: other texts could hold anything."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}; name the authority in ca_file"
    return type(error).__name__


def _error_of(error: smtplib.SMTPException) -> Unreachable | Refused:
    """An SMTP error as ours: 4xx and a lost connection are Unreachable, 5xx is Refused."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return RefusedWithText(NOT_OFFERED)
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
        return RefusedWithText(BAD_PASSWORD)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        worst = min(code for code, _ in error.recipients.values())
        who = ", ".join(sorted(error.recipients))
        return Unreachable(f"later: {who}") if worst < 500 else Refused(f"the mail server refuses the recipients {who}")
    if isinstance(error, smtplib.SMTPResponseException):
        code = error.smtp_code
        return Refused(f"the mail server refused with {code}") if code >= 500 else Unreachable(f"it answered {code}")
    return Unreachable(f"the mail server broke off ({type(error).__name__})")


def _notify(transport: Transport, notification: Notification, state: TargetState) -> Receipt:
    """Sends one mail to all recipients, once for each revision and reason."""
    if stands := sent_before(notification, state):
        return stands
    mail, refused = message_of(transport, notification, state), {}
    if transport.dry_run:
        transport.show("SMTP", f"{transport.declared.smtp_host}:{transport.declared.smtp_port}", as_text(mail))
    else:
        with connect(transport) as session:
            refused = session.send_message(mail)
    receipt = sent_receipt(notification, state, str(mail["Message-ID"]), root="1", subject=str(mail["Subject"]))
    if not refused:
        return receipt
    who = ", ".join(sorted(refused))
    return Receipt(receipt.key, receipt.url, Text("Sent, but refused for {who}.", who=who))


def _check(transport: Transport) -> Sequence[Problem]:
    """Signs in and names sender and recipients as for a mail; none is sent."""
    try:
        with connect(transport) as session:
            session.ehlo_or_helo_if_needed()
            _raise_for_code(session.mail(parseaddr(transport.declared.sender)[1]), "sender")
            for recipient in transport.declared.recipients:
                _raise_for_code(session.rcpt(parseaddr(recipient)[1]), f"recipient {recipient}")
            session.rset()
    except (Unreachable, Refused) as error:
        return [problem_of(error)]
    return [Problem(OPEN, fatal=False)] if transport.declared.smtp_tls == "none" else []


def _raise_for_code(answer: tuple[int, bytes], what: str) -> None:
    if answer[0] >= 400:
        raise RefusedWithText(
            Text(
                "The mail server refuses the {what} with {code}; correct it in the connections file",
                what=what,
                code=answer[0],
            )
        )


SYSTEM = System(
    kind="mail",
    section="chat",
    title=Text("Mail"),
    setup=Text(
        "Name smtp_host, smtp_port, smtp_tls, sender and recipients; user and password as basic_user and"
        " basic_password_file."
    ),
    notify=_notify,
    check=_check,
)
