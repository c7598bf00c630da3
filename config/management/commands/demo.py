"""`demo`: sends recorded real incidents to a service of its own; ranked causes on the terminal and on its pages."""

import fcntl
import os
import secrets
import shutil
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from rich.console import Console

from config.management.verb import Verb, prepare_record
from config.replaying import replayed
from config.running import Service
from domain.errors import ProductError, Refused
from evaluate import recordings, tally
from graph.engine import free_ports, is_free

USER = "demo"
VERDICT_LIMIT_S = 180.0
GRAPH_LIMIT_S = 30.0
# The demo never uses servers that are configured for real work.
NOT_FOR_THE_DEMO = ("DATABASE_URL", "GRAPH_URI", "GRAPH_USER", "GRAPH_PASSWORD", "REDIS_URL", "PUBLIC_URL")


class Command(Verb):
    help = "Start everything in a fresh folder and let recorded real incidents walk through it."
    examples = ("demo", "demo --exit")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exit", action="store_true", help="stop after printing (so without a terminal)")
        parser.add_argument("--inside", action="store_true", help="the demo's folder is prepared (used by itself)")

    def handle(self, *args: Any, **options: Any) -> None:
        leave = options["exit"] or not sys.stdout.isatty()
        if not options["inside"]:
            self._start_afresh(leave)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
        try:
            self._play(console, leave)
        except KeyboardInterrupt:
            console.print("stopped")

    def _start_afresh(self, leave: bool) -> None:
        """Make an empty folder, and run this command again with settings for that folder."""
        home: Path = settings.INCIDENT_GRAPH_HOME / "demo"
        _hold_lock(home.with_name("demo.lock"))
        shutil.rmtree(home, ignore_errors=True)
        unset = [part for name in NOT_FOR_THE_DEMO for part in ("-u", name)]
        port = _free_port(settings.PORT)
        again = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo", "--inside", *(["--exit"] * leave)]
        sys.stdout.flush()
        os.execvp("env", ["env", *unset, f"INCIDENT_GRAPH_HOME={home}", f"PORT={port}", *again])  # noqa: S606

    def _play(self, console: Console, leave: bool) -> None:
        found = recordings.recordings()
        with Service(settings.PORT, settings.INCIDENT_GRAPH_HOME / "logs" / "up.log") as service:
            with console.status("starting the record, the graph, the broker, the workers and the page"):
                address = service.await_ready()
                prepare_record()
            with console.status("remembering earlier incidents"):
                past = recordings.load_history(found, replayed)
                recordings.await_graph(GRAPH_LIMIT_S)
            console.print(f"{past} earlier incidents are in the memory: repeats of the recorded ones, marked as such\n")
            results = self._results(console, found, address)
            console.print(tally.tally(results))
            password = _make_user()
            console.print(f"\npage      [bold]{address}/[/]\nuser      {USER}\npassword  {password}")
            if not leave:
                home = settings.INCIDENT_GRAPH_HOME
                console.print(
                    f"\nmanage.py in a second terminal needs   export INCIDENT_GRAPH_HOME={home}", soft_wrap=True
                )
                console.print("Ctrl-C stops everything")
                service.wait()
        wrong = [result.recording.slug for result in results if not result.holds]
        if wrong:
            raise ProductError(f"another first cause than the recorded truth: {', '.join(wrong)}")

    def _results(self, console: Console, found: list[recordings.Recording], address: str) -> list[recordings.Result]:
        results = []
        for recording in found:
            with console.status(f"{recording.slug}: deliveries through the doors, then the investigation"):
                sent = recordings.send(recording, address)
                done = recordings.await_results(recording, sent, VERDICT_LIMIT_S)
            for result in done:
                console.print(tally.drawn(result, address))
            results += done
        return results


def _make_user() -> str:
    """Make the demo's user with a random password; it is gone with the demo's folder."""
    password = secrets.token_urlsafe(12)
    get_user_model().objects.create_superuser(USER, password=password)
    return password


def _hold_lock(path: Path) -> None:
    """Hold a lock, also over the exec, until this process ends in whatever way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    os.set_inheritable(lock, True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise Refused("a demo is running already; stop it with Ctrl-C first") from error


def _free_port(wished: int) -> int:
    """The wished port, or any free one when it is taken."""
    return wished if is_free(wished) else free_ports()[0]
