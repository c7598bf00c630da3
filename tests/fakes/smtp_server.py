"""A real mail server on loopback with TLS and sign-in; it keeps what it delivered, and fails on order."""

import ssl
import subprocess
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from socket import socket
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "graph", "a long enough mail password"


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A self-signed certificate and its key, as files."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", cert, "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return cert, key


class SmtpServer:
    """`with SmtpServer(folder) as smtp:` serves STARTTLS on `smtp.port`, or TLS from the first byte."""

    def __init__(self, folder: Path, name: str = "localhost", tls: str = "starttls") -> None:
        self.cert, self.key = certificate(folder, name)
        self.delivered: list[EmailMessage] = []
        self.commands: list[str] = []
        self.answers: dict[str, str] = {}
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        more: dict[str, Any] = {"auth_required": tls != "none", "auth_require_tls": tls == "starttls"}
        if tls == "tls":
            more["ssl_context"] = context
        if tls == "starttls":
            more |= {"tls_context": context, "require_starttls": True}
        with socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, authenticator=self._signs_in, **more
        )  # fmt: skip

    def __enter__(self) -> "SmtpServer":
        self._controller.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._controller.stop()

    def _signs_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        """Takes a recipient, unless an answer was ordered for it."""
        self.commands.append(f"RCPT {address}")
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Delivers, unless another answer was ordered; `lost` delivers and then breaks off."""
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith(("250", "lost")):
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            message = message_from_bytes(content, policy=default)
            assert isinstance(message, EmailMessage)
            self.delivered.append(message)
        if answer == "lost":
            assert server.transport is not None
            server.transport.abort()
        return answer
