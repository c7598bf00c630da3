"""`apply FILE.toml`: declares connections, after checking all of them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from config.management.verb import Verb, prepare_record
from connections.declare import declare
from connections.file import read
from incidents import audit
from ingest.sources import all_sources


class Command(Verb):
    help = "Declare connections from a TOML file; idempotent."
    examples = ("apply connections.toml --dry-run", "apply connections.toml", "apply connections.toml --prune")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what may be asked and told; docs/getting-started.md shows one")
        parser.add_argument("--dry-run", action="store_true", help="check and say what would change")
        parser.add_argument(
            "--prune", action="store_true", help="also remove what is declared and no longer in the file"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        connections = read(options["file"], all_sources())
        prepare_record()
        done = declare(connections, dry_run=options["dry_run"], prune=options["prune"])
        named = {"added": done.added, "changed": done.changed, "left": done.left, "removed": done.removed}
        for word, names in named.items():
            for name in names:
                self.stdout.write(f"{word:8}{name}")
        for name in done.kept:
            self.stdout.write(f"kept    {name}  (not in the file; --prune removes it)")
        for name, token in done.tokens:
            self.stdout.write(f"token   {name} {token}  (shown only now)")
        if options["dry_run"]:
            self.stdout.write("dry run: nothing was changed")
        elif done.added or done.changed or done.removed:
            audit.write("command line", "apply", str(options["file"].name))
