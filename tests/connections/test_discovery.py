"""What a server shows becomes declarations with their proofs; what is not known is not written."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.discovery.asking import external_labels
from connections.discovery.draft import Draft, toml
from connections.discovery.propose import draft
from connections.discovery.seen import KubernetesSeen, Node, Sample, Seen, Target, host_of, seconds_of
from connections.file import decode
from domain.connections import Connections, PrometheusDecl
from ingest.sources import all_sources

CAPTURED = Path(__file__).parents[1] / "payloads/prometheus/targets-etcd.json"
ACCESS = PrometheusDecl(name="main", url="http://127.0.0.1:9090")
HAS_LEADER = "etcd_server_has_leader"


def captured() -> tuple[Target, ...]:
    rows = json.loads(CAPTURED.read_text())["body"]["data"]["activeTargets"]
    return tuple(
        Target(row["labels"], row["discoveredLabels"], row["scrapeUrl"], seconds_of(row["scrapeInterval"]))
        for row in rows
    )


def seen_on_the_rig(**more: Any) -> Seen:
    """The recorded server: three members with member, zone and cluster labels, and two targets without a cluster."""
    targets = captured()
    members = [t for t in targets if t.labels["job"] == "etcd"]
    ids = [Sample({**t.labels, "server_id": f"a{t.labels['member'][-1]}"}) for t in members]
    up = [Sample({k: t.labels[k] for k in ("job", "cluster") if k in t.labels}) for t in targets]
    return Seen(**{
        "up": tuple(up), "etcd": tuple(Sample({**t.labels, "__name__": HAS_LEADER}) for t in members), "targets": targets,
        "etcd_ids": tuple(ids), **more,
    })  # fmt: skip


def member(instance: str = "10.0.1.11:2379", **labels: str) -> Sample:
    return Sample({"__name__": HAS_LEADER, "job": "etcd", "instance": instance, **labels})


def target(sample: Sample, url: str = "http://10.0.1.11:2379/metrics", **discovered: str) -> Target:
    return Target({k: v for k, v in sample.labels.items() if k != "__name__"}, discovered, url)


def written(
    seen: Seen, kubernetes: KubernetesSeen | None = None, access: PrometheusDecl = ACCESS
) -> tuple[Connections, str]:
    """The file as `apply` reads it, and its text."""
    text = draft(seen, access, kubernetes).text("Written in a test.")
    return decode(text, Path("/"), all_sources()), text


def test_the_recorded_server_becomes_a_file_with_members_zones_and_proofs() -> None:
    declared, text = written(seen_on_the_rig())
    (etcd,) = declared.etcd
    assert (etcd.name, etcd.cluster, etcd.prometheus, etcd.selector) == ("etcd-rig", "rig", "main", {"job": "etcd"})
    assert [(m.name, m.endpoint, m.instance, m.zone, m.member_id) for m in etcd.member] == [
        (f"etcd{n}", f"http://127.0.0.1:1902{n}", f"127.0.0.1:1902{n}", f"az-{z}", f"a{n}")
        for n, z in enumerate("abc", 1)
    ]
    assert all(m.host == "" for m in etcd.member)
    assert f'# rests on: {HAS_LEADER}{{instance="127.0.0.1:19021",job="etcd",member="etcd1"}}' in text
    assert "rests on: scrapeUrl http://127.0.0.1:19021/metrics of /api/v1/targets" in text
    assert "election_timeout_ms is not known from metrics" in text


def test_every_line_of_the_file_rests_on_something_or_says_that_it_does_not_matter() -> None:
    _, text = written(
        seen_on_the_rig(alertmanagers=("http://127.0.0.1:9093/api/v2/alerts",), probes=(Sample({"job": "blackbox"}),))
    )
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    assert len(lines) > 20 and [line for line in lines if " # " not in line] == []


def test_clusters_are_left_out_while_series_without_a_cluster_are_there_too() -> None:
    declared, text = written(seen_on_the_rig())
    assert declared.prometheus[0].clusters == [] and "alertmanager, prometheus" in text


def test_the_external_labels_give_the_cluster_where_the_series_have_none() -> None:
    declared, text = written(Seen(up=(Sample({"job": "etcd"}),), etcd=(member(),), external={"cluster": "prod-a"}))
    assert declared.prometheus[0].clusters == ["prod-a"] and declared.etcd[0].cluster == "prod-a"
    assert declared.etcd[0].selector == {"job": "etcd"}
    assert "rests on: global.external_labels of /api/v1/status/config" in text


def test_without_any_cluster_label_none_is_invented() -> None:
    declared, text = written(Seen(up=(Sample({"job": "etcd"}),), etcd=(member(),)))
    assert declared.prometheus[0].clusters == [] and declared.etcd[0].cluster == "" and declared.etcd[0].name == "etcd"
    assert "no cluster label" in text


def test_clusters_that_share_a_job_are_told_apart_by_their_label() -> None:
    samples = (member(k8s_cluster="a"), member("10.0.2.11:2379", k8s_cluster="b"), member("10.0.3.11:2379"))
    declared, _ = written(Seen(up=samples, etcd=samples))
    assert [(e.name, e.selector) for e in declared.etcd] == [
        ("etcd", {"job": "etcd", "k8s_cluster": ""}), ("etcd-a", {"job": "etcd", "k8s_cluster": "a"}),
        ("etcd-b", {"job": "etcd", "k8s_cluster": "b"}),
    ]  # fmt: skip


def test_a_source_names_the_cluster_label_when_it_has_another_name() -> None:
    listed = ("http://127.0.0.1:9093/api/v2/alerts",)
    one = written(Seen(up=(Sample({"job": "a", "k8s_cluster": "x"}),), alertmanagers=listed))[0].source
    assert [(s.name, s.api_url, s.cluster_label) for s in one] == [
        ("alertmanager", "http://127.0.0.1:9093", "k8s_cluster")
    ]
    assert written(Seen(up=(Sample({"cluster": "x"}),), alertmanagers=listed))[0].source[0].cluster_label == ""


def test_each_alertmanager_is_one_source_with_its_own_name() -> None:
    listed = ("http://am-0:9093/base/api/v2/alerts", "http://am-0:9094/api/v2/alerts", "http://am-1:9093/api/v1/alerts")
    declared, text = written(Seen(alertmanagers=listed))
    assert [(s.name, s.api_url) for s in declared.source] == [
        ("alertmanager-am-0", "http://am-0:9093/base"), ("alertmanager-am-0-2", "http://am-0:9094"),
        ("alertmanager-am-1", "http://am-1:9093"),
    ]  # fmt: skip
    assert "keep one of them" in text


def test_an_alertmanager_that_is_only_scraped_is_found_by_its_own_series() -> None:
    own = Sample({"__name__": "alertmanager_build_info", "job": "am", "instance": "am:9093"})
    declared, _ = written(
        Seen(alertmanager_series=(own,), targets=(Target(own.labels, {}, "https://am:9093/am/metrics"),))
    )
    assert declared.source[0].api_url == "https://am:9093/am"


def test_a_metrics_port_is_taken_with_a_remark_and_the_annotated_client_url_is_named() -> None:
    sample = member("10.0.1.11:2381", pod="etcd-db-1")
    note = {"__meta_kubernetes_pod_annotation_kubeadm_kubernetes_io_etcd_advertise_client_urls": "https://10.0.1.11:2379",
            "__meta_kubernetes_pod_node_name": "db-1"}  # fmt: skip
    zones = (Sample({"node": "db-1", "label_topology_kubernetes_io_zone": "zone-a"}),)
    seen = Seen(etcd=(sample,), targets=(target(sample, "http://10.0.1.11:2381/metrics", **note),), node_zones=zones)
    declared, text = written(seen)
    (own,) = declared.etcd[0].member
    assert (own.name, own.endpoint, own.host, own.zone) == ("etcd-db-1", "http://10.0.1.11:2381", "db-1", "zone-a")
    assert "whether port 2381 takes clients" in text and "https://10.0.1.11:2379; declare that one with ca_file" in text


def test_the_client_port_needs_no_remark() -> None:
    sample = member()
    assert "takes clients" not in written(Seen(etcd=(sample,), targets=(target(sample),)))[1]


def test_without_a_list_of_targets_the_instance_is_taken_and_doubted() -> None:
    declared, text = written(Seen(etcd=(member(),)))
    assert declared.etcd[0].member[0].endpoint == "http://10.0.1.11:2379" and "http or https" in text


def test_a_member_whose_address_nobody_knows_is_a_comment() -> None:
    declared, text = written(Seen(etcd=(member("db-1"), member("10.0.1.12:2379"))))
    assert [m.instance for m in declared.etcd[0].member] == ["10.0.1.12:2379"]
    assert "# [[etcd.member]]" in text and '# instance = "db-1"' in text and "its address is not known" in text


HOSTS = [
    (Seen(nodes=(Sample({"node": "db-1", "internal_ip": "10.0.1.11"}),)), "db-1"),
    (Seen(machines=(Sample({"instance": "10.0.1.11:9100", "nodename": "db-1"}),)), "db-1"),
    (Seen(), ""),
]


@pytest.mark.parametrize(("seen", "host"), HOSTS, ids=["a node's address", "a host of node_exporter", "nobody"])
def test_the_host_is_who_has_the_address(seen: Seen, host: str) -> None:
    seen.etcd = (member(),)
    assert written(seen)[0].etcd[0].member[0].host == host


def test_a_pods_node_is_its_host_and_a_service_name_is_no_host() -> None:
    sample = member("etcd-0.etcd.db.svc:2379", pod="etcd-0", namespace="db")
    assert written(Seen(etcd=(sample,)))[0].etcd[0].member[0].host == ""
    pods = (Sample({"namespace": "db", "pod": "etcd-0", "node": "db-1"}),)
    assert written(Seen(etcd=(sample,), pods=pods))[0].etcd[0].member[0].host == "db-1"
    assert written(Seen(etcd=(member("db-1.example:2379"),)))[0].etcd[0].member[0].host == "db-1.example"


def test_members_of_one_host_keep_apart() -> None:
    declared, _ = written(
        Seen(etcd=(member("127.0.0.1:2379"), member("127.0.0.1:2479"), member("127.0.0.1:2379", pod="x")))
    )
    assert [m.name for m in declared.etcd[0].member] == ["127.0.0.1:2379", "127.0.0.1:2479"]


def test_members_that_a_second_job_scrapes_are_left_out_with_the_reason() -> None:
    twice = Sample({**member().labels, "job": "kube-etcd"})
    ids = tuple(Sample({**s.labels, "server_id": "ab"}) for s in (member(), twice))
    declared, text = written(Seen(etcd=(member(), twice), etcd_ids=ids))
    assert [e.name for e in declared.etcd] == ["etcd"] and "the same members as etcd, by etcd_server_id" in text


def test_the_same_ids_in_two_clusters_are_two_sets_of_members() -> None:
    samples = (member(cluster="a"), member(cluster="b"))
    ids = tuple(Sample({**s.labels, "server_id": "ab"}) for s in samples)
    assert [e.cluster for e in written(Seen(etcd=samples, etcd_ids=ids))[0].etcd] == ["a", "b"]


def test_two_leaders_of_one_group_are_named_as_two_clusters() -> None:
    both = (member(), member("10.0.2.11:2379"))
    _, text = written(Seen(etcd=both, etcd_leaders=both))
    assert "10.0.1.11:2379, 10.0.2.11:2379 all lead" in text
    one = (both[0], Sample(both[1].labels, 0.0))
    assert "all lead" not in written(Seen(etcd=both, etcd_leaders=one))[1]


def test_an_instance_that_is_scraped_in_vain_is_named() -> None:
    scrapes = (member(), Sample(member("10.0.9.9:2379").labels, 0.0))
    assert "silent now (up = 0): 10.0.9.9:2379" in written(Seen(etcd=(member(),), etcd_scrapes=scrapes))[1]


def test_a_blackbox_job_has_its_exporter_from_the_scrape_url() -> None:
    labels = {"job": "probes", "instance": "http://shop"}
    scraped = (
        Target(labels, {}, "http://127.0.0.1:9115/probe"),
        Target({**labels, "job": "x"}, {}, "http://other/probe"),
    )
    declared, _ = written(Seen(probes=(Sample({"job": "probes"}, 7),), targets=scraped))
    assert [(b.name, b.selector, b.url) for b in declared.blackbox] == [
        ("probes", {"job": "probes"}, "http://127.0.0.1:9115")
    ]
    assert written(Seen(probes=(Sample({"job": "probes"}, 7),)))[0].blackbox[0].url == ""


def test_a_kubeconfig_goes_to_the_cluster_whose_nodes_it_lists(tmp_path: Path) -> None:
    file = tmp_path / "kube.config"
    file.write_text("x")
    cluster = KubernetesSeen(str(file), "lab", (Node("n1", "zone-a", ("10.0.1.11",)),))
    nodes = (Sample({"node": "n1", "cluster": "b"}), Sample({"node": "n9", "cluster": "a"}))
    declared, _ = written(Seen(nodes=nodes, etcd=(member(cluster="b"),)), cluster)
    assert [(k.name, k.kubeconfig_file) for k in declared.kubernetes] == [("a", ""), ("b", str(file))]
    (own,) = declared.etcd[0].member
    assert (own.host, own.zone) == ("n1", "zone-a")
    unknown, text = written(Seen(), cluster)
    assert [k.name for k in unknown.kubernetes] == ["lab"] and "correct it" in text
    twice, _ = written(Seen(nodes=(Sample({"node": "n8", "cluster": "lab"}),)), cluster)
    assert [k.name for k in twice.kubernetes] == ["lab", "lab-2"]


def test_what_was_not_found_is_named_at_the_end() -> None:
    _, text = written(Seen(unanswered=["not known: targets, as 404"]))
    for absent in (
        "no etcd",
        "no blackbox exporter",
        "no kube-state-metrics",
        "no kubelet",
        "no Alertmanager",
        "targets, as 404",
    ):
        assert f"# {absent}" in text or f"# not known: {absent}" in text


def test_access_of_the_command_line_is_written_down(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    access = PrometheusDecl(
        name="main", url="https://p/base", bearer_file=str(tmp_path / "token"), headers={"X-Scope-OrgID": "t"}
    )
    declared, _ = written(Seen(), access=access)
    assert declared.prometheus[0] == access


HOSTILE = st.text(max_size=30)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_label_breaks_the_file(instance: str, job: str, cluster: str, name: str) -> None:
    sample = Sample({"instance": instance, "job": job, "cluster": cluster, "member": name, "zone": name, "node": name})
    seen = Seen(
        up=(sample,), etcd=(sample,), probes=(sample,), nodes=(sample,), kubelets=(sample,), targets=(target(sample),)
    )
    declared, _ = written(seen)
    assert len(declared.etcd) == bool(instance) and len(declared.prometheus) == 1


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_a_text_survives_toml(text: str) -> None:
    (declared,) = decode(
        f"[[prometheus]]\nname = {toml(text)}\nurl = 'http://x'\n", Path("/"), all_sources()
    ).prometheus
    assert declared.name == text


def test_an_empty_draft_is_a_comment() -> None:
    assert Draft([], []).text("Nothing\nhere.") == "# Nothing?here.\n"


@pytest.mark.parametrize(
    ("instance", "host"),
    [
        ("10.0.1.11:2379", "10.0.1.11"),
        ("[::1]:2379", "::1"),
        ("::1", "::1"),
        ("db-1", "db-1"),
        ("db:x", "db:x"),
        ("", ""),
    ],
)
def test_the_host_of_an_instance(instance: str, host: str) -> None:
    assert host_of(instance) == host


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15), ("1m30s", 90), ("500ms", 0.5), ("", 0), ("soon", 0), ("5 s", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


CONFIG = "global:\n  scrape_interval: 15s\n  external_labels:\n    cluster: prod-a\n    zone: 3\nscrape_configs:\n- job_name: x\n"


@pytest.mark.parametrize(
    ("text", "labels"),
    [(CONFIG, {"cluster": "prod-a", "zone": "3"}), ("", {}), ("global: 5\n", {}), ("global:\n  external_labels: [1]\n", {}),
     ("global:\n  external_labels: {a: [\n", {}), ("scrape_configs:\n- global:\n", {})],
)  # fmt: skip
def test_external_labels_of_a_configuration(text: str, labels: dict[str, str]) -> None:
    assert external_labels(text) == labels
