"""`repair_identities`: mends what earlier versions stored about what alerts are about."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone
from rich.progress import Progress

from config.management.verb import Verb, prepare_record
from connections.declared import connections_for
from incidents import graph_queue, queries
from incidents.repair import Repaired, repair
from investigate import similar

BATCH = 500


class Command(Verb):
    help = (
        "Decide anew what every stored alert is about, and remove names, relations and entities that nothing proves."
        " Incidents keep their alerts, verdicts and tickets. The graph follows by itself."
    )
    examples = ("repair_identities --dry-run", "repair_identities")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_record()
        dry_run = options["dry_run"]
        with Progress(transient=True) as progress:
            bar = progress.add_task("alerts", total=None)
            found = repair(
                connections_for, queries.connections(), dry_run=dry_run,
                progress=lambda done, total: progress.update(bar, completed=done, total=total),
            )  # fmt: skip
        self.stdout.write(_sentence(found, "would be " if dry_run else ""))
        if not found.nothing and not dry_run:
            self._renew_graph()

    def _renew_graph(self) -> None:
        """Empty the graph and queue every incident: it may hold relations that the record has no more."""
        store = similar.graph()
        if store is None:
            self.stdout.write("no graph is running; start `manage.py up`, then run `manage.py rebuild_graph --clear`")
            return
        store.clear()
        ids = queries.all_incident_ids()
        for start in range(0, len(ids), BATCH):
            graph_queue.put(ids[start : start + BATCH], timezone.now())
        self.stdout.write(f"the graph is built anew from the record: {len(ids)} incidents wait for it")


def _sentence(found: Repaired, would: str) -> str:
    if found.nothing:
        return "nothing to mend"
    return (
        f"{would}mended: {found.alerts} alerts about other entities, {found.incidents} incidents;"
        f" {would}removed: {found.names} names and {found.relations} relations without a proof,"
        f" {found.entities} entities"
    )
