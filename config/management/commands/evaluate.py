"""`evaluate BUNDLE...`: accuracy, calibration and abstention of the ranking on recorded incidents."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone
from rich.progress import track

from config.management.verb import Verb
from config.replaying import replayed
from domain.errors import Malformed
from evaluate.figures import as_json, as_markdown, page
from evaluate.sets import Evaluated, bundles_in, evaluated


class Command(Verb):
    help = "Accuracy, calibration and abstention on recorded incidents whose truth is known, beside simpler ways."
    examples = ("evaluate bundles/episodes/development", "evaluate case-17.zip --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bundle", nargs="+", type=Path, help="a bundle's folder or zip, or a folder of them")
        parser.add_argument("--json", action="store_true", help="all figures and every case as one JSON document")
        parser.add_argument("--out", type=Path, help="write the whole page, one section for each argument")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["out"]:
            sections = {" ".join(path.parts[-2:]): self._judged(bundles_in([path])) for path in options["bundle"]}
            options["out"].write_text(page(sections, timezone.now().date()), encoding="utf-8")
            return
        judged = self._judged(bundles_in(options["bundle"]))
        if not judged:
            raise Malformed("none of the bundles says what the truth was; nothing can be measured", "bundle")
        if options["json"]:
            self.stdout.write(json.dumps(as_json(judged), sort_keys=True, allow_nan=False, default=str))
        else:
            self.stdout.write(as_markdown("Recorded incidents", judged, timezone.now().date()))

    def _judged(self, paths: list[Path]) -> list[Evaluated]:
        """Judge the bundles; progress goes to stderr if that is a terminal."""
        steps = track(paths, "judging", disable=not sys.stderr.isatty(), transient=True)
        return [found for path in steps if (found := evaluated(path, replayed)) is not None]
