"""Declared connections: what the service may ask, and the topology that follows from it.

Decoding is strict: unknown keys and wrong types raise. Secrets are only ever named by file or
environment variable; reading them is the business of whoever opens the connection.
"""

import msgspec


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base: frozen, no unknown keys."""


class SourceDecl(_Strict, frozen=True, kw_only=True):
    """An alert source; `api_url` lets truncated groups be refilled."""

    kind: str
    name: str
    token_file: str = ""
    token_env: str = ""
    api_url: str = ""
    api_token_file: str = ""


class Access(_Strict, frozen=True, kw_only=True):
    """How an HTTP connection authenticates and which CA it trusts. TLS is always verified."""

    bearer_file: str = ""
    bearer_env: str = ""
    basic_user: str = ""
    basic_password_file: str = ""
    basic_password_env: str = ""
    ca_file: str = ""
    client_cert_file: str = ""
    client_key_file: str = ""
    headers: dict[str, str] = {}
    timeout_s: float = 10.0


class PrometheusDecl(Access, frozen=True, kw_only=True):
    """A Prometheus-compatible server; `url` includes a base path."""

    name: str
    url: str
    clusters: list[str] = []


class EtcdMemberDecl(_Strict, frozen=True, kw_only=True):
    """One member: static client endpoint, its `instance` label, its zone, and its host's names."""

    name: str
    endpoint: str
    instance: str = ""
    zone: str = ""
    host: str | list[str] = ""
    member_id: str = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host's names, none to many."""
        names = [self.host] if isinstance(self.host, str) else self.host
        return tuple(n for n in names if n)


class EtcdDecl(Access, frozen=True, kw_only=True):
    """An etcd cluster: where its series and its members are."""

    name: str
    cluster: str = ""
    prometheus: str = ""
    selector: dict[str, str] = {}
    election_timeout_ms: int = 1000
    user: str = ""
    password_file: str = ""
    password_env: str = ""
    member: list[EtcdMemberDecl] = []


class BlackboxDecl(Access, frozen=True, kw_only=True):
    """A blackbox exporter; `url` is only needed for live confirmation probes."""

    name: str
    prometheus: str
    url: str = ""
    selector: dict[str, str] = {}


class KubernetesDecl(_Strict, frozen=True, kw_only=True):
    """A Kubernetes cluster, asked through its API when a kubeconfig or in_cluster is given."""

    name: str
    kubeconfig_file: str = ""
    in_cluster: bool = False
    prometheus: str = ""


class TicketDecl(Access, frozen=True, kw_only=True):
    """A ticket system."""

    kind: str
    name: str
    url: str
    project: str = ""
    mode: str = "dry-run"


class ChatDecl(_Strict, frozen=True, kw_only=True):
    """A chat target; the URL is a secret and stands in a file."""

    kind: str
    name: str
    url_file: str = ""


class Connections(_Strict, frozen=True, kw_only=True):
    """The whole connections file, one list per kind."""

    source: list[SourceDecl] = []
    prometheus: list[PrometheusDecl] = []
    etcd: list[EtcdDecl] = []
    blackbox: list[BlackboxDecl] = []
    kubernetes: list[KubernetesDecl] = []
    ticket: list[TicketDecl] = []
    chat: list[ChatDecl] = []
