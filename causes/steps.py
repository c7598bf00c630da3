"""Next steps as a person can paste them: placeholders filled from the incident, where that is safe in a shell."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from domain.entities import EntityKind, EntityRef, RelationKind
from domain.findings import Finding
from domain.scope import Scope
from domain.text import Text

# Names come from alerts and are untrusted: whatever could mean something to a shell stays a placeholder.
SAFE = re.compile(r"/?[A-Za-z0-9][A-Za-z0-9._:/,-]*")
# Each says of a failing probe how it fails, and is about the address that it asks.
PROBED = ("probe-app-silent", "probe-transport-timeout", "probe-refused", "probe-status-error", "probe-dns-absent",
          "probe-dropped-by-app", "probe-body-stall", "probe-redirect-loop", "probe-content-mismatch")  # fmt: skip
USUAL_PORTS = {"http": 80, "https": 443}


def filled(steps: tuple[Text, ...], values: Mapping[str, str]) -> tuple[Text, ...]:
    """The steps with every known placeholder replaced."""
    return tuple(step.format(**{m: v for m, v in values.items() if m in step.template}) for step in steps)


def values_of(scope: Scope, findings: Mapping[str, Finding]) -> dict[str, str]:
    """Placeholder to value, from pods, workloads, services, nodes, etcd members and the probed address."""
    pod = next(iter(scope.of_kind(EntityKind.POD)), None)
    found = _address(findings) | {"<ns>": _namespace(scope, pod)}
    if pod:
        found["<pod>"] = pod.name
    for kind, mark in ((RelationKind.PART_OF, "deployment/<name>"), (RelationKind.RUNS_ON, "<node>")):
        if target := _end(scope, pod, kind):
            found[mark] = f"deployment/{target.name}" if mark.startswith("deployment") else target.name
    found["<every member>"] = _endpoints(scope)
    return {mark: value for mark, value in found.items() if SAFE.fullmatch(value)}


def _namespace(scope: Scope, pod: EntityRef | None) -> str:
    """The pod's, else the one that all things of the incident share."""
    spaces = {e.namespace for e in scope.entities if e.namespace}
    return pod.namespace if pod else spaces.pop() if len(spaces) == 1 else ""


def _end(scope: Scope, pod: EntityRef | None, kind: RelationKind) -> EntityRef | None:
    ends = [r.end for r in sorted(scope.relations) if pod and r.start == pod.key and r.kind is kind]
    refs = [EntityRef.from_key(end) for end in ends]
    return next((r for r in refs if r.kind in (EntityKind.WORKLOAD, EntityKind.HOST)), None)


def _endpoints(scope: Scope) -> str:
    return ",".join(m.endpoint for etcd in scope.connections.etcd[:1] for m in etcd.member)


def _address(findings: Mapping[str, Finding]) -> dict[str, str]:
    """Host, port and path of the probed address, when a failing probe names one."""
    subject = next((f.subject for m in PROBED if (f := findings.get(m)) and f.seen and f.subject), "")
    try:
        parts = urlsplit(subject)
        host, port = parts.hostname, parts.port or USUAL_PORTS.get(parts.scheme)
    except ValueError:
        return {}
    if not host or not port:
        return {}
    return {"<host>": host, "<port>": str(port), "<path>": parts.path or "/", "<pod-ip>": host}
