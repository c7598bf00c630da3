"""A declared file against what is there: what works, what does not, and what is missing, each with its remedy."""

import pytest

from connections.discovery.compare import Compared, Held, Rule, compared
from connections.discovery.seen import Sample, Seen
from connections.discovery.wants import checks_of_etcd, checks_of_pods, rule_query, rule_windows, wanted_query, wants
from domain.connections import (
    BlackboxDecl,
    Connections,
    EtcdDecl,
    EtcdMemberDecl,
    KubernetesDecl,
    PrometheusDecl,
    SourceDecl,
)

MAIN = PrometheusDecl(name="main", url="http://127.0.0.1:9090")


def member(number: int, **more: str) -> EtcdMemberDecl:
    return EtcdMemberDecl(
        name=f"etcd{number}", endpoint="http://x:2379", **{"instance": f"i{number}", "zone": "a", **more}
    )


def etcd(*members: EtcdMemberDecl, **more: object) -> EtcdDecl:
    return EtcdDecl(name="e", selector={"job": "etcd"}, member=list(members or (member(1), member(2))), **more)  # type: ignore[arg-type]


def there(*numbers: int, job: str = "etcd", **labels: str) -> tuple[Sample, ...]:
    return tuple(Sample({"job": job, "instance": f"i{n}", **labels}) for n in numbers)


def found(declared: Connections, seen: Seen | None = None, **held: object) -> list[Compared]:
    by_name = {s.name: Held(seen if seen is not None else Seen(up=there(1)), **held) for s in declared.prometheus}  # type: ignore[arg-type]
    return [*compared(declared, by_name), *wants(declared, by_name)]


def etcd_found(declared: EtcdDecl, seen: Seen) -> list[tuple[str, str]]:
    rows = found(Connections(prometheus=[MAIN], etcd=[declared]), seen)
    return [(one.level, one.what) for one in rows if one.what.startswith("etcd")]


def test_what_fits_is_ok_and_needs_no_remedy() -> None:
    rows = found(Connections(prometheus=[MAIN], etcd=[etcd()]), Seen(up=there(1, 2), etcd=there(1, 2)))
    assert [(one.level, one.remedy) for one in rows] == [("ok", "")] * 4


def test_a_selector_that_matches_nothing_is_wrong_and_the_remedy_names_the_jobs() -> None:
    rows = found(Connections(prometheus=[MAIN], etcd=[etcd()]), Seen(up=there(1), etcd=there(1, job="kube-etcd")))
    (wrong,) = [one for one in rows if one.level == "wrong"]
    assert 'etcd_server_has_leader{job="etcd"} matches nothing' in wrong.what and wrong.remedy.endswith("kube-etcd")


def test_a_member_without_series_and_an_instance_without_a_member_are_wrong() -> None:
    assert etcd_found(etcd(), Seen(etcd=there(1, 3)))[1:] == [
        ("ok", "etcd e, member etcd1: instance i1 has series"),
        ("wrong", "etcd e, member etcd2: no series has instance i2"),
        ("wrong", "etcd e: instance i3 is a member that nobody declared"),
    ]


def test_a_member_that_is_down_now_is_not_declared_wrongly() -> None:
    scrapes = (Sample({"job": "etcd", "instance": "i2"}, 0.0),)
    assert ("missing", "etcd e, member etcd2: instance i2 does not answer scrapes now") in etcd_found(
        etcd(), Seen(etcd=there(1), etcd_scrapes=scrapes)
    )


def test_a_member_without_an_instance_or_a_zone_is_named() -> None:
    rows = etcd_found(etcd(member(1, instance=""), member(2, zone="")), Seen(etcd=there(1, 2)))
    assert ("wrong", "etcd e, member etcd1: has no `instance`, so no series is its own") in rows
    assert ("missing", "etcd e, member etcd2: has no zone") in rows
    assert not any("zone" in what for _, what in etcd_found(etcd(member(1, zone="")), Seen(etcd=there(1))))


@pytest.mark.parametrize(
    ("declared", "label", "level"), [("a", "a", None), ("a", "b", "wrong"), ("", "b", "wrong"), ("a", "", None)]
)
def test_the_declared_cluster_is_the_label(declared: str, label: str, level: str | None) -> None:
    rows = etcd_found(etcd(cluster=declared), Seen(etcd=there(1, 2, cluster=label)))
    assert [lvl for lvl, what in rows if "its series say" in what] == ([level] if level else [])


def test_a_selector_over_several_clusters_is_wrong() -> None:
    rows = etcd_found(etcd(cluster="a"), Seen(etcd=(*there(1, cluster="a"), *there(2, cluster="b"))))
    assert ("wrong", "etcd e: its selector matches members of several clusters: a, b") in rows


def test_clusters_of_the_server_and_of_kubernetes_are_labels_of_its_series() -> None:
    main = PrometheusDecl(name="main", url="http://x", clusters=["a", "z"])
    declared = Connections(prometheus=[main], kubernetes=[KubernetesDecl(name="k")])
    rows = found(declared, Seen(up=(*there(1, cluster="a"), *there(2, cluster="b"))))
    assert [(one.level, one.what) for one in rows if "cluster" in one.what or "series of" in one.what] == [
        ("wrong", "prometheus main: no series has the cluster label z"),
        ("missing", "prometheus main: series of b are there and not in `clusters`"),
        ("wrong", "kubernetes k: no series has this cluster label"),
    ]


def test_a_server_that_does_not_answer_is_wrong_and_nothing_else_is_called_so() -> None:
    declared = Connections(prometheus=[MAIN], etcd=[etcd()], blackbox=[BlackboxDecl(name="b", prometheus="main")])
    held = {"main": Held(None, "it cannot be reached")}
    (only,) = [*compared(declared, held), *wants(declared, held)]
    assert (only.level, only.what) == ("wrong", "prometheus main: it cannot be reached")


@pytest.mark.parametrize(("count", "level"), [(3.0, "ok"), (0.0, "wrong"), (None, "missing")])
def test_an_exporters_selector(count: float | None, level: str) -> None:
    declared = Connections(
        prometheus=[MAIN], blackbox=[BlackboxDecl(name="b", prometheus="main", selector={"job": "x"})]
    )
    rows = found(declared, Seen(probes=(Sample({"job": "probes"}),)), probes={"b": count})
    (row,) = [one for one in rows if one.what.startswith("blackbox")]
    assert (
        row.level == level and ('probe_success{job="x"}' in row.what) and (level != "wrong" or "probes" in row.remedy)
    )


def test_a_source_at_another_alertmanager_is_missing_its_alerts() -> None:
    sources = [SourceDecl(kind="alertmanager", name=n, api_url=f"http://{n}:9093/") for n in ("a", "b")]
    rows = found(Connections(prometheus=[MAIN], source=sources), Seen(alertmanagers=("http://a:9093/api/v2/alerts",)))
    assert [one.level for one in rows if one.what.startswith("source")] == ["missing"]


def test_what_could_not_be_asked_is_said_so() -> None:
    rows = found(Connections(prometheus=[MAIN]), Seen(unanswered=["targets, as 404"]))
    assert ("missing", "prometheus main: targets, as 404") in [(one.level, one.what) for one in rows]


# --- what checks and rules want ---------------------------------------------------------------------------------------


def exported(check_slug: str, *names: str, job: str = "etcd") -> dict[str, tuple[Sample, ...]]:
    return {check_slug: tuple(Sample({"__name__": name, "job": job}) for name in names)}


def test_checks_of_etcd_and_of_pods_are_told_apart_by_what_they_apply_to() -> None:
    of_etcd = {check.slug for check in checks_of_etcd(etcd())}
    of_pods = {check.slug for check in checks_of_pods()}
    assert of_etcd == {"etcd-disk", "etcd-leader", "etcd-load", "etcd-peer-rtt", "etcd-peers", "etcd-space"}
    assert {"pod-state", "go-gc", "api-server", "node-state"} <= of_pods and not of_etcd & of_pods


def test_a_metric_that_nobody_exports_is_named_with_what_is_lost() -> None:
    declared = Connections(prometheus=[MAIN], etcd=[etcd()])
    wanted = exported("etcd-space/e", "etcd_debugging_mvcc_db_total_size_in_bytes", "etcd_server_quota_backend_bytes")
    (row,) = [one for one in found(declared, wanted=wanted) if one.what.startswith("check")]
    assert (
        row.level == "missing"
        and "exports no etcd_mvcc_db_total_size_in_use_in_bytes; some of its measures (2)" in row.what
    )
    assert "How full is the database" in row.what and row.remedy == "scrape the members' /metrics if you want it"


def test_a_check_that_finds_nothing_loses_all_its_measures_and_one_that_finds_all_is_ok() -> None:
    declared = Connections(prometheus=[MAIN])
    lost = next(one for one in found(declared, wanted=exported("node-state")) if one.what.startswith("check"))
    assert "exports no kube_node_status_condition; its measures" in lost.what and "kube-state-metrics" in lost.remedy
    fine = found(declared, wanted=exported("node-state", "kube_node_status_condition", job="ksm"))
    assert "check node-state: main exports what it needs" in [one.what for one in fine if one.level == "ok"]
    unasked = found(declared, wanted={"node-state": None})
    assert any(one.level == "missing" and "did not say" in one.what for one in unasked)


LEADERSHIP = ("etcd_server_has_leader", "etcd_server_is_leader", "etcd_server_leader_changes_seen_total",
              "process_start_time_seconds")  # fmt: skip


@pytest.mark.parametrize(("interval_s", "level"), [(15, "ok"), (16, "missing"), (30, "missing")])
def test_an_etcd_switch_needs_scrapes_of_at_most_fifteen_seconds(interval_s: float, level: str) -> None:
    declared = Connections(prometheus=[MAIN], etcd=[etcd()])
    rows = found(
        declared,
        Seen(up=there(1), etcd=there(1, 2), intervals={"etcd": interval_s}),
        wanted=exported("etcd-leader/e", *LEADERSHIP),
    )
    (row,) = [one for one in rows if "scrape" in one.what]
    assert row.level == level and (level == "ok" or row.remedy == "scrape it every 15 s or more often")


@pytest.mark.parametrize(("interval_s", "level"), [(15, None), (20, "missing"), (30, "missing"), (31, "wrong")])
def test_a_rule_needs_four_samples_in_its_window_and_with_one_it_never_fires(
    interval_s: float, level: str | None
) -> None:
    rows = found(
        Connections(prometheus=[MAIN]), Seen(up=there(1), intervals={"etcd": interval_s}),
        rules=(Rule("Switched", "x_total", 60.0),), rule_series=(Sample({"__name__": "x_total", "job": "etcd"}),),
    )  # fmt: skip
    assert [one.level for one in rows if one.what.startswith("rule")] == ([level] if level else [])


def test_the_windows_of_a_rule_are_read_from_its_expression() -> None:
    text = 'sum(rate(a_total{x="[9m]"}[1m30s])) / sum(rate(b_total[5m])) > 0 and max_over_time(c[2m:30s]) and d > 1'
    assert rule_windows("R", text) == [Rule("R", "a_total", 90), Rule("R", "b_total", 300), Rule("R", "c", 120)]
    assert rule_query(tuple(rule_windows("R", text))) == 'count by (__name__, job) ({__name__=~"a_total|b_total|c"})'
    assert rule_query(()) == ""


def test_names_of_every_program_count_for_pods_only_where_they_are_a_pods() -> None:
    go_gc = next(check for check in checks_of_pods() if check.slug == "go-gc")
    query = wanted_query(go_gc)
    assert '__name__!~"(go|' in query and 'pod!=""' in query
    leader = next(check for check in checks_of_etcd(etcd()) if check.slug == "etcd-leader")
    assert wanted_query(leader, etcd()).endswith('|process_start_time_seconds",job="etcd"})')
