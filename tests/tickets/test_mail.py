"""Mail to a real server over TLS: one thread per incident, both forms, every refusal understood."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Refused, Unreachable
from tests.fakes.post_office import PASSWORD, USER, PostOffice, certificate
from tests.tickets.targets import Target, another, notice, target
from tickets.system import Reason


@pytest.fixture
def office(tmp_path: Path) -> Iterator[PostOffice]:
    with PostOffice(tmp_path) as served:
        yield served


def box(office: PostOffice, folder: Path, **more: Any) -> Target:
    (folder / "mail.password").write_text(more.pop("password", PASSWORD) + "\n")
    usual = {
        "smtp_host": "localhost", "smtp_port": office.port, "ca_file": str(office.cert), "basic_user": USER,
        "basic_password_file": str(folder / "mail.password"), "sender": "Incident Graph <graph@sender.example>",
        "recipients": ["on-call@example.com", "lead@example.com"], "timeout_s": 5.0,
    }  # fmt: skip
    return target(folder, "mail", **(usual | more))


def test_a_mail_tells_in_plain_text_and_html(office: PostOffice, tmp_path: Path) -> None:
    box(office, tmp_path).tell(notice(text="<b>瘦</b> disk"))
    (mail,) = office.delivered
    assert mail["Subject"] == "#7 <b>瘦</b> disk"
    assert mail["To"] == "on-call@example.com, lead@example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and html is not None
    assert "<b>瘦</b> disk headline" in plain.get_content()
    assert "&lt;b&gt;瘦&lt;/b&gt; disk headline" in html.get_content()
    assert "<b>" not in html.get_content()


def test_all_mails_of_an_incident_are_one_thread(office: PostOffice, tmp_path: Path) -> None:
    one = box(office, tmp_path)
    one.tell(notice())
    one.tell(notice(2, Reason.CAUSE_CHANGED))
    one.tell(notice(2, Reason.CAUSE_CHANGED))
    one.tell(notice(3, Reason.RESOLVED))
    first, changed, resolved = office.delivered
    assert first["Message-ID"] == "<incident-i1@sender.example>"
    assert first["References"] is None
    for later in (changed, resolved):
        assert later["References"] == later["In-Reply-To"] == first["Message-ID"]
        assert later["Subject"] == first["Subject"]
    assert len({mail["Message-ID"] for mail in office.delivered}) == 3
    assert "Resolved: slow disk" in str(resolved.get_body(("plain",)))


def test_a_mail_that_may_have_arrived_is_repeated_under_its_own_name(office: PostOffice, tmp_path: Path) -> None:
    one = box(office, tmp_path)
    office.answers["DATA"] = "lost"
    with pytest.raises(Unreachable):
        one.tell(notice())
    office.answers.clear()
    one.tell(notice())
    assert [mail["Message-ID"] for mail in office.delivered] == ["<incident-i1@sender.example>"] * 2


def test_all_that_is_kept_of_a_mail_is_kept_at_once(office: PostOffice, tmp_path: Path) -> None:
    one = box(office, tmp_path)

    def dies(**values: str) -> None:
        raise Unreachable("taken over")

    one.memory.put = dies
    with pytest.raises(Unreachable):
        one.tell(notice())
    del one.memory.put
    one.tell(notice())
    assert [mail["Message-ID"] for mail in office.delivered] == ["<incident-i1@sender.example>"] * 2


def test_a_storm_says_so_in_its_subject(office: PostOffice, tmp_path: Path) -> None:
    box(office, tmp_path).tell(notice(occasion=Reason.DIGEST, digest=(another(8), another(9))))
    assert office.delivered[0]["Subject"] == "#7 3 incidents at once: slow disk"


def test_a_header_cannot_be_smuggled_in(office: PostOffice, tmp_path: Path) -> None:
    box(office, tmp_path).tell(notice(text="x\r\nBcc: all@example.com\n\n<script>"))
    (mail,) = office.delivered
    assert mail["Bcc"] is None
    assert mail["Subject"] == "#7 x Bcc: all@example.com <script>"
    assert {c.split()[1] for c in office.commands if c.startswith("RCPT")} == {
        "on-call@example.com",
        "lead@example.com",
    }


def test_tls_from_the_first_byte(tmp_path: Path) -> None:
    with PostOffice(tmp_path, tls="tls") as office:
        one = box(office, tmp_path, smtp_tls="tls")
        assert one.check() == []
        one.tell(notice())
        assert len(office.delivered) == 1


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_is_not_trusted_gets_nothing(tls: str, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    ca, _ = certificate(stranger)
    with PostOffice(tmp_path, tls=tls) as office:
        with pytest.raises(Unreachable, match=r"not trusted.*ca_file"):
            box(office, tmp_path, smtp_tls=tls, ca_file=str(ca)).tell(notice())
        assert (office.delivered, office.commands) == ([], [])


def test_a_certificate_of_another_name_gets_nothing(tmp_path: Path) -> None:
    with PostOffice(tmp_path, name="mail.example.com") as office:
        with pytest.raises(Unreachable, match="not trusted"):
            box(office, tmp_path).tell(notice())
        assert office.delivered == []


def test_a_password_never_goes_over_an_open_connection(tmp_path: Path) -> None:
    with PostOffice(tmp_path, tls="none") as office:
        with pytest.raises(Refused, match="open connection"):
            box(office, tmp_path, smtp_tls="none").tell(notice())
        (trouble,) = box(office, tmp_path, smtp_tls="none", basic_user="", ca_file="").check()
        assert not trouble.fatal


def test_a_server_without_starttls_is_told_apart(tmp_path: Path) -> None:
    with PostOffice(tmp_path, tls="none") as office:
        (trouble,) = box(office, tmp_path).check()
        assert "compare smtp_tls and smtp_port" in trouble.sentence.en


def test_a_good_box_has_no_trouble_and_the_check_delivers_nothing(office: PostOffice, tmp_path: Path) -> None:
    assert box(office, tmp_path).check() == []
    assert office.delivered == []


def test_a_wrong_password_is_named_without_being_shown(office: PostOffice, tmp_path: Path) -> None:
    (trouble,) = box(office, tmp_path, password="not this one").check()
    assert "basic_password_file" in trouble.sentence.en
    assert "not this one" not in trouble.sentence.en


def test_refused_recipients(office: PostOffice, tmp_path: Path) -> None:
    office.answers["lead@example.com"] = "550 no such user"
    one = box(office, tmp_path)
    (trouble,) = one.check()
    assert "lead@example.com" in trouble.sentence.en
    assert one.tell(notice()).sentence.en == "Sent, but refused for lead@example.com."
    assert len(office.delivered) == 1
    office.answers["on-call@example.com"] = "550 no such user"
    with pytest.raises(Refused, match="refuses the recipients"):
        one.tell(notice(2))


def test_a_busy_server_is_for_later(office: PostOffice, tmp_path: Path) -> None:
    office.answers["DATA"] = "451 try again"
    with pytest.raises(Unreachable):
        box(office, tmp_path).tell(notice())
    office.answers["DATA"] = "554 spam"
    with pytest.raises(Refused, match="554"):
        box(office, tmp_path).tell(notice())


def test_nobody_there_is_for_later_and_a_gap_in_the_declaration_is_not(office: PostOffice, tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        box(office, tmp_path, smtp_port=9).tell(notice())
    with pytest.raises(Refused, match="recipients"):
        box(office, tmp_path, recipients=[]).tell(notice())


def test_a_dry_run_shows_the_mail(office: PostOffice, tmp_path: Path) -> None:
    dry = box(office, tmp_path, mode="dry-run")
    dry.tell(notice(text="瘦磁盘", language="zh"))
    assert (office.delivered, office.commands) == ([], [])
    shown = dry.traffic.held_back[0]["body"]
    for words in (
        "Message-ID: <incident-i1@sender.example>",
        "To: on-call@example.com",
        "中文 瘦磁盘 headline",
        "<strong>",
    ):
        assert words in shown
