"""`up`: runs everything that the service needs, until Ctrl-C."""

import signal
from argparse import ArgumentParser
from types import FrameType

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from config.supervisor import Supervisor
from domain.errors import ProductError


class Command(BaseCommand):
    help = "Start the embedded engines, the web server and the workers, and keep them running."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
        parser.add_argument("--port", type=int, default=settings.PORT, help="port of the pages and the doors")

    def handle(self, *args: object, **options: object) -> None:
        supervisor = Supervisor(str(options["host"]), int(str(options["port"])))

        def stop(_: int, __: FrameType | None) -> None:
            supervisor.stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        try:
            supervisor.start()
            show_addresses(supervisor.url)
            supervisor.watch()
        except ProductError as error:
            raise CommandError(str(error)) from error
        finally:
            supervisor.stop()


def show_addresses(url: str) -> None:
    """Print a table of addresses, then the line that scripts wait for."""
    table = Table(title="Incident Graph")
    table.add_column("what")
    table.add_column("where")
    table.add_row("pages", f"{url}/")
    table.add_row("doors", f"{url}/ingest/<kind>/<name>")
    table.add_row("API", f"{url}/api/docs")
    table.add_row("first user", f"admin, password in {settings.RUN_DIR / 'admin.txt'}")
    table.add_row("data", str(settings.INCIDENT_GRAPH_HOME))
    Console().print(table)
    print(f"ready {url}", flush=True)  # noqa: T201
