"""Controls: the answers of simpler methods for the same recorded incidents."""

import random
from dataclasses import replace

from causes.candidates import eligible
from causes.catalogue import all_causes
from domain.scope import Scope
from evaluate.published_rules import naive_cause
from evidence.bundles import Bundle
from ml.evaluation import Case

CHANCE_SEED = 17
CONTROLS = ("chance", "prior only", "published rules")


def control(name: str, case: Case, bundle: Bundle, scope: Scope) -> Case:
    """The same case with the control's answer, at probability 1 as these methods have no probabilities."""
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
        answer=first, judged_healthy=bool(cause and cause.no_fault),
    )  # fmt: skip
