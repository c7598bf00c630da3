"""What all verbs share: an expected error is one sentence on stderr and exit code 1."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.utils import Error as DatabaseError

from domain.errors import ProductError


class Verb(BaseCommand):
    """A command whose ProductErrors become exit code 1 without a traceback."""

    requires_system_checks: list[str] = []

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
