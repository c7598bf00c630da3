"""Judges recorded incidents whose truth is known, and what simpler ways would have said of the same ones."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from causes.catalogue import all_causes
from causes.rank import eligible
from domain.errors import Malformed
from domain.scope import Scope
from domain.verdict import Verdict, VerdictState
from evidence.bundles import Bundle
from ingest.judging import judge
from ingest.naive import naive_cause
from ingest.replay import look
from ml.evaluation import Case

CHANCE_SEED = 17
CONTROLS = ("chance", "prior only", "published rules")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One bundle's case, and the same incident as each control judged it."""

    case: Case
    controls: dict[str, Case]


def bundles_in(paths: Sequence[Path]) -> list[Path]:
    """Bundles among the paths and below them, each once, in order of their names. Raises Malformed if there is none."""
    found = {p for path in paths for p in _below(path)}
    if not found:
        raise Malformed("holds no bundle; give a bundle's folder or zip, or a folder of them", str(paths[0]))
    return sorted(found)


def _below(path: Path) -> Iterator[Path]:
    if path.is_file() or (path / "bundle.json").is_file():
        yield path
        return
    yield from (p.parent for p in path.rglob("bundle.json"))
    yield from path.rglob("*.zip")


def evaluated(path: Path) -> Evaluated | None:
    """The bundle judged by everyone; None when its truth is not known. Raises Malformed."""
    bundle = Bundle.load(path)
    if bundle.truth is None and not bundle.declaration:
        return None
    scope, collected = look(bundle)
    case = _case(path, bundle, judge(scope, collected.findings, bundle.similar))
    return Evaluated(case, {name: _control(name, case, bundle, scope) for name in CONTROLS})


def _case(path: Path, bundle: Bundle, verdict: Verdict) -> Case:
    cause = all_causes().get(_truth(bundle, verdict))
    decided = verdict.state is not VerdictState.UNKNOWN and bool(verdict.causes)
    return Case(
        name=path.stem,
        declaration=bundle.declaration or path.stem,
        family=bundle.family or (cause.layer if cause else "nothing broken"),
        truth=cause.slug if cause else "",
        healthy=cause.no_fault if cause else True,
        shares=tuple((c.cause, c.probability) for c in verdict.causes),
        unknown=verdict.unknown_probability,
        answer=verdict.causes[0].cause if decided else "",
        says_healthy=verdict.state is VerdictState.NO_FAULT,
    )


def _truth(bundle: Bundle, verdict: Verdict) -> str:
    """The recorded cause; a plain "no-fault" is met by whichever cause says that nothing is broken."""
    slug = bundle.truth.cause if bundle.truth else ""
    met = slug == "no-fault" and verdict.state is VerdictState.NO_FAULT
    return verdict.causes[0].cause if met else slug


def _control(name: str, case: Case, bundle: Bundle, scope: Scope) -> Case:
    """The same case with another's answer, given with certainty: these ways know no probability."""
    slugs = [c.slug for c in eligible(scope)]
    if name == "chance":
        random.Random(f"{CHANCE_SEED}/{case.name}").shuffle(slugs)
    elif name == "prior only":
        slugs.sort(key=lambda slug: (-all_causes()[slug].prior, slug))
    else:
        slugs = [slug for slug in (naive_cause(bundle, scope),) if slug]
    first = slugs[0] if slugs else ""
    cause = all_causes().get(first)
    return replace(
        case, shares=tuple((slug, float(slug == first)) for slug in slugs), unknown=0.0 if first else 1.0,
        answer=first, says_healthy=bool(cause and cause.no_fault),
    )  # fmt: skip
