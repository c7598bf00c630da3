"""`doctor`: checks every engine and connection, and names faults and remedies."""

import json
from argparse import ArgumentParser
from typing import Any

from rich.console import Console
from rich.table import Table

from config import diagnosis
from config.management.verb import Verb
from domain.errors import ProductError

SIGNS = {"well": "[green]✓[/]", "warning": "[yellow]![/]", "bad": "[red]✗[/]"}


class Command(Verb):
    help = "Check every engine and connection; exit 1 when one of them is bad."
    examples = ("doctor", "doctor --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="a list of name, state, said and remedy")

    def handle(self, *args: Any, **options: Any) -> None:
        found = diagnosis.examine()
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(one) for one in found], ensure_ascii=False, indent=1))
        else:
            self._draw(found)
        bad = [one.name for one in found if one.state == "bad"]
        if bad:
            raise ProductError(f"not well: {', '.join(bad)}; the remedies are in the list")

    def _draw(self, found: list[diagnosis.Diagnosis]) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for one in found:
            remedy = f"\n→ {one.remedy}" if one.remedy else ""
            table.add_row(SIGNS[one.state], one.name, f"{one.message}{remedy}".replace("[", r"\["))
        console = Console(highlight=False)
        with console.capture() as drawn:
            console.print(table)
        self.stdout.write(drawn.get())


def _as_json(diagnosed: diagnosis.Diagnosis) -> dict[str, str]:
    return {
        "name": diagnosed.name,
        "state": diagnosed.state,
        "said": diagnosed.message,
        "remedy": diagnosed.remedy,
    }
