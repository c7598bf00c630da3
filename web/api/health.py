"""Health and metrics: /livez tells of the process, /readyz of the record and, degraded, of broker and graph."""

import socket
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect, JsonResponse
from django.middleware.common import CommonMiddleware
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from redis import Redis
from redis.exceptions import RedisError

from incidents import graph_queue, queries, watch_leases
from incidents.callers import slowed
from incidents.tokens import live_token
from notify import outbox, targets

LOOPBACK = {"127.0.0.1", "::1"}
PROXY_SIGNS = {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Forwarded", "Via"}
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Probes ask by a pod's or a container's own address, which no list of host names can hold. Not /metrics: a caller on
# this machine needs no token there, and a strange host name may be a browser that was led here.
ASKED_BY_ADDRESS = {"/livez", "/readyz"}


class HostChecked(CommonMiddleware):
    """Refuses a host name that is not allowed, except from a probe."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        """None lets the request pass."""
        return None if request.path_info in ASKED_BY_ADDRESS else super().process_request(request)


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """503 without the record; without broker or graph 200 `degraded`, as deliveries are still accepted."""
    parts = {"record": _record(), "broker": _broker(), "graph": _graph()}
    if parts["record"] != "ok":
        state, code = "down", 503
    else:
        state, code = ("ok" if set(parts.values()) == {"ok"} else "degraded"), 200
    if "verbose" in request.GET:
        return JsonResponse({"state": state, **parts}, status=code)
    return HttpResponse(f"{state}\n", status=code, content_type="text/plain")


def _record() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "unreachable"
    return "ok"


def _broker() -> str:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()
    except (RedisError, OSError, ValueError):
        return "unreachable"
    return "ok"


def _graph() -> str:
    """Whether the graph's port accepts; the driver itself lives in the worker."""
    address = urlsplit(settings.GRAPH_URI)
    if not address.hostname:
        return "not configured"
    try:
        socket.create_connection((address.hostname, address.port or 7687), timeout=1).close()
    except OSError:
        return "unreachable"
    return "ok"


STATE_GAUGES = {
    "deliveries": "Deliveries that wait or need a person",
    "incidents": "Incidents by state",
    "investigations": "Investigations not done",
    "outbox": "What waits to be told",
}


@require_safe
def metrics(request: HttpRequest) -> HttpResponseBase:
    """Prometheus text, for a token of scope `metrics` or a caller on this machine without a proxy between."""
    direct = request.META.get("REMOTE_ADDR") in LOOPBACK and not PROXY_SIGNS & set(request.headers)
    if not direct and not _may_scrape(request):
        challenge = {"WWW-Authenticate": "Bearer"}
        needed = HttpResponse("a token of scope metrics is needed\n", status=401, headers=challenge)
        return slowed(request, needed) if "Authorization" in request.headers else needed
    registry = CollectorRegistry()
    counts = queries.counts_by_state() | {"outbox": outbox.counts_by_state()}
    for name, text in STATE_GAUGES.items():
        gauge = Gauge(f"incident_graph_{name}", text, ["state"], registry=registry)
        for state, number in counts[name].items():
            gauge.labels(state).set(number)
    _outbox_metrics(registry)
    _watcher_metrics(registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE)


def _outbox_metrics(registry: CollectorRegistry) -> None:
    """What waits for each target and since when, and how targets answered since the beginning."""
    pending = Gauge("incident_graph_outbox_pending", "Rows that wait, by target", ["target"], registry=registry)
    dead = Gauge("incident_graph_outbox_dead", "Rows that need a person, by target", ["target"], registry=registry)
    oldest = Gauge("incident_graph_outbox_oldest_seconds", "Age of what waits longest", registry=registry)
    waiting_since = []
    for target, load in outbox.loads().items():
        pending.labels(target).set(load.waiting)
        dead.labels(target).set(load.dead)
        waiting_since += [load.oldest] if load.oldest else []
    backlog = graph_queue.backlog()
    pending.labels("graph").set(backlog.waiting)
    waiting_since += [backlog.oldest] if backlog.oldest else []
    oldest.set(max(0.0, (timezone.now() - min(waiting_since)).total_seconds()) if waiting_since else 0)
    answers = Counter(
        "incident_graph_external_requests_total", "Answers of told targets by status, 0 for none",
        ["target", "code"], registry=registry,
    )  # fmt: skip
    for target, code, count in targets.response_counts():
        answers.labels(target, str(code)).inc(count)


def _watcher_metrics(registry: CollectorRegistry) -> None:
    """Whether each Kubernetes cluster is followed by somebody, and for how long its API has been silent."""
    leader = Gauge("incident_graph_watcher_leader", "1 while a watcher follows the cluster", ["cluster"],
                   registry=registry)  # fmt: skip
    lag = Gauge("incident_graph_watcher_lag_seconds", "Since the cluster's API last said anything", ["cluster"],
                registry=registry)  # fmt: skip
    for one in watch_leases.leases(timezone.now()):
        leader.labels(one.name).set(one.led)
        if one.lag_s is not None:
            lag.labels(one.name).set(one.lag_s)


def _may_scrape(request: HttpRequest) -> bool:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    row = live_token(token)
    return row is not None and "metrics" in row.scopes


@require_safe
@login_required
def docs(request: HttpRequest) -> HttpResponse:
    """The schema as a page, without a script from elsewhere."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    calls = [
        (method.upper(), path, operation.get("x-scope", ""), operation.get("description", ""))
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    return render(request, "web/api_docs.html", {"calls": calls, "address": settings.PUBLIC_URL})
