"""The probed route waits for something else: I/O, a lock, a pool."""

from causes.cause import Cause, Condition, Exclusion, Sentences, Symptom, Term
from domain.entities import EntityKind
from domain.text import Text

CAUSE = Cause(
    slug="handler-blocked-on-dependency",
    layer="application",
    title=Text("The probe's route is blocked"),
    symptoms=frozenset({Symptom.PROBE}),
    prior=-1.6,
    weights_from=(
        "Recorded fault (a request held the shared lock for 40 s, 60 others waited): connected, no byte, goroutines "
        "pile up, TCP passes."
    ),
    needs=frozenset(
        {
            "probe-app-silent",
            "event-grpc-silent",
            "event-headers-timeout",
            "event-deadline",
            "event-exec-timeout",
            "probe-route-slow",
            "live-app-silent",
        }
    ),
    may_follow=frozenset({EntityKind.ETCD_CLUSTER, EntityKind.ETCD_MEMBER, EntityKind.HOST, EntityKind.WORKLOAD}),
    terms=(
        Term("probe-app-silent", supports=3.0, opposes=-1.4),
        Term("go-goroutines-rising", supports=1.2, opposes=-0.4),
        Term("probe-tcp-passes", supports=0.5, opposes=-0.6),
        Term("go-process-answers", supports=0.8),
        Term("request-latency-high", supports=0.5),
        Term("kubelet-readiness-failing", supports=0.3),
        Term("cpu-throttled", supports=0.2, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("event-headers-timeout", supports=1.6),
        Term("event-exec-timeout", supports=0.8),
        Term("event-deadline", supports=1.0),
        Term("event-grpc-silent", supports=2.6),
        Term("probe-route-slow", supports=1.2, opposes=-0.6),
        Term("dependency-failing", supports=1.4),
        Term("dependency-latency-high", supports=1.4),
        Term("go-gc-cpu-high", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("cpu-one-core", supports=0.1, opposes=-2.4, when=Condition.NOT_SEEN),
        Term("go-mutex-wait-high", supports=0.2, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("pool-exhausted", supports=0.2, opposes=-2.2, when=Condition.NOT_SEEN),
        Term("go-goroutines-leaking", supports=0.1, opposes=-1.2, when=Condition.NOT_SEEN, group="goroutines-before"),
        Term("kubelet-probes-fail-together", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("listen-overflows", supports=0.2, opposes=-1.2, when=Condition.NOT_SEEN),
        Term("live-tls-fails", supports=0.1, opposes=-2.0, when=Condition.NOT_SEEN),
        Term("live-app-silent", supports=2.4),
        Term("peers-same-node-fail", supports=0.5, opposes=-1.0, when=Condition.NOT_SEEN),
    ),
    sentences={
        "peers-same-node-fail": Sentences(
            supports=Text("Other pods of the same node are well: what is slow is this one."),
            opposes=Text("Other pods of the same node fail too: what they share is slow or cut."),
        ),
        "probe-app-silent": Sentences(
            supports=Text("Connected, then no byte of an answer until the timeout: the application did not answer."),
            opposes=Text("Not the picture of a route that is blocked."),
        ),
        "go-goroutines-rising": Sentences(
            supports=Text("Requests pile up behind what blocks."),
            opposes=Text("Requests do not pile up."),
        ),
        "probe-tcp-passes": Sentences(
            supports=Text("The path and the listener are fine, so the route is not."),
            opposes=Text("TCP fails as well, which a blocked route does not cause."),
        ),
        "go-process-answers": Sentences(
            supports=Text("Another route of the process answers, so one route is blocked.")
        ),
        "request-latency-high": Sentences(supports=Text("Other routes wait for the same thing.")),
        "kubelet-readiness-failing": Sentences(supports=Text("The kubelet sees it too.")),
        "cpu-throttled": Sentences(
            supports=Text("The CPU quota does not explain it."),
            opposes=Text("CPU throttling explains the lateness of everything in the container."),
        ),
        "event-headers-timeout": Sentences(supports=Text("The kubelet connected and got no headers in time.")),
        "event-exec-timeout": Sentences(supports=Text("The probe's command did not end in time.")),
        "event-deadline": Sentences(
            supports=Text(
                "The kubelet waited for headers in vain, which a dropped packet, a TLS stall and a blocked handler all "
                "look like."
            )
        ),
        "event-grpc-silent": Sentences(
            supports=Text("The health call was accepted and not answered: the application, not the network.")
        ),
        "probe-route-slow": Sentences(
            supports=Text("The probed route itself was slow, by the process's own clock."),
            opposes=Text("The probed route was on time by the process's own clock."),
        ),
        "dependency-failing": Sentences(supports=Text("Something that it depends on was in trouble at that time.")),
        "dependency-latency-high": Sentences(supports=Text("Something that it depends on was slow at that time.")),
        "go-gc-cpu-high": Sentences(
            supports=Text("It is not the garbage collector."),
            opposes=Text("The garbage collector takes the CPU, which is more exact."),
        ),
        "cpu-one-core": Sentences(
            supports=Text("It does not compute."),
            opposes=Text("It takes one whole core: one thread computes, which is more exact than that it waits."),
        ),
        "go-mutex-wait-high": Sentences(
            supports=Text("It is not a lock within the process."),
            opposes=Text("Goroutines wait for a lock within the process, which is more exact."),
        ),
        "pool-exhausted": Sentences(
            supports=Text("The connection pool had room."),
            opposes=Text("The connection pool was exhausted, which is more exact."),
        ),
        "go-goroutines-leaking": Sentences(
            supports=Text("Goroutines did not climb beforehand."),
            opposes=Text("Goroutines had been climbing for long before."),
        ),
        "kubelet-probes-fail-together": Sentences(
            supports=Text("Liveness goes on, so the block does not kill."),
            opposes=Text(
                "Liveness fails with readiness, and kills: that both feel the block is what made it an outage."
            ),
        ),
        "listen-overflows": Sentences(
            supports=Text("The process accepts connections."),
            opposes=Text("The process does not even accept connections."),
        ),
        "live-tls-fails": Sentences(
            supports=Text("A handshake tried just now succeeded.", context="blocked handler"),
            opposes=Text("A handshake tried just now does not end, so no handler was reached."),
        ),
        "live-app-silent": Sentences(supports=Text("A request tried just now was accepted and not answered.")),
    },
    exclusions=(
        Exclusion(
            when={"probe-refused": True, "probe-app-silent": False, "event-deadline": False},
            sentence=Text("The connection was refused: there was no listener to block."),
        ),
        Exclusion(
            when={"probe-dns-absent": True},
            sentence=Text("The name did not resolve, the application was not reached."),
        ),
    ),
    next_steps=(
        Text("kubectl -n <ns> describe pod <pod> | sed -n '/Events/,$p'"),
        Text("curl -s http://<pod-ip>:<port>/debug/pprof/goroutine?debug=2 | head -200"),
        Text("Give the probe a route of its own that touches no database and no lock."),
    ),
    references=(
        "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
        "https://pkg.go.dev/net/http/pprof",
    ),
)
