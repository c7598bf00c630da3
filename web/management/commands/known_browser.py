"""`known_browser`: lets an account's owner sign in from a new browser while somebody else tries passwords."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from incidents import audit
from web.pages.sign_in import introduction


class Command(BaseCommand):
    help = "Print an address, good for 15 minutes: a browser that opens it need not wait for what others try."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name that will sign in there; its password is still asked")

    def handle(self, *args: Any, **options: Any) -> None:
        audit.write("command line", "known browser", options["name"])
        self.stdout.write(introduction(options["name"]))
