"""Container images without a registry: one static Go binary in a docker-archive tar."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

from lab.stage.programs import StageBroken

PROGRAMS = Path(__file__).parents[1] / "programs"
SERVICE = Path(__file__).parents[1] / "service"
NEEDED = {
    "kubelet": (PROGRAMS / "kubernetes", "k8s.io/kubernetes/cmd/kubelet"),
    "kube-apiserver": (PROGRAMS / "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    "kube-controller-manager": (PROGRAMS / "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    "kube-scheduler": (PROGRAMS / "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    "kube-state-metrics": (PROGRAMS / "kube-state-metrics", "k8s.io/kube-state-metrics/v2"),
    "etcd36": (PROGRAMS / "etcd36", "./etcd"),
    "etcdctl36": (PROGRAMS / "etcd36", "./etcdctl"),
    "prometheus3": (PROGRAMS / "prometheus3", "github.com/prometheus/prometheus/cmd/prometheus"),
    "alertmanager28": (PROGRAMS / "alertmanager28", "github.com/prometheus/alertmanager/cmd/alertmanager"),
    "lab-service": (SERVICE, "."),
    "lab-pause": (SERVICE, "./pause"),
}


def cache() -> Path:
    """Where built programs and raw recordings are kept, outside the repository."""
    return Path(os.environ.get("INCIDENT_GRAPH_CACHE") or Path.home() / ".cache/incident-graph")


def program(name: str) -> Path:
    """The built program, from the cache when its sources and go.sum are the same, else built now (minutes)."""
    folder, package = NEEDED[name]
    sources = sorted({*folder.glob("go.*"), *(folder.rglob("*.go") if folder == SERVICE else ())})
    key = hashlib.sha256(b"".join(p.read_bytes() for p in sources)).hexdigest()[:16]
    binary = cache() / "bin" / key / name
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "GOFLAGS": "-p=2 -mod=readonly -buildvcs=false"}
        if folder == SERVICE:  # runs in an image that holds nothing else
            env["CGO_ENABLED"] = "0"
        done = subprocess.run(["nice", "-n", "5", "go", "build", "-o", f"{binary}.new", package], cwd=folder, env=env,
                              capture_output=True, text=True, check=False)  # fmt: skip
        if done.returncode:
            raise StageBroken(f"go build {package}: {done.stderr[-1500:]}")
        Path(f"{binary}.new").rename(binary)
    return binary


def archive(name: str, binary: Path, target: Path) -> Path:
    """A docker-archive of docker.io/local/NAME:1 whose only file is /app."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        _add(tar, "app", binary.read_bytes(), 0o755)
    content = layer.getvalue()
    config = {
        "architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/app"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(content).hexdigest()]},
    }  # fmt: skip
    manifest = [{"Config": "config.json", "RepoTags": [f"docker.io/local/{name}:1"], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as tar:
        _add(tar, "config.json", json.dumps(config).encode())
        _add(tar, "layer.tar", content)
        _add(tar, "manifest.json", json.dumps(manifest).encode())
    return target


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))
