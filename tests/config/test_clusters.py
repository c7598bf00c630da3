"""What doctor says of a Kubernetes account that lacks something, and of a cluster that nobody follows."""

import pytest
from django.utils import timezone

from config.diagnosis import _connections
from domain.connections import Connections, KubernetesDecl
from incidents import watch_leases
from tests.fakes.kube_api import KubeApi

pytestmark = pytest.mark.django_db


def diagnosed(api: KubeApi, watch: bool = True) -> dict[str, tuple[str, str, str]]:
    declared = Connections(kubernetes=[KubernetesDecl(name="prod-a", url=api.url, watch=watch)])
    return {
        d.name.removeprefix("kubernetes prod-a").strip(): (d.state, d.message, d.remedy) for d in _connections(declared)
    }


def test_an_account_with_the_role_is_well() -> None:
    with KubeApi() as api:
        assert diagnosed(api)["role"][0] == "well"
        assert api.watches("pods") == api.watches("events") == 1


@pytest.mark.parametrize(
    ("lacks", "state"),
    [
        (("list", "pods"), "bad"),
        (("watch", "pods"), "bad"),
        (("watch", "events"), "bad"),
        (("list", "nodes"), "warning"),
        (("watch", "nodes"), "warning"),
        (("list", "deployments"), "warning"),
    ],
)
def test_what_is_missing_is_named_with_the_manifest(lacks: tuple[str, str], state: str) -> None:
    with KubeApi() as api:
        api.forbidden = {lacks}
        found, message, remedy = diagnosed(api)["role"]
    assert found == state and f"{lacks[0]} on {lacks[1]}" in message
    assert "docs/kubernetes/read-only-role.yaml" in remedy


def test_a_cluster_that_is_not_watched_needs_no_watch() -> None:
    with KubeApi() as api:
        api.forbidden = {("watch", "pods"), ("watch", "events")}
        assert diagnosed(api, watch=False)["role"][0] == "well" and "watcher" not in diagnosed(api, watch=False)


def test_a_clusters_watcher_is_reported_with_its_error() -> None:
    with KubeApi() as api:
        assert diagnosed(api)["watcher"][:2] == ("warning", "no watcher follows it")
        now = timezone.now()
        watch_leases.take("prod-a", "one", now)
        watch_leases.renew("prod-a", "one", now, now, "")
        assert diagnosed(api)["watcher"][0] == "well"
        watch_leases.renew("prod-a", "one", now, None, "the API does not allow it")
        assert diagnosed(api)["watcher"][:2] == ("warning", "the API does not allow it")
