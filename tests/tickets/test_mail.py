"""Mail to a real server over TLS: one thread per incident, both forms, every refusal understood."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Refused, Unreachable
from tests.fakes.smtp_server import PASSWORD, USER, SmtpServer, certificate
from tests.tickets.targets import Target, another, notification, target
from tickets.system import Reason


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(tmp_path) as served:
        yield served


def box(smtp: SmtpServer, folder: Path, **more: Any) -> Target:
    (folder / "mail.password").write_text(more.pop("password", PASSWORD) + "\n")
    usual = {
        "smtp_host": "localhost", "smtp_port": smtp.port, "ca_file": str(smtp.cert), "basic_user": USER,
        "basic_password_file": str(folder / "mail.password"), "sender": "Incident Graph <graph@sender.example>",
        "recipients": ["on-call@example.com", "lead@example.com"], "timeout_s": 5.0,
    }  # fmt: skip
    return target(folder, "mail", **(usual | more))


def test_a_mail_has_plain_text_and_html(smtp: SmtpServer, tmp_path: Path) -> None:
    box(smtp, tmp_path).notify(notification(text="<b>瘦</b> disk"))
    (mail,) = smtp.delivered
    assert mail["Subject"] == "#7 <b>瘦</b> disk"
    assert mail["To"] == "on-call@example.com, lead@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and html is not None
    assert "<b>瘦</b> disk headline" in plain.get_content()
    assert "&lt;b&gt;瘦&lt;/b&gt; disk headline" in html.get_content()
    assert "<b>" not in html.get_content()


def test_all_mails_of_an_incident_are_one_thread(smtp: SmtpServer, tmp_path: Path) -> None:
    one = box(smtp, tmp_path)
    one.notify(notification())
    one.notify(notification(2, Reason.CAUSE_CHANGED))
    one.notify(notification(2, Reason.CAUSE_CHANGED))
    one.notify(notification(3, Reason.RESOLVED))
    first, changed, resolved = smtp.delivered
    assert first["Message-ID"] == "<incident-i1@sender.example>"
    assert first["References"] is None
    for later in (changed, resolved):
        assert later["References"] == later["In-Reply-To"] == first["Message-ID"]
        assert later["Subject"] == first["Subject"]
    assert len({mail["Message-ID"] for mail in smtp.delivered}) == 3
    assert "Resolved: slow disk" in str(resolved.get_body(("plain",)))


def test_a_mail_that_may_have_arrived_is_repeated_under_its_own_name(smtp: SmtpServer, tmp_path: Path) -> None:
    one = box(smtp, tmp_path)
    smtp.answers["DATA"] = "lost"
    with pytest.raises(Unreachable):
        one.notify(notification())
    smtp.answers.clear()
    one.notify(notification())
    assert [mail["Message-ID"] for mail in smtp.delivered] == ["<incident-i1@sender.example>"] * 2


def test_all_that_is_kept_of_a_mail_is_kept_at_once(smtp: SmtpServer, tmp_path: Path) -> None:
    one = box(smtp, tmp_path)

    def dies(**values: str) -> None:
        raise Unreachable("taken over")

    one.target_state.put = dies
    with pytest.raises(Unreachable):
        one.notify(notification())
    del one.target_state.put
    one.notify(notification())
    assert [mail["Message-ID"] for mail in smtp.delivered] == ["<incident-i1@sender.example>"] * 2


def test_a_storm_is_named_in_its_subject(smtp: SmtpServer, tmp_path: Path) -> None:
    box(smtp, tmp_path).notify(notification(reason=Reason.DIGEST, digest=(another(8), another(9))))
    assert smtp.delivered[0]["Subject"] == "#7 3 incidents at once: slow disk"


def test_a_header_cannot_be_smuggled_in(smtp: SmtpServer, tmp_path: Path) -> None:
    box(smtp, tmp_path).notify(notification(text="x\r\nBcc: all@example.com\n\n<script>"))
    (mail,) = smtp.delivered
    assert mail["Bcc"] is None
    assert mail["Subject"] == "#7 x Bcc: all@example.com <script>"
    assert {c.split()[1] for c in smtp.commands if c.startswith("RCPT")} == {
        "on-call@example.com",
        "lead@example.com",
    }


def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, tls="tls") as smtp:
        one = box(smtp, tmp_path, smtp_tls="tls")
        assert one.check() == []
        one.notify(notification())
        assert len(smtp.delivered) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_is_not_trusted_gets_nothing(tls: str, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    ca, _ = certificate(stranger)
    with SmtpServer(tmp_path, tls=tls) as smtp:
        with pytest.raises(Unreachable, match=r"not trusted.*ca_file"):
            box(smtp, tmp_path, smtp_tls=tls, ca_file=str(ca)).notify(notification())
        assert (smtp.delivered, smtp.commands) == ([], [])


def test_a_certificate_of_another_name_gets_nothing(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, name="mail.example.com") as smtp:
        with pytest.raises(Unreachable, match="not trusted"):
            box(smtp, tmp_path).notify(notification())
        assert smtp.delivered == []


def test_a_password_never_goes_over_an_open_connection(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, tls="none") as smtp:
        with pytest.raises(Refused, match="open connection"):
            box(smtp, tmp_path, smtp_tls="none").notify(notification())
        (problem,) = box(smtp, tmp_path, smtp_tls="none", basic_user="", ca_file="").check()
        assert not problem.fatal


def test_a_server_without_starttls_is_recognised(tmp_path: Path) -> None:
    with SmtpServer(tmp_path, tls="none") as smtp:
        (problem,) = box(smtp, tmp_path).check()
        assert "compare smtp_tls and smtp_port" in problem.sentence.en


def test_a_good_mail_server_has_no_problem_and_the_check_delivers_nothing(smtp: SmtpServer, tmp_path: Path) -> None:
    assert box(smtp, tmp_path).check() == []
    assert smtp.delivered == []


def test_a_wrong_password_is_named_without_being_shown(smtp: SmtpServer, tmp_path: Path) -> None:
    (problem,) = box(smtp, tmp_path, password="not this one").check()
    assert "basic_password_file" in problem.sentence.en
    assert "not this one" not in problem.sentence.en


def test_refused_recipients(smtp: SmtpServer, tmp_path: Path) -> None:
    smtp.answers["lead@example.com"] = "550 no such user"
    one = box(smtp, tmp_path)
    (problem,) = one.check()
    assert "lead@example.com" in problem.sentence.en
    assert one.notify(notification()).sentence.en == "Sent, but refused for lead@example.com."
    assert len(smtp.delivered) == 1
    smtp.answers["on-call@example.com"] = "550 no such user"
    with pytest.raises(Refused, match="refuses the recipients"):
        one.notify(notification(2))


def test_a_busy_server_is_for_later(smtp: SmtpServer, tmp_path: Path) -> None:
    smtp.answers["DATA"] = "451 try again"
    with pytest.raises(Unreachable):
        box(smtp, tmp_path).notify(notification())
    smtp.answers["DATA"] = "554 spam"
    with pytest.raises(Refused, match="554"):
        box(smtp, tmp_path).notify(notification())


def test_nobody_there_is_for_later_and_a_gap_in_the_declaration_is_not(smtp: SmtpServer, tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        box(smtp, tmp_path, smtp_port=9).notify(notification())
    with pytest.raises(Refused, match="recipients"):
        box(smtp, tmp_path, recipients=[]).notify(notification())


def test_a_dry_run_shows_the_mail(smtp: SmtpServer, tmp_path: Path) -> None:
    dry = box(smtp, tmp_path, mode="dry-run")
    dry.notify(notification(text="瘦磁盘", language="zh"))
    assert (smtp.delivered, smtp.commands) == ([], [])
    shown = dry.traffic.held_back[0]["body"]
    for words in (
        "Message-ID: <incident-i1@sender.example>",
        "To: on-call@example.com",
        "中文 瘦磁盘 headline",
        "<strong>",
    ):
        assert words in shown
