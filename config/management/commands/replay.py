"""`replay BUNDLE...`: verdicts of recorded incidents, without network, service or database."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from config.management.verb import Verb
from config.replaying import replayed
from domain.errors import Malformed, ProductError
from domain.verdict import Verdict
from domain.verdict_json import to_contract
from evidence.bundles import Bundle
from tickets.report import percent


class Command(Verb):
    help = "The verdict of recorded incidents; the same bundle gives the same bytes."
    examples = ("replay case-17.zip", "replay bundles/etcd-switch-slow-disk --json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bundle", nargs="+", type=Path, help="a bundle's folder or zip")
        parser.add_argument("--json", action="store_true", help="one JSON document per line")

    def handle(self, *args: Any, **options: Any) -> None:
        errors = [error for path in options["bundle"] if (error := self._replay_bundle(path, options["json"]))]
        if errors:
            raise Malformed("\n".join(errors))

    def _replay_bundle(self, path: Path, as_json: bool) -> str:
        """Print one bundle's verdict; the error if it cannot be replayed, else empty."""
        try:
            bundle = Bundle.load(path)
            verdict = replayed(bundle).verdict
        except ProductError as error:
            return str(error) if str(error).startswith(f"{path}:") else f"{path}: {error}"
        if as_json:
            self.stdout.write(json.dumps(to_contract(verdict), ensure_ascii=False, sort_keys=True))
        else:
            self._print_verdict(bundle, verdict)
        return ""

    def _print_verdict(self, bundle: Bundle, verdict: Verdict) -> None:
        truth = f"   truth: {bundle.truth.cause}" if bundle.truth else ""
        self.stdout.write(f"{bundle.title}\n  {verdict.headline.en}{truth}")
        for cause in verdict.causes[:3]:
            self.stdout.write(f"  {cause.position}. {percent(cause.probability):>5}  {cause.title.en}")
