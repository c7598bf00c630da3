"""Sets of recorded incidents whose true cause is known, and the verdict on each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from causes.catalogue import all_causes, is_kind_of
from domain.errors import Malformed
from domain.scope import Scope
from domain.verdict import Verdict, VerdictState
from evaluate.controls import CONTROLS, control
from evidence.bundles import Bundle
from evidence.collect import Collected
from ml.evaluation import Case


class Replayed(Protocol):
    """A replayed incident, as this room needs it."""

    @property
    def scope(self) -> Scope:
        """Its alerts and entities."""
        ...

    @property
    def collected(self) -> Collected:
        """The findings from its recorded answers."""
        ...

    @property
    def verdict(self) -> Verdict:
        """Its ranked causes."""
        ...


# How a bundle is replayed: passed in, since this room must not import `investigate`.
Replay = Callable[[Bundle], Replayed]


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


def evaluated(path: Path, replayed: Replay) -> Evaluated | None:
    """The bundle judged by the ranking and by each control; None when its truth is not known. Raises Malformed."""
    bundle = Bundle.load(path)
    if bundle.truth is None and not bundle.declaration:
        return None
    seen = replayed(bundle)
    case = _case(path, bundle, seen.verdict)
    return Evaluated(case, {name: control(name, case, bundle, seen.scope) for name in CONTROLS})


def _case(path: Path, bundle: Bundle, verdict: Verdict) -> Case:
    cause = all_causes().get(_truth(bundle, verdict))
    decided = _decided(verdict)
    return Case(
        name=path.stem,
        declaration=bundle.declaration or path.stem,
        family=bundle.family or (cause.layer if cause else "nothing broken"),
        truth=cause.slug if cause else "",
        healthy=cause.no_fault if cause else not _accepted(bundle),
        shares=tuple((c.cause, c.probability) for c in verdict.causes),
        unknown=verdict.unknown_probability,
        answer=verdict.causes[0].cause if decided else "",
        judged_healthy=verdict.state is VerdictState.NO_FAULT,
    )


def _decided(verdict: Verdict) -> bool:
    return verdict.state is not VerdictState.UNKNOWN and bool(verdict.causes)


def _accepted(bundle: Bundle) -> tuple[str, ...]:
    """The slugs that are right where the truth names several."""
    return bundle.truth.accept if bundle.truth else ()


def _truth(bundle: Bundle, verdict: Verdict) -> str:
    """The recorded cause, or one kind of it; a plain "no-fault" means any cause of the catalogue without a fault.

    Of several accepted causes it is the one that the verdict names, else the one that it puts first. Where "unknown" is
    accepted and the verdict says so, and where none of them is in the catalogue yet, it is empty.
    """
    slug = bundle.truth.cause if bundle.truth else ""
    accepted = _accepted(bundle) or (slug,)
    first = verdict.causes[0].cause if verdict.causes else ""
    if verdict.state is VerdictState.NO_FAULT and "no-fault" in accepted:
        return first
    if "unknown" in accepted and not _decided(verdict):
        return ""
    if any(first == one or is_kind_of(first, one) for one in accepted):
        return first
    listed = [c.cause for c in verdict.causes if c.cause in accepted]
    known = [one for one in accepted if one in all_causes()]
    return (listed or known or [""])[0]
