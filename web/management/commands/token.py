"""`token list`, `token add` and `token end`: bearer tokens of the API."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from incidents import audit, tokens
from web.api.access import SCOPES, add_token

LONGEST = 80


class Command(BaseCommand):
    help = "List the API's tokens, make one, or end one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every token with its scopes and when it was last used, not the token itself")
        add = actions.add_parser("add", help="prints the token, once")
        add.add_argument("name", help="whose it is; it stands in the audit trail")
        add.add_argument("--scope", action="append", required=True, choices=SCOPES, help="may be given several times")
        end = actions.add_parser("end", help="from now on it opens nothing")
        end.add_argument("name", help="as `token list` shows it")

    def handle(self, *args: Any, **options: Any) -> None:
        {"list": self._list, "add": self._add, "end": self._end}[options["action"]](options)

    def _list(self, options: dict[str, Any]) -> None:
        rows = list(tokens.tokens())
        for row in rows:
            used = f"{row.last_used_at:%F %T}Z" if row.last_used_at else "never"
            self.stdout.write(f"{row.name:24}{row.prefix}…  {', '.join(row.scopes)}  last used: {used}")
        if not rows:
            self.stdout.write("no token yet; make one, for example `manage.py token add jira --scope read`")

    def _add(self, options: dict[str, Any]) -> None:
        name = options["name"]
        if not name.strip() or len(name) > LONGEST:
            raise CommandError(f"name: give 1 to {LONGEST} characters that say whose the token is")
        try:
            token = add_token(name, options["scope"])
        except IntegrityError as error:
            raise CommandError(f"a token named {name} exists; choose another name, or `token end {name}`") from error
        audit.write("command line", "make token", name)
        self.stdout.write(token)

    def _end(self, options: dict[str, Any]) -> None:
        if not tokens.end_token(options["name"]):
            known = ", ".join(tokens.tokens().values_list("name", flat=True)) or "none"
            raise CommandError(f"there is no token {options['name']}; known: {known}")
        audit.write("command line", "end token", options["name"])
        self.stdout.write(f"the token {options['name']} is ended")
