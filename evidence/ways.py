"""How each kind of declared connection is reached: its address, its TLS, its authentication."""

import os
import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import httpx

from domain.connections import Access, EtcdDecl, KubernetesDecl, ProbeTargetDecl
from domain.errors import Refused
from domain.secrets import ReadSecret, secret_of
from evidence.clients.etcd_token import WithToken
from evidence.clients.kubeconfig import Entrance, entrance
from evidence.clients.probing import Probing
from evidence.clients.scrub import Scrubbed
from evidence.clients.zabbix_token import WithApiToken, ZabbixAccess

CONNECT_S = 3.0


@dataclass(frozen=True, slots=True)
class Way:
    """A transport with what every request through it carries. `prefix` is not part of a question's path."""

    base_url: str
    transport: httpx.BaseTransport
    headers: dict[str, str]
    auth: tuple[str, str] | None = None
    prefix: str = ""


def reading(variable: Callable[[str], str]) -> ReadSecret:
    """Reads secrets from the files that a declaration names, and from variables by `variable`."""
    return lambda declared, name: secret_of(declared, name, _content, variable)


def _content(name: str, file: str) -> str:
    """The content of a secret file. Raises Refused with the remedy."""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{name}_file: {file} cannot be read ({type(error).__name__}); correct the path") from error


# For who has no environment to read: every `*_env` counts as empty.
FILES_ONLY = reading(lambda _: "")


def way_to(base_url: str, access: Access, read: ReadSecret) -> Way:
    """The way to one declared connection. Raises Refused when a file of it cannot be used."""
    if isinstance(access, KubernetesDecl):
        return _kubernetes(access, read)
    if isinstance(access, ProbeTargetDecl):
        return _probed(base_url, access, read)
    way = _http(base_url, access, read)
    if isinstance(access, EtcdDecl) and access.user and (password := read(access, "password")):
        return replace(way, transport=WithToken(way.transport, access.user, password))
    if isinstance(access, ZabbixAccess):
        return replace(way, transport=WithApiToken(way.transport, _api_token(access, read)))
    return way


def _api_token(access: ZabbixAccess, read: ReadSecret) -> str:
    if token := read(access, "api_token"):
        return token
    raise Refused("the source has an api_url and no token; give it api_token_file or api_token_env")


@cache
def public_tls() -> ssl.SSLContext:
    """Verifies by the public authorities. Reading them takes 20 ms or more, so it is done once per process."""
    return httpx.create_ssl_context()


def tls_of(access: Access) -> ssl.SSLContext:
    """What verifies the other side, with the client's own certificate. Raises Refused when a file cannot be used."""
    if not (access.ca_file or access.client_cert_file):
        return public_tls()
    files = (access.ca_file, access.client_cert_file, access.client_key_file)
    try:
        return _private_tls(*((file, os.stat(file).st_mtime_ns if file else 0) for file in files))
    except (OSError, ValueError) as error:
        raise Refused(f"ca_file or client_cert_file cannot be used ({type(error).__name__}); correct them") from error


@lru_cache(maxsize=64)
def _private_tls(authority: tuple[str, int], certificate: tuple[str, int], key: tuple[str, int]) -> ssl.SSLContext:
    """Of files, each with the time of its last change: read once, and anew when one of them is replaced.

    A system's whole bundle of authorities takes 40 ms, and one investigation asks thirty questions.
    """
    made = ssl.create_default_context(cafile=authority[0] or None)
    if certificate[0]:
        made.load_cert_chain(certificate[0], key[0] or None)
    return made


def _http(base_url: str, access: Access, read: ReadSecret) -> Way:
    headers, auth = _credentials(access, read)
    return Way(base_url, httpx.HTTPTransport(verify=tls_of(access), retries=1), headers, auth)


def _credentials(access: Access, read: ReadSecret) -> tuple[dict[str, str], tuple[str, str] | None]:
    """The declared headers, with a token where there is one; and user and password."""
    bearer, password = read(access, "bearer"), read(access, "basic_password")
    token = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return access.headers | token, (access.basic_user, password) if password else None


def _probed(base_url: str, target: ProbeTargetDecl, read: ReadSecret) -> Way:
    """The probe itself carries the headers; what is asked of it is only that it be done."""
    headers, auth = _credentials(target, read)
    basic = {"Authorization": f"Basic {_encoded(*auth)}"} if auth else {}
    return Way(base_url, Probing(target, tls_of(target), headers | basic), {})


def _encoded(user: str, password: str) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


def _kubernetes(declared: KubernetesDecl, read: ReadSecret) -> Way:
    way = kubernetes_way(declared, read)
    return replace(way, transport=Scrubbed(way.transport))


def kubernetes_way(declared: KubernetesDecl, read: ReadSecret) -> Way:
    """The way to a cluster's API with whole answers: for who keeps nothing but a few named fields of them."""
    if declared.url:
        return replace(_http(declared.url, declared, read), prefix=httpx.URL(declared.url).path.rstrip("/"))
    found: Entrance = entrance(declared)
    inner = httpx.HTTPTransport(verify=found.tls or public_tls(), retries=1)
    headers = {"Authorization": f"Bearer {found.token}"} if found.token else {}
    return Way(found.server, inner, headers, found.basic, httpx.URL(found.server).path.rstrip("/"))
