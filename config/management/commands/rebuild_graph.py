"""`rebuild_graph`: writes the record to the graph, with progress; `--resume` continues an interrupted run."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone
from rich.progress import Progress

from config.management.verb import Verb
from domain.errors import Unreachable
from incidents import graph_queue, queries
from investigate import remember, similar

BATCH = 500


class Command(Verb):
    help = "Bring every incident of the record into the graph again; resumable."
    examples = ("rebuild_graph", "rebuild_graph --clear", "rebuild_graph --resume")

    def add_arguments(self, parser: ArgumentParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--resume", action="store_true", help="only what still waits from an earlier run")
        how.add_argument("--clear", action="store_true", help="empty the graph first, also of what the record dropped")

    def handle(self, *args: Any, **options: Any) -> None:
        store = similar.graph()
        if store is None:
            raise Unreachable("no graph is configured; start `manage.py up`, or set GRAPH_URI")
        if options["clear"]:
            store.clear()
        if not options["resume"]:
            ids = queries.all_incident_ids()
            for start in range(0, len(ids), BATCH):
                graph_queue.put(ids[start : start + BATCH], timezone.now())
        total = self._drain()
        left = graph_queue.backlog().waiting
        if left:
            raise Unreachable(f"{total} incidents done, {left} wait; see `manage.py doctor`, then use --resume")
        self.stdout.write(f"incidents in the graph: {total}")

    def _drain(self) -> int:
        """Write what is due until nothing more is written; how many incidents were."""
        total = 0
        with Progress(transient=True) as progress:
            bar = progress.add_task("graph", total=graph_queue.backlog().waiting)
            while done := remember.remember_waiting():
                total += done
                progress.advance(bar, done)
        return total
