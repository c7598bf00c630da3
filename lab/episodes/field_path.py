"""The field: what lies between a probe and its target: packets, names, certificates."""

from datetime import timedelta

from lab.episode import Setting
from lab.faults.pod import filtered
from lab.field.certificates import Issued
from lab.field.declare import Declared
from lab.field.ground import ALERTS, EVENTS, Ground
from lab.field.software import WEB, nginx, node, redis
from lab.field.ware import Ware, http
from lab.stage.names import NAME_ERROR, SERVER_FAILURE
from lab.stage.namespace import Pod

declared = Declared("path")
FAILED = "BlackboxProbeFailed"
DEADLINE = "context deadline exceeded"
TLS_PORT = 8443
DAY = timedelta(days=1)


@declared("packets to nginx are dropped", "network-path-drop", "accept-queue-full")
def drop_all(on: Ground) -> Setting:
    """Packets to the pod vanish, all of them."""
    pod = on.run(nginx(readiness=http("/healthz", WEB, timeout=on.draw.choice((1, 3))), exporter=True))[0]
    on.load(pod, WEB, rate=2)
    on.probe_by_blackbox(pod, "http://{}:8080/healthz")
    on.calm()
    on.make(filtered(on.pid(pod), "-p", "tcp", "-j", "DROP"))
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, "All TCP packets to the pod are dropped in its network namespace.")


@declared("packets to one port are dropped, the exporter's port is open", "network-path-drop", "accept-queue-full")
def drop_one_port(on: Ground) -> Setting:
    """Packets to Redis' port vanish, those to its exporter's do not; the probe is of tcp."""
    probe = {"tcpSocket": {"port": 6379}, "periodSeconds": 10, "timeoutSeconds": 2, "failureThreshold": 3}
    pod = on.run(redis(probe))[0]
    on.calm()
    on.make(filtered(on.pid(pod), "-p", "tcp", "--dport", "6379", "!", "-i", "lo", "-j", "DROP"))
    on.reported()
    on.must_have_event("Readiness probe failed", "i/o timeout")
    return on.setting(pod, "Packets to port 6379 from outside the pod are dropped.")


@declared("some packets to the pod are lost", "network-path-drop")
def drop_some(on: Ground) -> Setting:
    """Six in ten packets to the pod vanish: some probes succeed late, others not at all."""
    pod = on.run(node(http("/healthz", WEB, period=5, failures=2)))[0]
    on.load(pod, WEB, rate=2)
    on.probe_by_blackbox(pod, "http://{}:8080/")
    on.calm()
    share = on.draw.choice(("0.6", "0.7"))
    on.make(filtered(on.pid(pod), "-p", "tcp", "-m", "statistic", "--mode", "random", "--probability", share,
                     "-j", "DROP"))  # fmt: skip
    on.reported()
    on.must_have_event("Readiness probe failed", DEADLINE)
    return on.setting(pod, f"{share} of all TCP packets to the pod are dropped at random.")


@declared("a router says that the host is not to be reached", "network-unreachable", "connection-forbidden")
def reject_host(on: Ground) -> Setting:
    """Connections are answered with an ICMP message: no route to host."""
    pod = on.run(nginx())[0]
    on.probe_by_blackbox(pod, "http://{}:8080/")
    on.calm()
    answer = on.draw.choice(("icmp-host-unreachable", "icmp-admin-prohibited", "icmp-net-unreachable"))
    on.make(filtered(on.pid(pod), "-p", "tcp", "--syn", "-j", "REJECT", "--reject-with", answer))
    on.reported()
    on.must_have_event("Readiness probe failed", "connect:")
    return on.setting(pod, f"New connections are rejected with {answer}.")


@declared("something on the way resets connections that are open", "connection-reset")
def reset_requests(on: Ground) -> Setting:
    """The connection is made; each packet with a request in it is answered with RST."""
    pod = on.run(nginx())[0]
    on.probe_by_blackbox(pod, "http://{}:8080/healthz")
    on.calm()
    on.make(filtered(on.pid(pod), "-p", "tcp", "--tcp-flags", "PSH", "PSH", "-j", "REJECT", "--reject-with",
                     "tcp-reset"))  # fmt: skip
    on.reported()
    on.must_have_event("Readiness probe failed", "reset by peer")
    return on.setting(pod, "Each packet with data in it is answered with RST on the way.")


@declared("the name that the blackbox exporter asks for does not resolve", "dns-failure", sources=(ALERTS,))
def name_fails(on: Ground) -> Setting:
    """The service's name does not resolve any more; the pods are well."""
    pod = on.run(nginx())[0]
    host = on.probe_by_blackbox(pod, "http://{}:8080/")
    on.calm()
    code = on.draw.choice((NAME_ERROR, SERVER_FAILURE))
    on.pool.names.broken[host] = code
    on.reported(FAILED)
    return on.setting(on.workload, f"The name server answers {'NXDOMAIN' if code == NAME_ERROR else 'SERVFAIL'}.")


@declared("the name resolves to the address of a pod that is gone", "dns-failure", "network-path-drop",
          "network-unreachable", "unknown", sources=(ALERTS,))  # fmt: skip
def name_is_old(on: Ground) -> Setting:
    """The name server still gives an address that no pod has any more."""
    pod = on.run(nginx())[0]
    host = on.probe_by_blackbox(pod, "http://{}:8080/")
    on.calm()
    on.pool.names.known[host] = "10.88.77.250"
    on.reported(FAILED)
    return on.setting(on.workload, "The name resolves to 10.88.77.250, which nobody has.")


def _tls(issued: Issued) -> Ware:
    """nginx with TLS; the kubelet asks over TLS too, and looks at no certificate."""
    listen = f" ssl; ssl_certificate /etc/conf/tls.crt; ssl_certificate_key /etc/conf/tls.key; listen {WEB}"
    made = nginx(port=TLS_PORT, listen=listen, readiness=http("/healthz", TLS_PORT, scheme="HTTPS"))
    return made.but(files={"tls.crt": issued.certificate, "tls.key": issued.key})


def _renewed(on: Ground, issued: Issued, note: str) -> Setting:
    """nginx gets another certificate while it runs, which the blackbox exporter refuses."""
    good = on.pool.trusted.issue(_host(on))
    pod = on.run(_tls(good))[0]
    on.probe_by_blackbox(pod, "https://{}:8443/healthz", name=_host(on))
    on.calm()
    on.reload(pod, _tls(issued))
    on.reported(FAILED)
    on.must_hold("probe_success{$ns} == 0")
    return on.setting(pod, note)


def _host(on: Ground) -> str:
    return f"{on.app}.{on.namespace}.example.net"


@declared("the certificate has expired", "certificate-expired", "tls-trust-or-scheme", sources=(ALERTS,))
def certificate_expired(on: Ground) -> Setting:
    """The server shows a certificate that has expired; the kubelet's probe does not look."""
    issued = on.pool.trusted.issue(_host(on), -30 * DAY, -timedelta(minutes=on.draw.randint(2, 4000)))
    return _renewed(on, issued, "An old certificate was loaded, which has expired.")


@declared("the certificate is for another name", "certificate-wrong-name", "tls-trust-or-scheme", sources=(ALERTS,))
def certificate_wrong_name(on: Ground) -> Setting:
    """The server shows a certificate of another host."""
    return _renewed(on, on.pool.trusted.issue("intern.example.net"), "The new certificate is for intern.example.net.")


@declared("the certificate is from an unknown authority", "certificate-unknown-authority", "tls-trust-or-scheme",
          sources=(ALERTS,))  # fmt: skip
def certificate_unknown_authority(on: Ground) -> Setting:
    """The server shows a certificate of an authority that the prober does not know."""
    return _renewed(on, on.pool.stranger.issue(_host(on)), "The new certificate was signed by the staging authority.")


@declared("the certificate is not valid yet", "certificate-not-yet-valid", "tls-trust-or-scheme", sources=(ALERTS,))
def certificate_not_yet_valid(on: Ground) -> Setting:
    """The server shows a certificate that begins tomorrow."""
    issued = on.pool.trusted.issue(_host(on), timedelta(hours=on.draw.randint(2, 30)), 60 * DAY)
    return _renewed(on, issued, "The new certificate begins only in some hours.")


@declared("the handshake never ends since large packets are lost", "tls-handshake-stall", "network-path-drop",
          sources=(ALERTS, EVENTS))  # fmt: skip
def handshake_stalls(on: Ground) -> Setting:
    """Packets of more than 500 bytes from the pod vanish, as behind a wrong MTU: the certificate never arrives."""
    pod = on.run(_tls(on.pool.trusted.issue(_host(on))))[0]
    on.probe_by_blackbox(pod, "https://{}:8443/healthz", name=_host(on))
    on.calm()
    on.make(filtered(on.pid(pod), "-p", "tcp", "--sport", str(TLS_PORT), "-m", "length", "--length", "500:65535",
                     "-j", "DROP", chain="OUTPUT"))  # fmt: skip
    on.reported()
    return on.setting(pod, "Packets of 500 bytes and more from port 8443 are dropped on their way out of the pod.")


@declared("a target speaks plain HTTP where TLS is expected", "tls-trust-or-scheme", "recent-deploy",
          "recent-config-change")  # fmt: skip
def plain_where_tls(on: Ground) -> Setting:
    """A rollout takes TLS away from the port that readiness asks over HTTPS."""
    old: list[Pod] = on.run(_tls(on.pool.trusted.issue(_host(on))))
    on.calm()
    on.roll_out(nginx(port=TLS_PORT, readiness=http("/healthz", TLS_PORT, scheme="HTTPS")))
    on.reported(seconds=1700)
    on.must_have_event("Readiness probe failed", "server gave HTTP response to HTTPS client")
    new = on.newest(old)
    return on.setting(new, "The new configuration listens without TLS; the probe asks with HTTPS.")


EPISODES = declared.episodes()
