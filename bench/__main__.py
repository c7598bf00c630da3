"""`make bench`: measures, prints a table with the aims, and writes var/bench.json.

Every module of this package with AIMS and `measured()` is run; `python -m bench accept graph` runs only these two.
"""

import json
import os
import pkgutil
import sys
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

import django

import bench


def parts(wanted: list[str]) -> dict[str, ModuleType]:
    """The parts by name, all or the wanted ones."""
    found = {one.name for one in pkgutil.iter_modules(bench.__path__) if not one.name.startswith("_")}
    names = sorted(found - {"settings", "urls"})
    if strange := sorted(set(wanted) - set(names)):
        raise SystemExit(f"no such part: {', '.join(strange)}; there are {', '.join(names)}")
    modules = {name: import_module(f"bench.{name}") for name in wanted or names}
    return {name: module for name, module in modules.items() if hasattr(module, "AIMS")}


def main(wanted: list[str]) -> None:
    """All figures of one run; a part that is run alone replaces only its own figures in the file."""
    target = Path("var/bench.json")
    target.parent.mkdir(exist_ok=True)
    figures = json.loads(target.read_text(encoding="utf-8")) if wanted and target.exists() else {}
    for name, part in parts(wanted).items():
        began = time.monotonic()
        print(f"{name}: measuring", flush=True)
        for figure, value in part.measured().items():
            figures[figure] = value
            print(f"  {figure:34} {value:10.3f}   aim {part.AIMS.get(figure, 'none')}", flush=True)
        print(f"  ({time.monotonic() - began:.0f} s)", flush=True)
    target.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(sys.argv[1:])
