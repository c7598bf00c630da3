"""Where a Kubernetes API is and how it is entered: a kubeconfig's current context, or the own pod's account."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml
from lightkube.config.client_adapter import verify_cluster
from lightkube.config.kubeconfig import SERVICE_ACCOUNT, KubeConfig, SingleConfig
from lightkube.config.models import User
from lightkube.core.exceptions import ConfigError

from domain.connections import KubernetesDecl
from domain.errors import Refused

# Every API server's certificate holds this name, so nothing has to be read from the environment.
IN_CLUSTER = "https://kubernetes.default.svc"
BROKEN = (ConfigError, KeyError, TypeError, AttributeError, ValueError, OSError, yaml.YAMLError, msgspec.MsgspecError)


@dataclass(frozen=True, slots=True)
class Entrance:
    """An API server; `tls` verifies it and holds the client's certificate, None means the system's authorities."""

    server: str
    tls: ssl.SSLContext | None
    token: str = ""
    basic: tuple[str, str] | None = None


def entrance(declared: KubernetesDecl) -> Entrance:
    """The way in that is declared. Raises Refused with the remedy when it cannot be used."""
    if not (declared.kubeconfig_file or declared.in_cluster):
        raise Refused(f"kubernetes {declared.name} names no API; set kubeconfig_file, in_cluster or url")
    try:
        return _by_file(declared.kubeconfig_file) if declared.kubeconfig_file else _own_account(Path(SERVICE_ACCOUNT))
    except BROKEN as error:
        where = declared.kubeconfig_file or SERVICE_ACCOUNT
        raise Refused(f"{where} cannot be used ({type(error).__name__}); give a kubeconfig with a token or a "
                      "client certificate") from error  # fmt: skip


def cluster_name(file: str) -> str:
    """What the current context of a kubeconfig calls its cluster, empty when it cannot be read."""
    try:
        config = KubeConfig.from_file(file).get()
        return str(config.context.cluster) if config else ""
    except BROKEN:
        return ""


def _own_account(folder: Path) -> Entrance:
    token = (folder / "token").read_text(encoding="utf-8").strip()
    return Entrance(IN_CLUSTER, ssl.create_default_context(cafile=str(folder / "ca.crt")), token)


def _by_file(file: str) -> Entrance:
    config = KubeConfig.from_file(file).get()
    if config is None:
        raise ConfigError("no current context")
    user = config.user or User()
    if config.cluster.insecure:
        raise Refused(f"{file} turns off the verification of TLS; name the cluster's certificate-authority in it")
    if user.exec or user.auth_provider:
        raise Refused(f"{file} logs in by running a program; give a kubeconfig with a service account's token")
    basic = (user.username, user.password) if user.username and user.password else None
    tls = verify_cluster(config.cluster, user, config.abs_file, trust_env=False)
    return Entrance(config.cluster.server, tls, _token(config, user), basic)


def _token(config: SingleConfig, user: User) -> str:
    if user.token_file:
        return Path(config.abs_file(user.token_file)).read_text(encoding="utf-8").strip()
    return user.token or ""
