"""`discover URL`: writes a connections file from what a server shows, or holds a declared one against it."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from config.management.verb import Verb
from connections.discovery.asking import Server, see
from connections.discovery.compare import MISSING, OK, WRONG, Compared
from connections.discovery.draft import Draft
from connections.discovery.holding import hold
from connections.discovery.kube import see_kubernetes
from connections.discovery.propose import draft
from connections.discovery.seen import Seen, shown
from connections.file import decode, read
from domain.connections import Connections, PrometheusDecl
from domain.errors import ProductError, Refused
from evidence.ways import reading
from ingest.sources import all_sources

SIGNS = {OK: "[green]ok[/]", MISSING: "[yellow]missing[/]", WRONG: "[red]wrong[/]"}
MOST_SHOWN = 2000
# Files of access, as [[prometheus]] names them.
FILES = {
    "bearer_file": "holds its bearer token",
    "basic_password_file": "holds the password of --basic-user",
    "ca_file": "the authority that its certificate is verified by",
    "client_cert_file": "our own certificate",
    "client_key_file": "the key of our own certificate",
}
COUNTED = {"etcd": "etcd cluster", "etcd.member": "member", "blackbox": "blackbox job",
           "kubernetes": "Kubernetes cluster", "source": "Alertmanager"}  # fmt: skip


class Command(Verb):
    help = (
        "Write a connections file from what a Prometheus-compatible server shows, each line with the series that it"
        " rests on. With --check, hold a declared file against what is there; exit 1 when something is wrong."
    )
    examples = (
        "discover http://127.0.0.1:9090 --out connections.toml",
        "discover https://prometheus.example --bearer-file token --ca-file ca.pem --kubeconfig kube.config",
        "discover http://127.0.0.1:9090 --check connections.toml",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", metavar="PROMETHEUS_URL", help="its address, with the base path if it has one")
        parser.add_argument("--kubeconfig", type=Path, metavar="FILE", help="ask this cluster for its nodes and zones")
        parser.add_argument("--out", type=Path, metavar="FILE", help="write there, for the owner alone; else to stdout")
        parser.add_argument("--force", action="store_true", help="overwrite the file of --out")
        parser.add_argument("--check", type=Path, metavar="FILE", help="hold this connections file against the server")
        parser.add_argument("--json", action="store_true", help="with --check: a list of level, what and remedy")
        for key, what in FILES.items():
            parser.add_argument(f"--{key.replace('_', '-')}", default="", metavar="FILE", help=what)
        parser.add_argument("--basic-user", default="", metavar="NAME", help="with --basic-password-file")
        parser.add_argument(
            "--header", action="append", default=[], metavar="NAME=VALUE", help="may be given repeatedly"
        )
        parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="for each answer")

    def handle(self, *args: Any, **options: Any) -> None:
        access = _access(options)
        if options["check"]:
            self._check(options, access)
        elif options["json"]:
            raise CommandError("--json belongs to --check; leave it out", returncode=2)
        else:
            self._write(options, access)

    def _write(self, options: dict[str, Any], access: PrometheusDecl) -> None:
        out: Path | None = options["out"]
        if out and out.exists() and not options["force"]:
            raise Refused(f"{out} is there already; give another name, or --force to overwrite it")
        kubernetes = see_kubernetes(options["kubeconfig"], access.timeout_s) if options["kubeconfig"] else None
        seen = self._seen(access)
        if seen.nothing and not kubernetes:
            raise Refused(f"nothing was found; {access.url} answers and has no series `up`: is it the right "
                          "server, and does it scrape anything yet?")  # fmt: skip
        made = draft(seen, access, kubernetes)
        text = made.text(f"Written by `manage.py discover {access.url}`. Read the remarks, correct what they name, "
                         "then run `manage.py apply FILE`.")  # fmt: skip
        decode(text, (out or Path()).absolute().parent, all_sources())
        if out is None:
            self.stdout.write(text, ending="")
        else:
            _put(out, text, options["force"])
        self._summarise(made, out)

    def _seen(self, access: PrometheusDecl) -> Seen:
        server = Server(access, reading(settings.DECLARED_SECRET))
        try:
            return see(server, self._progress)
        finally:
            server.close()

    def _progress(self, what: str) -> None:
        self.stderr.write(f"asking {what[:100]}", lambda text: text)

    def _summarise(self, made: Draft, out: Path | None) -> None:
        counts = {name: len(made.of(section)) for section, name in COUNTED.items()}
        found = ", ".join(f"{count} {name}{'s' * (count != 1)}" for name, count in counts.items())
        following = f"; read {out}, then run manage.py apply {out} --dry-run" if out else ""
        self.stderr.write(f"found {found}{following}", lambda text: text)

    def _check(self, options: dict[str, Any], access: PrometheusDecl) -> None:
        if options["out"] or options["kubeconfig"]:
            raise CommandError(
                "--check writes no file and asks no cluster; leave --out and --kubeconfig out", returncode=2
            )
        declared, found = _placed(read(options["check"], all_sources()), access)
        found += hold(declared, reading(settings.DECLARED_SECRET), self._progress)
        if options["json"]:
            self.stdout.write(json.dumps([msgspec.to_builtins(one) for one in found], ensure_ascii=False, indent=1))
        else:
            self._draw(found)
        if wrong := [one for one in found if one.level == WRONG]:
            raise ProductError(f"{len(wrong)} wrong; the remedies are in the list")

    def _draw(self, found: list[Compared]) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for one in sorted(found, key=lambda one: list(SIGNS).index(one.level), reverse=True):
            remedy = f"\n→ {shown(one.remedy, MOST_SHOWN)}" if one.remedy else ""
            table.add_row(SIGNS[one.level], f"{shown(one.what, MOST_SHOWN)}{remedy}".replace("[", r"\["))
        console = Console(highlight=False)
        with console.capture() as drawn:
            console.print(table)
        self.stdout.write(drawn.get())


def _access(options: dict[str, Any]) -> PrometheusDecl:
    """The server as the command line gives it. Raises CommandError for a wrong call."""
    files = {key: str(Path(options[key]).absolute()) for key in FILES if options[key]}
    if bool(options["basic_user"]) != bool(options["basic_password_file"]):
        raise CommandError("--basic-user and --basic-password-file belong together; give both", returncode=2)
    if options["timeout"] <= 0:
        raise CommandError("--timeout must be above 0", returncode=2)
    headers = dict(_header(given) for given in options["header"])
    given = {"name": "main", "url": _address(options["url"]), "basic_user": options["basic_user"], "headers": headers,
             "timeout_s": options["timeout"]}  # fmt: skip
    return msgspec.convert(given | files, PrometheusDecl)


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        complete = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        complete = False
    if not complete or parts.query or parts.fragment:
        raise CommandError(f"{url} is no address of http or https; write e.g. http://127.0.0.1:9090", returncode=2)
    if parts.username or parts.password:
        raise CommandError("the address holds a password; give --basic-user and --basic-password-file", returncode=2)
    return url.rstrip("/")


def _header(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not (name.strip() and equals):
        raise CommandError(f"--header {given}: write NAME=VALUE", returncode=2)
    if name.strip().lower() == "authorization":
        raise CommandError("--header Authorization would be written into the file; give --bearer-file or --basic-user",
                           returncode=2)  # fmt: skip
    return name.strip(), value.strip()


def _put(out: Path, text: str, force: bool) -> None:
    """Writes for the owner alone; with `force` an old file stays whole until the new one is. Raises Refused."""
    target = out.with_name(f".{out.name}.{os.getpid()}") if force else out
    try:
        with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(target, out)
    except FileExistsError as error:
        raise Refused(f"{target} is there already; give another name, or --force to overwrite it") from error
    except OSError as error:
        raise Refused(f"{out} cannot be written ({error.strerror}); give a path that you may write to") from error


def _placed(declared: Connections, access: PrometheusDecl) -> tuple[Connections, list[Compared]]:
    """The file with the given address at its only server, where that has another one; and what that means."""
    if any(server.url.rstrip("/") == access.url for server in declared.prometheus):
        return declared, []
    if len(declared.prometheus) != 1:
        return declared, [Compared(WRONG, f"no [[prometheus]] has the url {access.url}", "add it, or give another url")]
    only = declared.prometheus[0]
    asked = msgspec.structs.replace(access, name=only.name, clusters=only.clusters)
    remark = Compared(MISSING, f"prometheus {only.name}: its url is {only.url}; it was asked at {access.url}",
                      "correct the url unless both are the same server")  # fmt: skip
    return msgspec.structs.replace(declared, prometheus=[asked]), [remark]
