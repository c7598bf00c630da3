"""The words survive being written down and read back, and keep their promises."""

from datetime import UTC, datetime

import msgspec
import pytest

from domain import codec
from domain.alerts import Severity
from domain.connections import Connections, EtcdMemberDecl
from domain.entities import EntityKind, EntityRef
from domain.errors import Malformed
from domain.findings import Finding, Point, Series
from domain.text import Text


def test_a_finding_read_back_equals_the_finding_written() -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    finding = Finding(
        "etcd-rtt-over-limit",
        "etcd-peer-rtt",
        None,
        Text.rendered("undetermined", "无法判定"),
        value=0.11,
        unit="s",
        limit=0.15,
        from_=at,
        to=at,
        series=(Series("a-b", (Point(1, 0.5),)),),
    )
    assert codec.decode(codec.encode(finding), Finding) == finding


def test_a_text_speaks_chinese_for_any_zh_code_and_english_otherwise() -> None:
    text = Text.rendered("slow disk on {name}", "{name} 磁盘缓慢").format(name="etcd1")
    assert text.in_language("zh-hans") == "etcd1 磁盘缓慢"
    assert text.in_language("ZH-CN") == "etcd1 磁盘缓慢"
    assert text.in_language("de") == str(text) == "slow disk on etcd1"


def test_severities_are_ordered_from_harmless_to_worst() -> None:
    assert [s.rank for s in Severity] == [0, 1, 2, 3, 4]


def test_the_same_pod_name_in_two_clusters_is_two_entities() -> None:
    a = EntityRef(EntityKind.POD, "web-0", "prod-a", "shop")
    b = EntityRef(EntityKind.POD, "web-0", "prod-b", "shop")
    assert a.key == "Pod/prod-a/shop/web-0" and a.key != b.key


@pytest.mark.parametrize(
    "declared",
    [
        {"prometheus": [{"name": "main", "url": "http://127.0.0.1", "typo": 1}]},
        {"prometheus": [{"name": "main"}]},
        {"etcd": [{"name": "e", "election_timeout_ms": "slow"}]},
        {"unheard_of": []},
    ],
)
def test_connections_refuse_what_they_do_not_know(declared: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(declared, Connections)


def test_a_member_may_name_one_host_or_several_or_none() -> None:
    def hosts(host: str | list[str]) -> tuple[str, ...]:
        return EtcdMemberDecl(name="m", endpoint="http://127.0.0.1:1", host=host).hosts

    assert (hosts("db-1"), hosts(["db-1", "10.0.0.1"]), hosts("")) == (("db-1",), ("db-1", "10.0.0.1"), ())


def test_a_malformed_error_names_its_field() -> None:
    assert str(Malformed("is not a time", "alerts[0].startsAt")) == "alerts[0].startsAt: is not a time"


@pytest.mark.parametrize(
    "parts",
    [("web-0", "prod-a", "shop"), ("http://a/b", "eu/prod", "team/a"), ("x", "100%", "%2F"), ("x", "%25%2F/%", "%%25")],
)
def test_a_key_names_its_entity_even_with_slashes_in_a_label(parts: tuple[str, str, str]) -> None:
    ref = EntityRef(EntityKind.POD, *parts)
    assert EntityRef.from_key(ref.key) == ref


def test_a_key_without_slashes_in_its_labels_is_the_plain_text() -> None:
    assert EntityRef(EntityKind.POD, "a/b", "50%", "shop").key == "Pod/50%/shop/a/b"
    with pytest.raises(ValueError):
        EntityRef.from_key("Planet/a/b/c")
