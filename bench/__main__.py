"""`make bench`: measures, prints a table with what is aimed at, and writes var/bench.json."""

import json
from pathlib import Path

from bench import accept

AIMS = {
    "accept_single_rate": ">= 0.7",
    "accept_batch_of_20_rate": ">= 0.6",
    "accept_single_p99": "<= 2",
    "accept_batch_of_20_p99": "<= 2",
}


def main() -> None:
    """All figures of one run."""
    figures = accept.measured()
    for name, value in figures.items():
        print(f"{name:28} {value:8.3f}   aim {AIMS[name]}")
    Path("var").mkdir(exist_ok=True)
    Path("var/bench.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
