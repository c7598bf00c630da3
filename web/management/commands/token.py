"""`token add`: a bearer token for the API, printed once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from web.api.access import SCOPES, add_token


class Command(BaseCommand):
    help = "Make an API token."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_subparsers(dest="action", required=True).add_parser("add", help="prints the token, once")
        add.add_argument("name")
        add.add_argument("--scope", action="append", required=True, choices=SCOPES)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(add_token(options["name"], options["scope"]))
        except IntegrityError as error:
            raise CommandError(f"a token named {options['name']} exists; choose another name") from error
