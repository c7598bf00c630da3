"""Asks one server what it shows: bounded answers, time limits, verified TLS, no redirects, no proxies.

The first question decides whether this is a Prometheus at all; what fails later is a sentence in `Seen.unanswered`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
import yaml

from connections.discovery.etcd import LEADER, ZONES_SHOWN
from connections.discovery.seen import GROUPABLE, Sample, Seen, Target, host_of, seconds_of, shown
from domain.connections import PrometheusDecl
from domain.errors import Malformed, ProductError, Refused, Unreachable
from domain.secrets import ReadSecret
from evidence.bounded import content_of
from evidence.clients.prometheus import escape
from evidence.ways import CONNECT_S, way_to

T = TypeVar("T")
MOST_SERIES = 5000
MOST_POOLS = 20
# After so many late answers the rest is not asked any more.
MOST_LATE = 2
INTERVAL_RANGE_S = 600
_BY = ", ".join(GROUPABLE)
# Field of Seen: the query that fills it.
QUERIES: Mapping[str, str] = {
    "etcd": LEADER,
    "etcd_ids": "etcd_server_id",
    "etcd_leaders": "etcd_server_is_leader",
    "etcd_versions": "etcd_cluster_version",
    "probes": f"count by (job, {_BY}) (probe_success)",
    "nodes": "kube_node_info",
    "node_zones": f"max by (node, {', '.join(ZONES_SHOWN)}) (kube_node_labels)",
    "kubelets": f"count by (job, {_BY}) (kubelet_node_name)",
    "alertmanager_series": "alertmanager_build_info",
}
UP = f"count by (job, {_BY}) (up)"
INTERVALS = f"max by (job) (count_over_time(up[{INTERVAL_RANGE_S}s]))"


class _Result(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Data(msgspec.Struct):
    resultType: str
    result: list[_Result]


class _Vector(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""
    warnings: list[str] = []
    isPartial: bool = False


class _Active(msgspec.Struct):
    scrapeUrl: str = ""
    scrapeInterval: str = ""
    labels: dict[str, str] = {}
    discoveredLabels: dict[str, str] = {}


class _Targets(msgspec.Struct):
    activeTargets: list[_Active]


class _Pools(msgspec.Struct):
    scrapePools: list[str]


class _Address(msgspec.Struct):
    url: str = ""


class _Alertmanagers(msgspec.Struct):
    activeAlertmanagers: list[_Address]


class _Config(msgspec.Struct):
    yaml: str


class _Build(msgspec.Struct):
    version: str


class _Of(msgspec.Struct):
    """The envelope of every other answer."""

    status: str
    data: Any = None


class Server:
    """One server that is asked. All calls raise Unreachable, Refused or Malformed with one sentence and its remedy."""

    def __init__(self, declared: PrometheusDecl, read: ReadSecret) -> None:
        way = way_to(declared.url, declared, read)
        self._client = httpx.Client(
            base_url=way.base_url, headers=way.headers, auth=way.auth, transport=way.transport, follow_redirects=False,
            timeout=httpx.Timeout(declared.timeout_s, connect=min(CONNECT_S, declared.timeout_s)), trust_env=False,
        )  # fmt: skip
        self.partial: list[str] = []
        self._url, self._late = declared.url, 0

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def query(self, promql: str) -> tuple[Sample, ...]:
        """The series of an instant query, at most MOST_SERIES of them."""
        found = self._decoded(self._content("POST", "api/v1/query", {"query": promql}), _Vector)
        if found.status != "success" or found.data is None:
            raise Refused(f"{self._url} refused a query: {shown(found.error)}")
        if found.warnings or found.isPartial:
            why = "; ".join(found.warnings) or "isPartial"
            self.partial.append(f"the answer to {promql} is partial ({why}): series may be missing here")
        if len(found.data.result) > MOST_SERIES:
            self.partial.append(f"{promql} has more than {MOST_SERIES} series; the others were left out")
        return tuple(Sample(r.metric, _number(r.value[1])) for r in found.data.result[:MOST_SERIES])

    def data(self, path: str, kind: type[T], **params: str) -> T:
        """The `data` of an answer that is no query's."""
        found = self._decoded(self._content("GET", path, params), _Of)
        try:
            return msgspec.convert(found.data, kind)
        except msgspec.ValidationError as error:
            raise Malformed(f"{self._url} answered /{path} with other types than Prometheus") from error

    def _content(self, method: str, path: str, form: Mapping[str, str]) -> bytes:
        if self._late >= MOST_LATE:
            raise Unreachable(f"{self._url} was late {self._late} times; /{path} was not asked any more")
        sent = {"data": form} if method == "POST" else {"params": form}
        try:
            with self._client.stream(method, path, **sent) as answer:  # type: ignore[arg-type]
                content = content_of(answer)
                self._refuse(answer, path, content)
                return content
        except httpx.TimeoutException as error:
            self._late += 1
            raise Unreachable(
                f"{self._url} did not answer /{path} in time; check the address, or give it more time"
            ) from error
        except httpx.ReadError as error:
            raise Unreachable(f"{self._url} broke off its answer to /{path}: {shown(str(error))}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(f"{self._url} cannot be reached ({_reason(error)}); check the address, and give "
                              "a CA file for an authority of your own") from error  # fmt: skip

    def _refuse(self, answer: httpx.Response, path: str, content: bytes) -> None:
        """Raises for every status that brings no answer, each with its own remedy."""
        status = answer.status_code
        if status in {401, 403}:
            raise Refused(f"{self._url} refused access ({status}); give a bearer file, a basic user with a password "
                          "file, or the header that it wants")  # fmt: skip
        if 300 <= status < 400:
            where = shown(answer.headers.get("location", "elsewhere"), 120)
            raise Refused(f"{self._url} redirects to {where}; redirects are not followed, give the address itself")
        if status == 404:
            remedy = ": it is no Prometheus, or its base path is missing in the URL" if path.endswith("/query") else ""
            raise Refused(f"{self._url} has no /{path}{remedy}")
        if status >= 500 or status == 429:
            raise Unreachable(f"{self._url} answered /{path} with {status}; try again when it is well")
        if status >= 400 and not content.startswith(b"{"):
            raise Refused(f"{self._url} refused /{path} ({status})")

    def _decoded(self, content: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(content, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Malformed(f"{self._url} answered with something that is not Prometheus' JSON; give the address of a "
                            "Prometheus-compatible server, with its base path") from error  # fmt: skip


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _reason(error: Exception) -> str:
    """The error's class, and what it says of itself within a line."""
    return f"{type(error).__name__}: {shown(str(error), 160)}" if str(error) else type(error).__name__


def see(server: Server, progress: Callable[[str], None] = lambda _: None) -> Seen:
    """All that the server shows. Raises the errors of the first question; later ones become `unanswered`."""
    progress("up")
    seen = Seen(up=server.query(UP))
    for name, query in QUERIES.items():
        progress(query.rpartition("(")[2].rstrip(")"))
        setattr(seen, name, _vector(server, seen, query))
    _see_lists(server, seen, progress)
    _see_around_etcd(server, seen, progress)
    seen.unanswered += server.partial
    return seen


def _or(seen: Seen, what: str, ask: Callable[[], T], otherwise: T) -> T:
    """The answer; when it fails, `otherwise`, and the sentence is kept."""
    try:
        return ask()
    except ProductError as error:
        seen.unanswered.append(f"not known: {what}, as {error}")
        return otherwise


def _vector(server: Server, seen: Seen, query: str) -> tuple[Sample, ...]:
    """The series of a query, none when it fails."""
    nothing: tuple[Sample, ...] = ()
    return _or(seen, query, lambda: server.query(query), nothing)


def _see_lists(server: Server, seen: Seen, progress: Callable[[str], None]) -> None:
    """Targets, Alertmanagers, the configuration and the version; not every compatible server has them."""
    progress("/api/v1/targets, /api/v1/alertmanagers, /api/v1/status")
    seen.targets = _or(seen, "targets", lambda: _targets(server, seen), None)
    known = _or(seen, "Alertmanagers", lambda: server.data("api/v1/alertmanagers", _Alertmanagers), None)
    seen.alertmanagers = tuple(a.url for a in known.activeAlertmanagers if _is_web(a.url)) if known else ()
    config = _or(seen, "external labels", lambda: server.data("api/v1/status/config", _Config), None)
    seen.external = external_labels(config.yaml) if config else {}
    build = _or(seen, "its version", lambda: server.data("api/v1/status/buildinfo", _Build), None)
    seen.version = shown(build.version, 40) if build else ""
    seen.intervals = _intervals(seen.targets or ()) or _measured(server, seen)


def _targets(server: Server, seen: Seen) -> tuple[Target, ...]:
    """All targets; of a server that has too many for one answer those of the scrape pools that matter."""
    try:
        listed = server.data("api/v1/targets", _Targets, state="active").activeTargets
    except ProductError as error:
        try:
            listed = _of_pools(server, seen)
        except ProductError:
            raise error from None
    return tuple(_target(active) for active in listed)


def _of_pools(server: Server, seen: Seen) -> list[_Active]:
    """The targets of the pools that are named by a job of etcd, of probes or of Alertmanager."""
    jobs = {s.labels.get("job", "") for s in (*seen.etcd, *seen.probes, *seen.alertmanager_series)} - {""}
    pools = server.data("api/v1/scrape_pools", _Pools).scrapePools
    fitting = [pool for pool in pools if any(job in pool for job in jobs)][:MOST_POOLS]
    asked = (server.data("api/v1/targets", _Targets, state="active", scrapePool=pool) for pool in fitting)
    return [active for answer in asked for active in answer.activeTargets]


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _target(active: _Active) -> Target:
    """A target, its URL without user, password and parameters, which may be secrets; one that is no URL is empty."""
    url = ""
    if _is_web(active.scrapeUrl):
        parts = urlsplit(active.scrapeUrl)
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return Target(active.labels, active.discoveredLabels, url, seconds_of(active.scrapeInterval))


def external_labels(text: str) -> dict[str, str]:
    """The `global.external_labels` of a configuration; only its block `global:` is read."""
    block = re.search(r"^global:\n((?:[ \t].*\n?|\n)*)", text[:200_000], re.MULTILINE)
    try:
        found = yaml.safe_load(block.group(0)) if block else None
        labels = found["global"].get("external_labels", {}) if found else {}
        return {str(name): str(value) for name, value in labels.items()}
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, ValueError, RecursionError):
        return {}


def _intervals(targets: tuple[Target, ...]) -> dict[str, float]:
    """The longest interval of each job, in seconds."""
    found: dict[str, float] = {}
    for target in targets:
        if target.interval_s:
            job = target.labels.get("job", "")
            found[job] = max(found.get(job, 0.0), target.interval_s)
    return found


def _measured(server: Server, seen: Seen) -> dict[str, float]:
    """Where no target says its interval: by how often `up` was written, by the job's most regular target."""
    rows = _vector(server, seen, INTERVALS)
    return {row.labels.get("job", ""): INTERVAL_RANGE_S / row.value for row in rows if row.value >= 1}


def _see_around_etcd(server: Server, seen: Seen, progress: Callable[[str], None]) -> None:
    """What only concerns the members that were found: their pods, their machines, and scrapes that fail."""
    if not seen.etcd:
        return
    progress("pods, machines and scrapes of the etcd members")
    hosts = {host_of(s.labels.get("instance", "")) for s in seen.etcd}
    asked = {
        "pods": ("kube_pod_info", "pod", {s.labels.get("pod", "") for s in seen.etcd}, ""),
        "machines": ("node_uname_info", "instance", hosts, "(:[0-9]+)?"),
        "etcd_scrapes": ("up", "job", {s.labels.get("job", "") for s in seen.etcd}, ""),
    }
    for name, (metric, label, values, end) in asked.items():
        if wanted := "|".join(sorted(re.escape(v) for v in values if v)[:200]):
            query = f'{metric}{{{label}=~"{escape(f"({wanted}){end}")}"}}'
            setattr(seen, name, _vector(server, seen, query))
