"""What all verbs share: an expected error is one sentence on stderr and exit code 1."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import connection
from django.db.utils import Error as DatabaseError

from domain.errors import ProductError


class _Help(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of options, with the lines of the examples as they are."""


class Verb(BaseCommand):
    """A command whose ProductErrors become exit code 1 without a traceback.

    `examples` are whole calls, without `manage.py`, that stand at the end of its help.
    """

    requires_system_checks: list[str] = []
    examples: tuple[str, ...] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser, ending with the examples."""
        lines = "\n".join(f"  manage.py {one}" for one in self.examples)
        told = {"epilog": f"examples:\n{lines}"} if lines else {}
        return super().create_parser(prog_name, subcommand, formatter_class=_Help, **told, **kwargs)

    def execute(self, *args: Any, **options: Any) -> Any:
        """Run the command; expected errors are told in their own sentence."""
        try:
            return super().execute(*args, **options)
        except ProductError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"the record cannot be used ({error}); check DATABASE_URL and run `manage.py migrate`"
            ) from error


def prepare_record() -> None:
    """Make the tables of the embedded record; a server's record is migrated by its operator."""
    if connection.vendor == "sqlite":
        call_command("migrate", verbosity=0, interactive=False)
