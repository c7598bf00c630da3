"""Small real scopes and findings for the ranking's tests."""

from datetime import UTC, datetime

from domain.alerts import AlertState, ParsedAlert, Severity
from domain.connections import Connections
from domain.entities import EntityKind, EntityRef
from domain.findings import Finding
from domain.scope import ChangeRef, Scope
from domain.text import Text

START = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
AS_OF = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
MEMBER = EntityRef(EntityKind.ETCD_MEMBER, "etcd1", "prod-a")
POD = EntityRef(EntityKind.POD, "cart-7d9f", "prod-a", "shop")


def scope(kind: str, changes: tuple[ChangeRef, ...] = (), incident: str = "inc") -> Scope:
    name, entity = {"etcd": ("EtcdLeaderChanged", MEMBER), "probe": ("ProbeFailed", POD)}[kind]
    alert = ParsedAlert("a1", "", AlertState.FIRING, name, name, Severity.HIGH, START, entities=(entity,))
    return Scope(incident, START, AS_OF, (alert,), (entity,), Connections(), changes=changes)


def finding(measure: str, seen: bool | None, **more: object) -> Finding:
    sentence = Text(f"{measure} came out {seen}.", f"{measure} 结果 {seen}。")
    return Finding(
        measure, "check", seen, sentence, why_unknown=None if seen is not None else Text("hang", "超时"), **more
    )


def findings(yes: str = "", no: str = "", unknown: str = "") -> list[Finding]:
    told = [(m, True) for m in yes.split()] + [(m, False) for m in no.split()] + [(m, None) for m in unknown.split()]
    return [finding(m, seen) for m, seen in told]
