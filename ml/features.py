"""The evidence vector of an incident: seen 1, not seen -1, unknown 0, in a fixed order of measures."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def vector(seen: Mapping[str, bool | None], measures: Sequence[str]) -> NDArray[np.float64]:
    """Shape (len(measures),), values 1, -1 and 0; a measure that is not in `seen` is 0 like an unknown one."""
    value = {True: 1.0, False: -1.0, None: 0.0}
    return np.array([value[seen.get(m)] for m in measures], dtype=np.float64)


def schema_hash(measures: Sequence[str], causes: Sequence[str]) -> str:
    """`sha256:<hex>` of the names and their order, so that a model never gets vectors of another schema."""
    text = "\n".join((*measures, "--", *causes))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
