"""The pins are what `pyproject.toml` asks for: on every platform and Python that is served, no more and no less."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PLATFORMS = [("linux", "Linux", "x86_64"), ("linux", "Linux", "aarch64"), ("darwin", "Darwin", "arm64")]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[^ ]+)(?: ; (?P<marker>.+?))? \\\n(?P<hashes>(?:    --hash=.+\n)+)", re.M)  # fmt: skip
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ASKED = [Requirement(line) for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]]


def pins() -> list[tuple[str, str, Marker | None]]:
    text = (ROOT / "requirements.lock").read_text()
    found = [(m["name"], m["version"], Marker(m["marker"]) if m["marker"] else None) for m in PIN.finditer(text)]
    assert len(found) == text.count("==") - sum(str(marker).count("==") for _, _, marker in found) > 100
    return found


def wanted(marker: Marker | None, environment: dict[str, str]) -> bool:
    return marker is None or marker.evaluate(environment)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS, ids=" ".join)
def test_every_range_has_one_pin_within_it(platform: tuple[str, str, str], python: str) -> None:
    sys_platform, system, machine = platform
    environment = {**default_environment(), "sys_platform": sys_platform, "platform_system": system, "extra": ""}
    environment |= {"platform_machine": machine, "python_version": python, "python_full_version": f"{python}.9"}
    here = [(name, version) for name, version, marker in pins() if wanted(marker, environment)]
    assert len({name for name, _ in here}) == len(here), "two versions of one package"
    versions = dict(here)
    for asked in ASKED:
        if wanted(asked.marker, environment):
            pinned = versions.get(canonicalize_name(asked.name))
            assert pinned and asked.specifier.contains(pinned, prereleases=True), f"{asked}: {pinned} is pinned"


def test_no_pin_is_left_over() -> None:
    """Walks what the installed packages themselves require."""
    seen: set[tuple[str, str]] = set()
    todo = [(asked.name, extra) for asked in ASKED for extra in ("", *asked.extras)]
    while todo:
        one = canonicalize_name(todo[-1][0]), todo.pop()[1]
        if one in seen:
            continue
        seen.add(one)
        try:
            lines = requires(one[0]) or []
        except PackageNotFoundError:
            continue  # not for this platform
        needed = [Requirement(line) for line in lines]
        environment = {**default_environment(), "extra": one[1]}
        todo += [(r.name, e) for r in needed if wanted(r.marker, environment) for e in ("", *r.extras)]
    here = {name for name, _, marker in pins() if wanted(marker, {**default_environment(), "extra": ""})}
    assert here - {name for name, _ in seen} == set()


def test_the_extra_for_users_is_part_of_what_is_tested() -> None:
    assert set(PROJECT["optional-dependencies"]["ansible"]) <= set(PROJECT["optional-dependencies"]["dev"])
