"""`parse`: what would be made of a body, without storing anything."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone

from config.management.verb import Verb, prepare_record
from domain.errors import Refused
from ingest.preview import MOST_BYTES, Preview, preview
from ingest.sources import all_sources


class Command(Verb):
    help = (
        "Say of each alert in a body what it is about, who only reports it, its family and severity, and which incident"
        " it would join. Nothing is stored."
    )
    examples = (
        "parse alertmanager body.json",
        "parse zabbix - --json < body.json",
        "parse alertmanager body.json --source prod",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=list(all_sources()), help="the kind of source that sends such bodies")
        parser.add_argument("file", help="the body as it is sent, or - for standard input")
        parser.add_argument("--source", default="", metavar="NAME", help="read it as this source is declared")
        parser.add_argument("--json", action="store_true", help="a JSON object with the list `alerts`")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_record()
        found = preview(options["kind"], _body(options["file"]), timezone.now(), options["source"])
        if options["json"]:
            self.stdout.write(json.dumps({"alerts": [one.to_builtins() for one in found]}, indent=2))
            return
        for one in found:
            self.stdout.write("\n".join(_lines(one)))
        if not found:
            self.stdout.write("no alert: signs of life and our own comments open nothing")


def _body(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise Refused(f"{name} cannot be read ({error.strerror}); give the path of a body, or -") from error


def _lines(one: Preview) -> list[str]:
    alert, ref = one.alert, one.subject
    where = "/".join(part for part in (ref.cluster, ref.namespace, ref.name) if part) if ref else "nothing"
    lines = [
        f"{alert.name}: {alert.title}" if alert.title != alert.name else alert.name,
        f"  about        {ref.kind if ref else ''} {where}".rstrip(),
        f"  decided by   {alert.decided_by.en}",
        f"  family       {alert.family or 'unknown'}",
        f"  severity     {alert.severity}",
    ]
    if alert.reporter:
        lines.append(f"  reported by  {alert.reporter}")
    reason = f": {one.reason.en}" if one.reason else ""
    joins = f"would join incident #{one.joins}{reason}" if one.joins is not None else "would open an incident"
    return [*lines, "  test notification, opens nothing" if alert.test else f"  {joins}"]
