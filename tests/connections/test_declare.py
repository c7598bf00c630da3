"""What declaring brings into the record, what it tells of it, and what a dry run leaves alone."""

from pathlib import Path

import pytest

from connections.declare import Declared, declare
from domain.connections import Connections, EtcdDecl, EtcdMemberDecl, KubernetesDecl, PrometheusDecl, SourceDecl
from domain.errors import Refused
from incidents import sources
from incidents.models import Connection, Entity, EntityRelation, Source

pytestmark = pytest.mark.django_db

MAIN = PrometheusDecl(name="main", url="http://127.0.0.1:9090")
MEMBER = EtcdMemberDecl(name="etcd1", endpoint="http://127.0.0.1:2379", zone="z1", host="db-1")
ETCD = EtcdDecl(name="etcd-prod", cluster="prod-a", member=[MEMBER])
TOKEN = "sixteen letters."


def source(kind: str = "alertmanager", token_file: object = "") -> SourceDecl:
    return SourceDecl(kind=kind, name="prod", token_file=str(token_file))


def fits(token: str, kind: str = "alertmanager") -> bool:
    row = sources.source(kind, "prod")
    return row is not None and sources.token_fits(row, token)


def test_what_is_new_what_changed_and_what_stayed_is_named_with_its_kind() -> None:
    first = declare(Connections(prometheus=[MAIN], etcd=[ETCD], source=[source(), source("zabbix")]))
    assert first.added == ("source alertmanager/prod", "source zabbix/prod", "prometheus main", "etcd etcd-prod")
    assert (first.changed, first.left) == ((), ())
    moved = PrometheusDecl(name="main", url="http://127.0.0.1:9091")
    other = PrometheusDecl(name="other", url="http://127.0.0.1:9092")
    again = declare(Connections(prometheus=[moved, other], etcd=[ETCD]))
    kept = ("source alertmanager/prod", "source zabbix/prod")
    assert again == Declared(("prometheus other",), ("prometheus main",), ("etcd etcd-prod",), kept=kept)
    assert Connection.objects.get(kind="prometheus", name="main").config["url"] == "http://127.0.0.1:9091"
    assert Connection.objects.filter(kind="source").count() == 2


def test_a_new_source_shows_its_token_once_and_no_other_time() -> None:
    made = declare(Connections(source=[source(), source("zabbix")])).tokens
    assert [name for name, _ in made] == ["alertmanager/prod", "zabbix/prod"]
    assert fits(made[0][1]) and fits(made[1][1], "zabbix") and not fits(made[1][1])
    assert declare(Connections(source=[source()])).tokens == ()
    assert fits(made[0][1]) and not fits("")


def test_a_declared_token_opens_the_door_and_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"  {TOKEN}\n")
    assert declare(Connections(source=[source(token_file=file)])).tokens == ()
    assert fits(TOKEN) and not fits(f"  {TOKEN}\n")
    file.write_text("another token that is long")
    assert declare(Connections(source=[source(token_file=file)])).tokens == ()
    assert fits("another token that is long") and fits(TOKEN)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe", "cannot be read"),
        (TOKEN[1:].encode(), "fewer than 16"),
        (f" {TOKEN[1:]} ".encode(), "fewer than 16"),
    ],
)
def test_a_token_that_cannot_be_used_is_refused_and_nothing_is_declared(
    content: bytes | None, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Refused, match=why) as caught:
        declare(Connections(prometheus=[MAIN], source=[source(token_file=file)]))
    assert str(file) in str(caught.value)
    assert not Connection.objects.filter(kind="prometheus").exists() and not Source.objects.exists()


@pytest.mark.parametrize(
    ("watch", "in_cluster", "watched"), [(True, True, True), (False, True, False), (True, False, False)]
)
def test_a_watched_cluster_has_a_source_of_its_own(watch: bool, in_cluster: bool, watched: bool) -> None:
    declare(Connections(kubernetes=[KubernetesDecl(name="prod-a", watch=watch, in_cluster=in_cluster)]))
    assert [s.name for s in Source.objects.all()] == (["prod-a"] if watched else [])


def test_declared_etcds_are_known_with_what_they_stand_on() -> None:
    declare(Connections(etcd=[ETCD]))
    assert sorted(Entity.objects.values_list("kind", flat=True)) == ["EtcdCluster", "EtcdMember", "Host", "Zone"]
    assert EntityRelation.objects.count() == 3


def test_a_dry_run_tells_the_same_and_changes_nothing() -> None:
    clusters = [KubernetesDecl(name="prod-a", in_cluster=True)]
    whole = Connections(prometheus=[MAIN], etcd=[ETCD], source=[source()], kubernetes=clusters)
    told = declare(whole, dry_run=True)
    assert (told.added, told.tokens) == (
        ("source alertmanager/prod", "prometheus main", "etcd etcd-prod", "kubernetes prod-a"), (),
    )  # fmt: skip
    assert not Connection.objects.filter(kind__in=("prometheus", "etcd", "source", "kubernetes")).exists()
    assert not Source.objects.exists() and not Entity.objects.exists()
    assert declare(whole).added == told.added


def test_what_is_no_longer_in_the_file_is_named_and_removed_only_when_asked() -> None:
    other = PrometheusDecl(name="other", url="http://127.0.0.1:9092")
    declare(Connections(prometheus=[MAIN, other], etcd=[ETCD]))
    assert declare(Connections(prometheus=[MAIN])).kept == ("etcd etcd-prod", "prometheus other")
    assert declare(Connections(prometheus=[MAIN]), dry_run=True, prune=True).removed == (
        "etcd etcd-prod",
        "prometheus other",
    )
    assert Connection.objects.filter(kind="etcd").exists(), "a dry run changes nothing"
    pruned = declare(Connections(prometheus=[MAIN]), prune=True)
    assert pruned.removed == ("etcd etcd-prod", "prometheus other") and not pruned.kept
    assert set(Connection.objects.filter(kind__in=("etcd", "prometheus")).values_list("name", flat=True)) == {"main"}


def test_a_pruned_source_keeps_its_door() -> None:
    declare(Connections(source=[source()]))
    assert declare(Connections(), prune=True).removed == ("source alertmanager/prod",)
    assert sources.source("alertmanager", "prod") is not None
