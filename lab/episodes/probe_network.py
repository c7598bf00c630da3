"""Probes fail on the way to the pod: packets dropped or rejected, connections reset, TLS, names."""

import random
from typing import Any

from lab.episode import Episode, Setting
from lab.faults.pod import filtered
from lab.stage.names import NAME_ERROR, SERVER_FAILURE
from lab.stage.namespace import Namespace, Pod, probe, template
from lab.stage.node_pool import NodePool

READY = {"readinessProbe": probe("/readyz", 2)}


def _calm(on: Namespace, **more: Any) -> list[Pod]:
    pods = on.deploy(template(on.draw, {"work_latency": f"{on.draw.randint(2, 12)}ms"}, READY, **more))
    for pod in pods if more.get("scheme") != "https" else ():
        on.load(pod, rate=on.draw.randint(2, 5))
    on.calm()
    return pods


def _filtered(on: Namespace, *rule: str, message: str) -> Pod:
    """Put an iptables rule in front of the first pod until after the alert; the pod."""
    pods = _calm(on)
    on.make(filtered(on.process(pods[0]), *rule))
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed", message)
    return pods[0]


def drop(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Packets to the pod vanish, all of them or those to one port."""
    on = pool.make_namespace(draw)
    ports = draw.choice((["-p", "tcp"], ["-p", "tcp", "--dport", "8080"]))
    pod = _filtered(on, *ports, "-j", "DROP", message="context deadline exceeded")
    return on.setting("network-path-drop", pod, f"iptables {' '.join(ports)} DROP in the pod's network namespace.")


def reject(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """A router on the way says that the host cannot be reached."""
    on = pool.make_namespace(draw)
    how = draw.choice(("icmp-host-unreachable", "icmp-admin-prohibited"))
    pod = _filtered(
        on, "-p", "tcp", "--dport", "8080", "-j", "REJECT", "--reject-with", how, message="no route to host"
    )
    return on.setting("network-unreachable", pod, f"iptables REJECT with {how} in the pod's network namespace.")


def reset(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """Something on the way answers each request with RST; the service never sees it."""
    on = pool.make_namespace(draw)
    pod = _filtered(on, "-p", "tcp", "--dport", "8080", "--tcp-flags", "PSH", "PSH", "-j", "REJECT", "--reject-with",
                    "tcp-reset", message="connection reset by peer")  # fmt: skip
    return on.setting("connection-reset", pod, "Each packet with data is answered by RST on its way to the pod.")


def _https(pool: NodePool) -> dict[str, Any]:
    ours, other = pool.trusted, pool.stranger
    env = {"TLS_CERT": ours.certificate, "TLS_KEY": ours.key, "TLS_CERT2": other.certificate, "TLS_KEY2": other.key}
    return {"env": env, "scheme": "https"}


def tls_stall(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The handshake never ends."""
    on = pool.make_namespace(draw)
    probes = {"readinessProbe": probe("/readyz", draw.choice((2, 3)), scheme="HTTPS")}
    pods = on.deploy(template(draw, {}, probes, **_https(pool)))
    on.calm()
    on.order(pods[0], "set", tls_stall=1)
    on.alerted("PodProbeFailing", pods[0].name)
    on.linger()
    on.must_have_event("Readiness probe failed")
    on.must_hold('probe_success{$ns,module="tcp_connect"} == 1 and on (pod) probe_success{$ns,module="http_2xx"} == 0')
    return on.setting("tls-handshake-stall", pods[0], "The server does not answer the ClientHello.")


def tls_unknown_authority(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The certificate was renewed by an authority that the probe does not trust; the kubelet does not look."""
    on = pool.make_namespace(draw)
    probes = {"readinessProbe": probe("/readyz", draw.choice((2, 3)), scheme="HTTPS")}
    pods = on.deploy(template(draw, {}, probes, **_https(pool)))
    on.calm()
    for pod in pods:
        on.order(pod, "set", rotated=1)
    on.alerted("ProbeDown")
    on.linger()
    on.must_hold('probe_success{$ns,module="http_2xx"} == 0')
    return on.setting("tls-trust-or-scheme", pods[0], "The new certificate is signed by an unknown authority.")


def name_fails(pool: NodePool, _: Any, draw: random.Random) -> Setting:
    """The name that the probe asks for does not resolve any more; the pod is well."""
    on = pool.make_namespace(draw)
    name = f"{on.app}.{on.namespace}.svc.prod-a.example"
    pods = on.deploy(template(draw, {}, host=f"{name}:8080"), replicas=1)
    pool.names.known[name] = pods[0].address
    on.calm()
    code = draw.choice((NAME_ERROR, SERVER_FAILURE))
    pool.names.broken[name] = code
    on.alerted("ProbeDown", pods[0].name)
    on.linger()
    on.must_hold(
        'probe_success{$ns,module="http_2xx"} == 0 unless on (pod) probe_http_duration_seconds{phase="connect"}'
    )
    return on.setting("dns-failure", pods[0], f"The name server answers with code {code} for {name}.")


EPISODES = tuple(
    Episode(f"probe-{name}", title, play, cause, family, node=True)
    for name, title, play, cause, family in (
        ("network-drop", "readiness fails because packets are dropped", drop, "network-path-drop", "network"),
        ("network-reject", "readiness fails because there is no route", reject, "network-unreachable", "network"),
        ("network-reset", "readiness fails because connections are reset", reset, "connection-reset", "network"),
        ("tls-stall", "readiness fails because the TLS handshake stalls", tls_stall,
         "tls-handshake-stall", "network"),
        ("tls-unknown-authority", "a probe does not trust the new certificate", tls_unknown_authority,
         "tls-trust-or-scheme", "network"),
        ("name-fails", "a probe's target does not resolve", name_fails, "dns-failure", "network"),
    )
)  # fmt: skip
