"""A real Kubernetes API server and the etcd that it keeps everything in."""

import subprocess

from lab.stage.images import program
from lab.stage.programs import Stage, free_port


def start_store(stage: Stage, port: int) -> None:
    """etcd, ready; its disk is a real one."""
    url = f"http://127.0.0.1:{port}"
    stage.start("kube-etcd", [
        "etcd", "--data-dir", str(stage.folder / "kube-etcd"), "--listen-client-urls", url, "--advertise-client-urls",
        url, "--listen-peer-urls", f"http://127.0.0.1:{free_port()}",
    ])  # fmt: skip
    stage.ready("kube-etcd", f"{url}/health")


def start(stage: Stage, store: int, port: int, accounts: str, authorization: str) -> None:
    """The API server, ready; `accounts` are lines of a token file, the first one's may ask whether it is.

    Started again, it keeps its keys and certificates.
    """
    folder, url = stage.folder, f"https://127.0.0.1:{port}"
    key = folder / "service-accounts.key"
    if not key.exists():
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    stage.start("apiserver", [
        str(program("kube-apiserver")), f"--etcd-servers=http://127.0.0.1:{store}", "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1", f"--secure-port={port}", f"--cert-dir={folder / 'certs'}",
        f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://lab.invalid", f"--token-auth-file={stage.write('tokens.csv', accounts)}",
        f"--authorization-mode={authorization}", "--disable-admission-plugins=ServiceAccount",
        "--service-cluster-ip-range=10.97.0.0/24", "--endpoint-reconciler-type=none",
    ])  # fmt: skip
    head = {"Authorization": f"Bearer {accounts.partition(',')[0]}"}
    stage.ready("apiserver", f"{url}/readyz", verify=False, headers=head)
