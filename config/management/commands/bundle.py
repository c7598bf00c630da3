"""`bundle save INCIDENT OUT.zip`: an incident with all its recorded answers, secrets removed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from config.management.verb import Verb
from domain.errors import Refused
from incidents import queries
from investigate.bundle import bundle_of


class Command(Verb):
    help = "Save an incident as a bundle that can be replayed anywhere."
    examples = ("bundle save 17 case-17.zip",)

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        save = actions.add_parser("save", help="write an incident's bundle")
        save.add_argument("incident", help="its id or its number")
        save.add_argument("out", type=Path, help="a .zip file, or a folder")

    def handle(self, *args: Any, **options: Any) -> None:
        incident = queries.incident(options["incident"])
        if incident is None:
            raise Refused(f"there is no incident {options['incident']}; give its id or its number from the list")
        out: Path = options["out"]
        if not out.resolve().parent.is_dir():
            raise Refused(f"{out.parent} is no folder; make it first")
        bundle = bundle_of(queries.survivor(incident))
        bundle.save(out)
        held = f"deliveries: {len(bundle.deliveries)}, recorded answers: {len(bundle.answers)}"
        self.stdout.write(f"{out}: {held}, as of {bundle.as_of:%F %T}Z")
