"""Model files and their cards. A file is checked against its checksum and allowed types before it is loaded."""

import hashlib
import hmac
from importlib.metadata import version
from pathlib import Path

import msgspec
import skops.io
from sklearn.pipeline import Pipeline

from domain.errors import Refused
from ml.classifier import CauseClassifier
from ml.features import schema_hash

SHIPPED = Path(__file__).parent / "models" / "cause-classifier.skops"
# Beyond what skops trusts by itself: nothing. A pipeline of scaler and logistic regression needs no more.
TRUSTED: tuple[str, ...] = ()
LIBRARIES = ("scikit-learn", "skops", "numpy")


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model's card: its version, its training data, its schema and what it must not be used for."""

    name: str
    version: str
    sha256: str
    data: str
    data_hash: str
    schema_hash: str
    measures: list[str]
    causes: list[str]
    libraries: dict[str, str]
    what_it_is_not: str
    parent: str = ""


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted pipeline, and what its card will hold about the training data."""

    pipeline: Pipeline
    measures: list[str]
    version: str
    data: str
    data_hash: str
    what_it_is_not: str


def save(trained: Trained, path: Path) -> Card:
    """Write the skops file and, beside it, the JSON card; the card."""
    body = skops.io.dumps(trained.pipeline)
    causes = [str(c) for c in trained.pipeline.classes_]
    card = Card(
        name=path.stem, version=trained.version, sha256=hashlib.sha256(body).hexdigest(), data=trained.data,
        data_hash=trained.data_hash, schema_hash=schema_hash(trained.measures, causes), measures=trained.measures,
        causes=causes, libraries={name: version(name) for name in LIBRARIES},
        what_it_is_not=trained.what_it_is_not,
    )  # fmt: skip
    path.write_bytes(body)
    card_path(path).write_bytes(msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
    return card


def load(path: Path = SHIPPED) -> CauseClassifier:
    """The classifier of a file. Raises Refused when the file does not match its card, or holds other types."""
    card = read_card(path)
    body = path.read_bytes()
    if not hmac.compare_digest(hashlib.sha256(body).hexdigest(), card.sha256):
        raise Refused(f"{path.name} does not match the checksum in its card; restore both files or train again.")
    strange = set(skops.io.get_untrusted_types(data=body)) - set(TRUSTED)
    if strange:
        raise Refused(f"{path.name} holds types that are not allowed: {', '.join(sorted(strange))}.")
    pipeline = skops.io.loads(body, trusted=list(TRUSTED))
    if schema_hash(card.measures, [str(c) for c in pipeline.classes_]) != card.schema_hash:
        raise Refused(f"{path.name} was trained on other measures or causes than its card says; train again.")
    return CauseClassifier(pipeline, card.measures, card.name, card.version)


def read_card(path: Path = SHIPPED) -> Card:
    """The card beside a model file; raises Refused when it is missing or not readable."""
    try:
        return msgspec.json.decode(card_path(path).read_bytes(), type=Card)
    except (OSError, msgspec.MsgspecError) as error:
        raise Refused(f"The card of {path.name} cannot be read ({error}); restore it or train again.") from error


def card_path(path: Path) -> Path:
    """`x.skops` has its card in `x.json`."""
    return path.with_suffix(".json")
