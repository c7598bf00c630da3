"""Declared connections: what the service may ask, and the topology that follows from it.

Decoding is strict: unknown keys and wrong types raise. A secret is named by its file or environment variable, and is
read by the code that opens the connection.
"""

from typing import Any

import msgspec


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Base: frozen, no unknown keys."""


class SourceDecl(_Strict, frozen=True, kw_only=True):
    """An alert source; `api_url` lets truncated groups be refilled.

    With `write_back` verdicts are written to the source: mode dry-run or send, in `language`. `raise_severity` maps a
    cause's slug or layer to the severity that its problems are raised to. `catch_up` chooses which missed events are
    fetched from a Zabbix whose API is declared: those that it tried to send by `media_type` (sent), all, or none (off).
    `cluster_label` names the labels (Zabbix: tags) that hold the cluster, first one first; without it the usual names
    are tried. `labels` are added to every alert that does not have them. `severities` adds words to the table of
    severities. Alerts named in `always_firing` are signs of life and open no incident. Messages that come by SNS are
    taken from `sns_topic` alone, an ARN.
    """

    kind: str
    name: str
    token_file: str = ""
    token_env: str = ""
    api_url: str = ""
    api_token_file: str = ""
    api_token_env: str = ""
    api_user: str = ""
    ca_file: str = ""
    timeout_s: float = 10.0
    write_back: bool = False
    mode: str = "dry-run"
    language: str = "en"
    raise_severity: dict[str, str] = {}
    media_type: str = "Incident graph"
    catch_up: str = "sent"
    cluster_label: str | list[str] = ""
    labels: dict[str, str] = {}
    severities: dict[str, str] = {}
    always_firing: list[str] = []
    sns_topic: str = ""


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
    """An etcd cluster: where its series and its members are.

    `executor` is http, etcdctl or ansible; the last two also ask by a program, and run nothing that writes.
    """

    name: str
    cluster: str = ""
    prometheus: str = ""
    selector: dict[str, str] = {}
    election_timeout_ms: int = 1000
    user: str = ""
    password_file: str = ""
    password_env: str = ""
    executor: str = "http"
    etcdctl_path: str = ""
    playbook: str = ""
    inventory_file: str = ""
    member: list[EtcdMemberDecl] = []


class BlackboxDecl(Access, frozen=True, kw_only=True):
    """A blackbox exporter; `url` is only needed for live confirmation probes."""

    name: str
    prometheus: str
    url: str = ""
    selector: dict[str, str] = {}


class ProbeTargetDecl(Access, frozen=True, kw_only=True):
    """An address that the service may probe itself (http, https, tcp, tls or grpc), and the entity that it belongs to.

    `used_by` names workloads that depend on it. `ca_file` makes a grpc probe speak TLS.
    """

    name: str
    url: str
    namespace: str = ""
    pod: str = ""
    workload: str = ""
    service: str = ""
    cluster: str = ""
    used_by: list[str] = []
    timeout_s: float = 3.0


class KubernetesDecl(Access, frozen=True, kw_only=True):
    """A Kubernetes cluster; `name` is its `cluster` label. Asked through its API by one of three ways.

    A kubeconfig, the service account of the own pod (`in_cluster`), or `url` with `bearer_file` and `ca_file`.
    `api` is set in a bundle with recorded answers of the API, since a bundle holds no file names. With `watch` the
    cluster's pods and events are watched and become a source of alerts.
    """

    name: str
    kubeconfig_file: str = ""
    in_cluster: bool = False
    url: str = ""
    api: bool = False
    watch: bool = True
    prometheus: str = ""

    @property
    def watched(self) -> bool:
        """Whether it is to be watched, which needs a declared API."""
        return self.watch and bool(self.kubeconfig_file or self.in_cluster or self.url)

    @property
    def has_api(self) -> bool:
        """Whether the API can be asked, live or in a recording."""
        return bool(self.kubeconfig_file or self.in_cluster or self.url or self.api)


class TargetDecl(Access, frozen=True, kw_only=True):
    """What all notification targets share: access, OAuth 2.0 client credentials, language and lowest severity.

    Incidents below `min_severity` are not sent. `language` is en or zh.
    """

    kind: str
    name: str
    oauth_token_url: str = ""
    oauth_client_id: str = ""
    oauth_client_secret_file: str = ""
    oauth_client_secret_env: str = ""
    oauth_scope: str = ""
    language: str = "en"
    min_severity: str = "info"


class TicketDecl(TargetDecl, frozen=True, kw_only=True):
    """A ticket system. Mode is dry-run, update-only or create-and-update.

    `fields` names the field for `cause` and for `probability`; `set` holds fixed fields of a new ticket.
    `transitions` names the transition for acknowledged, mitigated, resolved and reopened; none is made without a name.
    `account` is our own user there, whose events are ignored. `poll_s` 0 turns polling off.
    """

    url: str
    deployment: str = "auto"
    project: str = ""
    issue_type: str = "Task"
    mode: str = "dry-run"
    labels: list[str] = []
    fields: dict[str, str] = {}
    set: dict[str, Any] = {}
    transitions: dict[str, str] = {}
    reopen_hours: float = 72.0
    account: str = ""
    webhook_secret_file: str = ""
    webhook_secret_env: str = ""
    webhook_path_file: str = ""
    webhook_path_env: str = ""
    poll_s: int = 300


class ChatDecl(TargetDecl, frozen=True, kw_only=True):
    """A chat, a mailbox or a webhook. Mode is dry-run or send; an address that is a secret is given by `url_file`.

    More than `storm_incidents` new incidents within `storm_minutes` come as one message.
    """

    mode: str = "send"
    url: str = ""
    url_file: str = ""
    url_env: str = ""
    secret_file: str = ""
    secret_env: str = ""
    channel: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_tls: str = "starttls"
    sender: str = ""
    recipients: list[str] = []
    storm_incidents: int = 10
    storm_minutes: float = 5.0


class Connections(_Strict, frozen=True, kw_only=True):
    """The whole connections file, one list per kind."""

    source: list[SourceDecl] = []
    prometheus: list[PrometheusDecl] = []
    etcd: list[EtcdDecl] = []
    blackbox: list[BlackboxDecl] = []
    kubernetes: list[KubernetesDecl] = []
    target: list[ProbeTargetDecl] = []
    ticket: list[TicketDecl] = []
    chat: list[ChatDecl] = []

    def source_of(self, kind: str, name: str) -> SourceDecl:
        """The declaration of one alert source; one with nothing set when it is not declared."""
        own = (s for s in self.source if (s.kind, s.name) == (kind, name))
        return next(own, SourceDecl(kind=kind, name=name))
