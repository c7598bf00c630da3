"""`source list`, `source add` and `source rotate`: alert sources and their tokens."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from config.management.verb import Verb, prepare_record
from domain.errors import Refused
from incidents import audit, sources
from incidents.models import Source
from ingest.sources import all_sources


class Command(Verb):
    help = "List alert sources, make one, or give one a new token."
    examples = ("source list", "source add alertmanager prod", "source rotate prod", "source rotate prod --end-old")

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every source with its address and its last delivery")
        add = actions.add_parser("add", help="make a source; prints its URL and its token, once")
        add.add_argument(
            "kind",
            choices=[kind for kind, one in all_sources().items() if not one.by_itself],
            help="what sends the alerts",
        )
        add.add_argument("name", help="a part of its address: letters, digits, - and _")
        add.add_argument("--json", action="store_true", help="kind, name, url and token")
        rotate = actions.add_parser("rotate", help="add a second live token; --end-old ends the first")
        rotate.add_argument("name", help="NAME, or KIND/NAME where two kinds share a name")
        rotate.add_argument("--end-old", action="store_true", help="only the newest token counts from now on")
        rotate.add_argument("--json", action="store_true", help="kind, name, url and token")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_record()
        {"list": self._list, "add": self._add, "rotate": self._rotate}[options["action"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        rows = list(sources.sources())
        for row in rows:
            tested = f"  test received: {row.tested_at:%F %T}Z ({row.test_title})" if row.tested_at else ""
            subscribed = f"  subscribed: {row.subscribed_at:%F %T}Z" if row.subscribed_at else ""
            last = f"{row.last_delivery_at:%F %T}Z" if row.last_delivery_at else "never"
            self.stdout.write(f"{row.kind:20}{row.name:24}{_door(row)}  last delivery: {last}{tested}{subscribed}")
        if not rows:
            self.stdout.write("no source yet; make one, for example `manage.py source add alertmanager prod`")

    def _add(self, options: dict[str, Any]) -> None:
        name = options["name"]
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii() or len(name) > 80:
            raise Refused(f"`{name}` is part of an address; use up to 80 letters, digits, - and _")
        source, token = sources.make_source(options["kind"], name)
        audit.write("command line", "make source", str(source))
        self._print_token(source, token, options["json"])

    def _rotate(self, options: dict[str, Any]) -> None:
        kind, _, name = options["name"].rpartition("/")
        found = [row for row in sources.sources() if row.name == name and kind in ("", row.kind)]
        if len(found) != 1:
            known = ", ".join(str(s) for s in sources.sources()) or "none"
            raise Refused(f"`{options['name']}` names {len(found)} sources; known: {known}")
        token = sources.rotate_source(found[0], end_old=options["end_old"])
        audit.write("command line", "end old token" if options["end_old"] else "rotate token", str(found[0]))
        self._print_token(found[0], token, options["json"])

    def _print_token(self, source: Source, token: str, as_json: bool) -> None:
        url = _door(source)
        if as_json:
            self.stdout.write(json.dumps({"kind": source.kind, "name": source.name, "url": url, "token": token}))
            return
        self.stdout.write(f"url    {url}")
        self.stdout.write(f"token  {token}  (shown only now)" if token else "the old token is ended")


def _door(source: Source) -> str:
    return f"{settings.PUBLIC_URL}/ingest/{source.kind}/{source.name}"
