"""The base class of all commands: an expected error is one sentence on stderr and exit code 1."""

from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import connection
from django.db.utils import Error as DatabaseError

from domain.errors import ProductError


class _Help(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of options, without wrapping the lines of the examples."""


class Verb(BaseCommand):
    """A command whose ProductErrors become exit code 1 without a traceback.

    `examples` are complete calls without `manage.py`, which are shown at the end of its help.
    """

    requires_system_checks: list[str] = []
    examples: tuple[str, ...] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser, ending with the examples."""
        lines = "\n".join(f"  manage.py {one}" for one in self.examples)
        epilog = {"epilog": f"examples:\n{lines}"} if lines else {}
        return super().create_parser(prog_name, subcommand, formatter_class=_Help, **epilog, **kwargs)

    def execute(self, *args: Any, **options: Any) -> Any:
        """Run the command. Raises CommandError with the sentence of an expected error."""
        try:
            return super().execute(*args, **options)
        except ProductError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"the record cannot be used ({error}); check DATABASE_URL and run `manage.py migrate`"
            ) from error


def prepare_record() -> None:
    """Migrate the embedded database; a database server is migrated by its operator."""
    if connection.vendor == "sqlite":
        call_command("migrate", verbosity=0, interactive=False)
