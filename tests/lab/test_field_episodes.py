"""The declarations of the field: each has a truth that exists or is expected, and is set up as the field is."""

import json
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from causes.catalogue import all_causes
from evidence.bundles import Bundle
from lab import planning
from lab.episode import Episode, Setting, Truth, drawing
from lab.episodes import all_episodes
from lab.field import again, packages, targets, watchers
from lab.field.certificates import Authority
from lab.field.declare import EXPECTED
from lab.field.ground import ALERTS, BOTH, EVENTS, Ground
from lab.field.load import held
from lab.field.software import haproxy, java, memcached, nginx, nginx_conf, postgres, redis
from lab.field.ware import Ware, http
from lab.playing import _concerns
from lab.recording import BUNDLES, place_of
from lab.stage.sink import Taken

FIELD = sorted(name for name, episode in all_episodes().items() if episode.in_field)
RECORDED = sorted((BUNDLES / "field").rglob("*.zip"))
# What a truth may say beside a cause: nothing need be named, or nothing is broken.
OTHER = {"unknown", "no-fault"}
RULES = [yaml.safe_load(path.read_text()) for path in sorted(watchers.RULES.glob("*.yaml"))]


def ground(name: str, seed: int) -> Ground:
    """The names that a declaration draws."""
    return Ground(None, drawing(name, seed))  # type: ignore[arg-type]


def test_there_are_sixty_declarations_each_with_a_title_and_a_sentence_of_its_own() -> None:
    assert len(FIELD) >= 60
    episodes = [all_episodes()[name] for name in FIELD]
    assert len({e.title for e in episodes}) == len({e.play.__doc__ for e in episodes}) == len(episodes)
    assert all(name.startswith("field-") for name in FIELD) and all(e.play.__doc__ for e in episodes)


@pytest.mark.parametrize("name", FIELD)
def test_a_truth_is_in_the_catalogue_or_expected_there(name: str) -> None:
    episode = all_episodes()[name]
    assert episode.accept and set(episode.accept) <= {*all_causes(), *EXPECTED, *OTHER}
    assert episode.cause == ("" if episode.accept[0] == "unknown" else episode.accept[0])
    assert len(set(episode.accept)) == len(episode.accept) and episode.family


def test_no_cause_is_both_expected_and_misspelt() -> None:
    used = {slug for name in FIELD for slug in all_episodes()[name].accept}
    assert used - {*all_causes(), *OTHER} <= EXPECTED


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_two_declarations_want_the_same_namespace(seed: int) -> None:
    names = [ground(name, seed).namespace for name in FIELD]
    assert len(set(names)) == len(names)


def test_a_seed_draws_the_same_again_and_all_intervals_and_sources_are_drawn() -> None:
    drawn = [(g.namespace, g.app, g.every_s, g.source) for g in (ground(n, s) for n in FIELD for s in (1, 2, 3))]
    assert drawn == [
        (g.namespace, g.app, g.every_s, g.source) for g in (ground(n, s) for n in FIELD for s in (1, 2, 3))
    ]
    assert {d[2] for d in drawn} == {15, 30, 60} and {d[3] for d in drawn} == {EVENTS, ALERTS, BOTH}


def test_a_round_is_of_the_field_or_of_the_lab() -> None:
    for names in planning.rounds(sorted(all_episodes()), 1, again=True):
        assert len({all_episodes()[name].in_field for name in names}) == 1


def test_the_parts_of_the_field() -> None:
    assert place_of("field-x", 2) == BUNDLES / "field" / "development" / "field-x-s2.zip"
    assert place_of("field-x", 3).parent == BUNDLES / "field" / "kept"


def test_rules_keep_their_published_waits_and_carry_no_label_of_the_product() -> None:
    rules = {rule["alert"]: rule for file in RULES for group in file["groups"] for rule in group["rules"]}
    waits = {name: rules[name].get("for") for name in rules}
    assert waits["KubePodNotReady"] == waits["KubePodCrashLooping"] == waits["KubeDeploymentReplicasMismatch"] == "15m"
    assert waits["KubeContainerWaiting"] == "1h" and waits["TargetDown"] == "10m" and waits["EndpointDown"] == "5m"
    assert {key for rule in rules.values() for key in rule["labels"]} == {"severity"}
    assert set(rules) == watchers.rule_names()


def test_every_alert_that_a_declaration_waits_for_is_in_the_rules() -> None:
    known = watchers.rule_names()
    sources = "".join(p.read_text() for p in Path("lab/episodes").glob("field_*.py"))
    for word in ("KubePodCrashLooping", "KubernetesPodCrashLooping", "KubePodNotReady", "PrometheusTargetMissing",
                 "BlackboxProbeFailed", "KubeDeploymentReplicasMismatch", "TargetDown"):  # fmt: skip
        assert word in known and word in sources


def test_targets_have_the_labels_of_probe_objects_and_service_monitors() -> None:
    exporter = {"name": "metrics", "ports": [{"name": "metrics", "containerPort": 9121}]}
    pod = {
        "metadata": {"name": "cart-0", "namespace": "shop-1", "labels": {"app": "cart"}},
        "spec": {"containers": [{"name": "redis", "ports": [{"name": "main", "containerPort": 6379}]}, exporter]},
        "status": {"podIP": "10.0.0.1", "phase": "Running"},
    }
    found = targets.Discovery(lambda: [pod])
    found.start()
    assert httpx.get(found.monitors).json() == [{"targets": ["10.0.0.1:9121"], "labels": {
        "namespace": "shop-1", "pod": "cart-0", "container": "metrics", "service": "cart", "endpoint": "metrics"}}]  # fmt: skip
    found.targets.append(targets.ProbeTarget("shop-1", "http://cart/"))
    labels = {"namespace": "shop-1", "__meta_module": "http_2xx"}
    assert httpx.get(found.probes).json() == [{"targets": ["http://cart/"], "labels": labels}]


@pytest.mark.parametrize(
    "ware", [nginx(exporter=True), haproxy("10.0.0.1", http("/", 8080)), redis(), postgres(), memcached(), java()],
    ids=lambda w: w.name,
)  # fmt: skip
def test_software_is_specified_with_limits_probes_and_files(ware: Ware) -> None:
    spec = ware.spec("cart")
    first = spec["containers"][0]
    assert first["image"].startswith("docker.io/library/") or first["image"].startswith("docker.io/shop/")
    assert first["readinessProbe"] and all(c["resources"]["limits"] for c in spec["containers"])
    mounted = {m["name"] for c in spec["containers"] for m in c.get("volumeMounts", [])}
    assert mounted <= {v["name"] for v in spec.get("volumes", [])}
    assert json.dumps(spec) and ware.checksum == ware.but().checksum != ware.but(cpu="123m").checksum


def test_a_configuration_is_whole() -> None:
    assert nginx_conf("    # here", http_part="  # there").count("{") == nginx_conf("", connections=9).count("{")


def test_images_are_named_like_upstreams_and_hold_installed_files() -> None:
    names = [image.reference for image in packages.IMAGES]
    assert len(set(names)) == len(names) and not any("local" in name for name in names)
    assert packages.Image("127.0.0.1:5999/a:1", ()).name == "127.0.0.1:5999/a:1"
    assert packages.BUSYBOX.name == "docker.io/library/busybox:1.35"


def test_certificates_of_an_authority_name_their_host() -> None:
    issued = Authority("ours").issue("cart.example.net")
    assert "BEGIN CERTIFICATE" in issued.certificate and "PRIVATE KEY" in issued.key
    assert Authority("ours").pem != Authority("ours").pem


def test_deliveries_belong_by_source_time_and_cluster() -> None:
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    setting = Setting(None, Truth("", ""), namespace="shop-1", reporters=frozenset({("alertmanager", "prod-15")}),  # type: ignore[arg-type]
                      since=at, strange='"cluster":"prod-west"')  # fmt: skip
    body = b'{"namespace":"shop-1","cluster":"prod"}'
    mine = Taken("alertmanager", "prod-15", at, {}, body)
    others = [
        replace(mine, name="prod-30"), replace(mine, received_at=at - timedelta(seconds=1)),
        replace(mine, body=body.replace(b'"prod"', b'"prod-west"')), replace(mine, body=body.replace(b"-1", b"-12")),
    ]  # fmt: skip
    assert _concerns(mine, setting) and not any(_concerns(other, setting) for other in others)


def test_a_central_server_gives_the_other_clusters_namespace_the_shared_name() -> None:
    job = watchers.of_two_clusters([{"job_name": "a", "relabel_configs": [{"target_label": "x"}]}])[0]
    assert job["relabel_configs"][0] == {"target_label": "x"}
    assert [s["target_label"] for s in job["metric_relabel_configs"]] == ["cluster", "namespace"]
    one = ground("field-nginx-wrong-port", 1)
    assert replace(one, namespace=one.namespace + watchers.TWIN).app == one.app


def test_a_repeated_fault_ends_with_its_context() -> None:
    made: list[int] = []
    with again.repeated(lambda: made.append(1), 0.01):
        time.sleep(0.2)
    time.sleep(0.05)
    count = len(made)
    time.sleep(0.1)
    assert 2 < count == len(made)


def test_connections_are_held_until_the_end() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with held("127.0.0.1", server.getsockname()[1], 3, b"hello"):
        peers = [server.accept()[0] for _ in range(3)]
        assert [peer.recv(5) for peer in peers] == [b"hello"] * 3


@pytest.mark.parametrize("path", RECORDED, ids=lambda p: p.stem)
def test_a_recorded_declaration_names_its_truth_and_no_cluster_label(path: Path) -> None:
    bundle = Bundle.load(path)
    declared: Episode = all_episodes()[bundle.declaration]
    assert path == place_of(bundle.declaration, bundle.seed) and bundle.stage == declared.stage
    assert bundle.truth is not None and bundle.truth.accept == declared.accept
    assert bundle.family == declared.family and bundle.deliveries and bundle.notes
    central = declared.family == "two clusters"
    named = [d for d in bundle.deliveries if d.kind == "alertmanager" and '"cluster":' in d.body]
    assert central or not named
