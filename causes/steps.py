"""Next steps that a person can paste: placeholders filled from the incident, where that is safe in a shell."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from domain.entities import EntityKind, EntityRef, RelationKind
from domain.errors import Refused
from domain.findings import Finding
from domain.scope import Scope
from domain.text import Text
from evidence.etcd_choice import etcd_of

# Names come from alerts and are untrusted: a value that a shell could interpret is not put in.
SAFE = re.compile(r"/?[A-Za-z0-9][A-Za-z0-9._:/,-]*")
# Each names how a probe fails; the finding's subject is the address that the probe asks.
PROBE_FAILURES = (
    "probe-app-silent", "probe-transport-timeout", "probe-refused", "probe-status-error", "probe-dns-absent",
    "probe-dropped-by-app", "probe-body-stall", "probe-redirect-loop", "probe-content-mismatch",
)  # fmt: skip
USUAL_PORTS = {"http": 80, "https": 443}


# Steps of Go's own tools and settings.
GO_ONLY = ("/debug/pprof", "GOMEMLIMIT", "GOGC", "GOMAXPROCS", "go_goroutines", "go_sql_", "go_gc_", "go_memstats")


def fitting(steps: tuple[Text, ...], findings: Mapping[str, Finding]) -> tuple[Text, ...]:
    """The steps that fit the software: without Go's where the image is another program's and exports nothing of Go."""
    other = findings.get("image-not-go")
    of_go = any(f.seen is not None for m, f in findings.items() if m.startswith("go-"))
    if other is None or not other.seen or of_go:
        return steps
    return tuple(step for step in steps if not any(mark in step.en for mark in GO_ONLY)) or steps


def filled(steps: tuple[Text, ...], values: Mapping[str, str]) -> tuple[Text, ...]:
    """The steps with every known placeholder replaced."""
    return tuple(_filled(step, values) for step in steps)


def _filled(step: Text, values: Mapping[str, str]) -> Text:
    return step.format(**{mark: value for mark, value in values.items() if mark in step.template})


def values_of(scope: Scope, findings: Mapping[str, Finding]) -> dict[str, str]:
    """Placeholder to value, from pods, workloads, services, nodes, etcd members and the probed address."""
    pod = next(iter(scope.of_kind(EntityKind.POD)), None)
    values = _probed_address(findings) | {"<ns>": _namespace(scope, pod), "<every member>": _member_endpoints(scope)}
    if pod:
        values["<pod>"] = pod.name
        if workload := _related(scope, pod, RelationKind.PART_OF):
            values["deployment/<name>"] = f"deployment/{workload.name}"
        if node := _related(scope, pod, RelationKind.RUNS_ON):
            values["<node>"] = node.name
    return {placeholder: value for placeholder, value in values.items() if SAFE.fullmatch(value)}


def _namespace(scope: Scope, pod: EntityRef | None) -> str:
    """The pod's, else the one that all entities of the incident share, else empty."""
    if pod:
        return pod.namespace
    namespaces = {entity.namespace for entity in scope.entities if entity.namespace}
    return namespaces.pop() if len(namespaces) == 1 else ""


def _related(scope: Scope, pod: EntityRef, kind: RelationKind) -> EntityRef | None:
    """The first workload or node that a relation of the pod leads to."""
    ends = [EntityRef.from_key(r.end) for r in sorted(scope.relations) if r.start == pod.key and r.kind is kind]
    return next((end for end in ends if end.kind in (EntityKind.WORKLOAD, EntityKind.HOST)), None)


def _member_endpoints(scope: Scope) -> str:
    """Those of the incident's own etcd; none where several fit, as a command for another cluster does harm."""
    declared = scope.connections.etcd
    try:
        own = etcd_of(scope)
    except Refused:
        return ",".join(m.endpoint for etcd in declared for m in etcd.member) if len(declared) == 1 else ""
    return ",".join(member.endpoint for member in own.member)


def _probed_address(findings: Mapping[str, Finding]) -> dict[str, str]:
    """Host, port and path of the probed address, when a failing probe names one."""
    subject = next((f.subject for m in PROBE_FAILURES if (f := findings.get(m)) and f.seen and f.subject), "")
    try:
        parts = urlsplit(subject)
        host, port = parts.hostname, parts.port or USUAL_PORTS.get(parts.scheme)
    except ValueError:
        return {}
    if not host or not port:
        return {}
    return {"<host>": host, "<port>": str(port), "<path>": parts.path or "/", "<pod-ip>": host}
