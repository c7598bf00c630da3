"""Checks every engine and connection, each with a short time limit, and names the remedy for each fault."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import Error as DatabaseError
from django.utils import timezone

from config import clusters
from domain.connections import Access, Connections, EtcdDecl, KubernetesDecl
from domain.errors import ProductError
from evidence.clients.kubernetes_watch import MANIFEST
from evidence.executors import all_executors
from evidence.recording import LiveTransports
from evidence.ways import reading
from graph.store import open_graph
from incidents import deliveries, entity_reads, graph_queue, queries, sources, watch_leases
from incidents.identity import clusters_of
from ingest.sources import all_sources
from notify import outbox, targets
from notify.self_check import check

LIMIT_S = 3.0
LOOK_BACK = timedelta(days=1)
UP = "start `manage.py up`"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The result of one check; `state` is well, warning or bad, `message` is what was found."""

    name: str
    state: str
    message: str
    remedy: str = ""


def examine() -> list[Diagnosis]:
    """Check everything; without the record only the broker and the graph."""
    record = _record()
    found = [record, _broker(), _graph()]
    if record.state != "bad":
        declared = queries.connections()
        found += [*_queues(), *_missing_setup(declared), *_names(declared), *_connections(declared), *_targets()]
    return found


def _record() -> Diagnosis:
    name = f"record ({connection.vendor})"
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return Diagnosis(name, "bad", str(error), "check DATABASE_URL and that the server runs")
    if plan:
        return Diagnosis(name, "bad", f"{len(plan)} migrations are missing", "run `manage.py migrate`")
    return Diagnosis(name, "well", "reachable, up to date")


def _broker() -> Diagnosis:
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=LIMIT_S, socket_connect_timeout=LIMIT_S)
        client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        # Nothing is lost without it: the sweeper finds the rows when it is back.
        return Diagnosis("broker", "bad", str(error), f"{UP}, or set REDIS_URL to a running Redis")
    return Diagnosis("broker", "well", "answers")


def _graph() -> Diagnosis:
    if not settings.GRAPH_URI:
        return Diagnosis("graph", "bad", "none is running here", f"{UP}, or set GRAPH_URI")
    try:
        store = open_graph(settings.GRAPH_URI, settings.GRAPH_USER, settings.GRAPH_PASSWORD)
        try:
            return Diagnosis("graph", "well", store.ping())
        finally:
            store.close()
    except ProductError as error:
        return Diagnosis("graph", "bad", str(error), f"{UP}, or check GRAPH_URI, GRAPH_USER and GRAPH_PASSWORD")


def _queues() -> Iterator[Diagnosis]:
    """The inbox, the outbox and the graph's queue."""
    stuck = deliveries.stuck_deliveries().count()
    if stuck:
        remedy = "look at them on the page of parked deliveries, and replay them"
        yield Diagnosis("deliveries", "warning", f"{stuck} parked or dead", remedy)
    loads = outbox.loads().values()
    behind = sum(load.waiting for load in loads) + graph_queue.backlog().waiting
    refused = sum(load.dead for load in loads)
    if behind:
        yield Diagnosis("outbox", "warning", f"{behind} wait", "they go by themselves while the workers run")
    if refused:
        yield Diagnosis(
            "outbox", "warning", f"{refused} were refused", "see why on the page Outbox, and send them again"
        )
    if not stuck and not behind and not refused:
        yield Diagnosis("work", "well", "nothing waits")


def _missing_setup(declared: Connections) -> Iterator[Diagnosis]:
    """Missing steps of a new installation: no source of alerts, or no Prometheus."""
    rows = list(sources.sources())
    if not rows and not any(cluster.watched for cluster in declared.kubernetes):
        yield Diagnosis("sources", "warning", "none; no alert can come in", "`manage.py source add alertmanager NAME`")
    for row in rows:
        if row.last_delivery_at is None and row.kind in all_sources() and not all_sources()[row.kind].by_itself:
            remedy = "follow its steps on the page Sources, then let an alert fire"
            yield Diagnosis(f"source {row}", "warning", "nothing has ever come from it", remedy)
    if not declared.prometheus:
        remedy = "declare it in a file, then `manage.py apply FILE` (docs/getting-started.md)"
        yield Diagnosis("prometheus", "warning", "none is declared; most questions will have no answer", remedy)


def _names(declared: Connections) -> Iterator[Diagnosis]:
    """What keeps alerts from being about the right entities: no cluster where several are declared, unproven names."""
    known = sorted(clusters_of(declared))
    nameless = entity_reads.sources_without_cluster(timezone.now() - LOOK_BACK) if len(known) > 1 else []
    for source in nameless:
        remedy = f'in its [[source]] set cluster_label, or labels = {{ cluster = "{known[0]}" }}'
        yield Diagnosis(f"source {source}", "warning", f"alerts name none of {len(known)} declared clusters", remedy)
    if unproven := entity_reads.unproven_names():
        remedy = "run `manage.py repair_identities --dry-run`, then without it"
        yield Diagnosis("names", "warning", f"{unproven} are of an earlier version and have no proof", remedy)


def _connections(declared: Connections) -> Iterator[Diagnosis]:
    """One line per address that the service may ask, by one harmless request for each kind."""
    transports = LiveTransports(declared, reading(settings.DECLARED_SECRET))
    for prometheus in declared.prometheus:
        path = "/api/v1/query"
        yield _asked(transports, f"prometheus {prometheus.name}", prometheus.url, prometheus, path, {"query": "1"})
    for etcd in declared.etcd:
        for member in etcd.member:
            yield _asked(transports, f"etcd {etcd.name} {member.name}", member.endpoint, etcd, "/health")
        if etcd.executor != "http":
            yield _executor(etcd)
    for cluster in declared.kubernetes:
        if cluster.has_api:
            yield from _kubernetes(cluster, transports)
    for blackbox in declared.blackbox:
        if blackbox.url:
            yield _asked(transports, f"blackbox {blackbox.name}", blackbox.url, blackbox, "/-/healthy")


def _kubernetes(cluster: KubernetesDecl, transports: LiveTransports) -> Iterator[Diagnosis]:
    """The API; if it answers, also the account's permissions and the watcher."""
    where = cluster.url or cluster.kubeconfig_file or "in cluster"
    api = _asked(transports, f"kubernetes {cluster.name}", where, cluster, "/version")
    yield api
    if api.state == "well":
        yield from _permissions(cluster, transports)
        yield from _watcher(cluster)


def _permissions(cluster: KubernetesDecl, transports: LiveTransports) -> Iterator[Diagnosis]:
    """The account's missing permissions: bad where no alerts come without them, a warning where evidence is missing."""
    name, remedy = f"kubernetes {cluster.name} role", f"apply {MANIFEST} with `kubectl apply -f`"
    try:
        followed, others = clusters.missing(cluster, transports)
    except (httpx.HTTPError, ProductError, OSError) as error:
        yield Diagnosis(name, "bad", f"{type(error).__name__} {error}", "look at that API server")
        return
    if followed:
        yield Diagnosis(name, "bad", f"it may not {', '.join(followed)}; nothing can be followed", remedy)
    if others:
        yield Diagnosis(name, "warning", f"it may not {', '.join(others)} in the whole cluster", remedy)
    if not followed and not others:
        yield Diagnosis(name, "well", "it may read everything that is asked for")


def _watcher(cluster: KubernetesDecl) -> Iterator[Diagnosis]:
    """Whether a watcher holds the cluster's lease, and its last error."""
    if not cluster.watched:
        return
    name, leases = f"kubernetes {cluster.name} watcher", {f.name: f for f in watch_leases.leases(timezone.now())}
    lease = leases.get(cluster.name)
    if lease is None or not lease.led:
        yield Diagnosis(name, "warning", "no watcher follows it", f"{UP}, or the service `watcher`")
    elif lease.error:
        yield Diagnosis(name, "warning", lease.error, "it tries again by itself; see above for what the API says")
    else:
        answered = "the API has not answered yet" if lease.lag_s is None else f"heard {lease.lag_s:.0f} s ago"
        yield Diagnosis(name, "well", f"followed, {answered}")


def _targets() -> Iterator[Diagnosis]:
    """The results of each notification target's own check."""
    for target in targets.declared_targets().values():
        name, troubles = target.name.replace(":", " ", 1), check(target)
        for trouble in troubles:
            remedy = "correct it, then press Check now on the page of connections"
            yield Diagnosis(name, "bad" if trouble.fatal else "warning", str(trouble.sentence), remedy)
        if not troubles:
            yield Diagnosis(name, "well", "its own check found nothing wrong")


def _executor(etcd: EtcdDecl) -> Diagnosis:
    """Whether the declared program could run, without running it."""
    name = f"etcd {etcd.name} {etcd.executor}"
    try:
        all_executors()[etcd.executor].ready(etcd)
    except (KeyError, ProductError) as error:
        return Diagnosis(name, "bad", str(error), "see the part on executors in docs/etcd.md")
    return Diagnosis(name, "well", "it is there, and only its owner may change it")


def _asked(
    transports: LiveTransports, name: str, url: str, access: Access, path: str, params: dict[str, str] | None = None
) -> Diagnosis:
    try:
        with transports.client(name, url, access) as client:
            answer = client.get(path.lstrip("/"), params=params, timeout=LIMIT_S)
    except (httpx.HTTPError, ProductError, OSError) as error:
        message = f"{url}: {type(error).__name__} {error}"
        return Diagnosis(name, "bad", message, "check the address in the connections file, and that it runs")
    if answer.status_code in {401, 403}:
        return Diagnosis(name, "bad", f"{url}: HTTP {answer.status_code}", "check the user, token or certificate")
    if answer.status_code >= 400:
        message = f"{url}: HTTP {answer.status_code} {answer.text[:200]}"
        return Diagnosis(name, "bad", message, "look at that server; its own answer says what is wrong")
    return Diagnosis(name, "well", url)
