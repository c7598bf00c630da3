"""Images of upstream software from installed Debian packages: the files themselves, their libraries and a shell."""

import hashlib
import io
import json
import re
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.stage.images import cache
from lab.stage.programs import StageBroken

SHELL = ("sh", "cat", "sleep", "ls", "echo", "rm", "mkdir", "chmod", "cp", "test", "true", "false", "kill", "ps", "dd",
         "wget", "nc", "seq", "env", "id", "date", "head", "tail", "grep", "touch", "mv", "df")  # fmt: skip
PACKAGES = "/usr/lib/python3/dist-packages"
JAVA = "/usr/lib/jvm/java-17-openjdk-amd64"
POSTGRES_BIN = "/usr/lib/postgresql/15/bin"
LEFT_OUT = re.compile(
    r"/(llvmjit[^/]*|ct\.sym|bitcode|__pycache__|test|tests|idlelib|ensurepip|pydoc_data|config-3[^/]*|tkinter)(/|$)"
)
USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\napp:x:999:999:app:/tmp:/bin/sh\n"


@dataclass(frozen=True)
class Image:
    """A reference, and the files and folders of this machine that it holds at the same paths."""

    reference: str
    paths: tuple[str, ...]

    @property
    def name(self) -> str:
        """The reference as pods write it."""
        registry = ":" in self.reference.partition("/")[0]
        return self.reference if registry else f"docker.io/{self.reference}"


_PYTHON = ("/usr/bin/python3.11", "/usr/bin/python3", "/usr/lib/python3.11", "/usr/bin/gunicorn", *(
    f"{PACKAGES}/{name}" for name in (
        "flask", "gunicorn", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "pkg_resources", "packaging",
        "blinker", "gunicorn-20.1.0.egg-info", "Flask-2.2.2.egg-info",
    )
))  # fmt: skip
NGINX = Image("library/nginx:1.22.1", ("/usr/sbin/nginx", "/usr/bin/curl"))
HAPROXY = Image("library/haproxy:2.6.12", ("/usr/sbin/haproxy",))
REDIS = Image("library/redis:7.0.15", ("/usr/bin/redis-server", "/usr/bin/redis-check-rdb", "/usr/bin/redis-cli"))
MEMCACHED = Image("library/memcached:1.6.18", ("/usr/bin/memcached",))
POSTGRES = Image("library/postgres:15.18", (
    "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/15/lib", "/usr/share/postgresql/15", "/usr/share/zoneinfo",
    "/usr/lib/locale/C.utf8", "/etc/localtime",
))  # fmt: skip
PYTHON = Image("shop/webapp-python:2.14", _PYTHON)
NODE = Image("shop/webapp-node:20.20", ("/usr/bin/node",))
JVM = Image("shop/webapp-java:17", (f"{JAVA}/lib", f"{JAVA}/bin/java", f"{JAVA}/conf", f"{JAVA}/release",
                                    "/etc/java-17-openjdk"))  # fmt: skip
PHP = Image("library/php:8.2-fpm", ("/usr/sbin/php-fpm8.2", "/usr/lib/php/20220829"))
BUSYBOX = Image("library/busybox:1.35", ())
NGINX_EXPORTER = Image("nginx/nginx-prometheus-exporter:0.11.0", ("/usr/bin/prometheus-nginx-exporter",))
REDIS_EXPORTER = Image("oliver006/redis_exporter:1.45.0", ("/usr/bin/prometheus-redis-exporter",))
POSTGRES_EXPORTER = Image("prometheuscommunity/postgres-exporter:0.11.1", ("/usr/bin/prometheus-postgres-exporter",))
IMAGES = (NGINX, HAPROXY, REDIS, MEMCACHED, POSTGRES, PYTHON, NODE, JVM, PHP, BUSYBOX, NGINX_EXPORTER, REDIS_EXPORTER,
          POSTGRES_EXPORTER)  # fmt: skip


def missing() -> list[str]:
    """Files of the images that are not installed here."""
    return sorted({p for image in IMAGES for p in image.paths if not Path(p).exists()})


def archive(image: Image) -> Path:
    """A docker-archive of the image, from the cache unless one of its programs changed."""
    stamp = "".join(f"{p}{Path(p).stat().st_mtime_ns}" for p in ("/bin/busybox", *image.paths))
    key = hashlib.sha256(f"3{image.reference}{stamp}".encode()).hexdigest()[:16]
    target = cache() / "field-images" / f"{key}.tar"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_suffix(".new")
        _write(image, new)
        new.rename(target)
    return target


def _write(image: Image, target: Path) -> None:
    layer = target.with_suffix(".layer")
    with tarfile.open(layer, "w") as tar:
        _fill(tar, image)
    digest = hashlib.sha256(layer.read_bytes()).hexdigest()
    config = {
        "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }  # fmt: skip
    manifest = [{"Config": "config.json", "RepoTags": [image.name], "Layers": ["layer.tar"]}]
    with tarfile.open(target, "w") as tar:
        _text(tar, "config.json", json.dumps(config))
        tar.add(layer, "layer.tar")
        _text(tar, "manifest.json", json.dumps(manifest))
    layer.unlink()


def _fill(tar: tarfile.TarFile, image: Image) -> None:
    """The files, what they link to, every library, busybox as the shell, and the few folders that programs want."""
    for folder in ("bin", "lib", "lib64", "usr", "usr/lib", "usr/bin", "etc", "tmp", "var", "var/lib", "var/run",
                   "run", "root", "var/log", "var/cache"):  # fmt: skip
        _folder(tar, folder)
    _text(tar, "etc/passwd", USERS)
    _text(tar, "etc/group", "root:x:0:\nnogroup:x:65534:\napp:x:999:\n")
    _text(tar, "etc/nsswitch.conf", "hosts: files dns\n")
    tar.add("/bin/busybox", "bin/busybox")
    for applet in SHELL:
        link = tarfile.TarInfo(f"bin/{applet}")
        link.type, link.linkname, link.mode = tarfile.SYMTYPE, "busybox", 0o777
        tar.addfile(link)
    files = sorted({f for path in image.paths for f in _files(Path(path))})
    for file in (*files, *sorted(_libraries(files) - set(files))):
        tar.add(file.resolve() if file.is_symlink() else file, str(file).lstrip("/"), recursive=False)


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in path.rglob("*"):
        if not LEFT_OUT.search(str(file)) and file.exists() and not file.is_dir():
            yield file


def _libraries(files: Iterable[Path]) -> set[Path]:
    """The shared libraries of all programs and libraries among the files, by the loader itself."""
    found: set[Path] = set()
    for file in files:
        if file.stat().st_mode & 0o111 or ".so" in file.name:
            with file.open("rb") as opened:
                if opened.read(4) != b"\x7fELF":
                    continue
            said = subprocess.run(["ldd", str(file)], capture_output=True, text=True, check=False).stdout
            found |= {Path(p) for p in re.findall(r"(/\S+) \(0x", said)}
    found |= {Path("/lib/x86_64-linux-gnu") / name for name in ("libnss_files.so.2", "libnss_dns.so.2") if found}
    return {p for p in found if p.exists()}


def _folder(tar: tarfile.TarFile, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name in {"tmp", "run", "var/run", "var/lib"} else 0o755
    tar.addfile(entry)


def _text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text.encode()), 0o644
    tar.addfile(entry, io.BytesIO(text.encode()))


def imported(ctr: Iterable[str]) -> None:
    """Import every image into the containerd that `ctr` asks."""
    for image in IMAGES:
        done = subprocess.run([*ctr, "images", "import", str(archive(image))], capture_output=True, text=True,
                              check=False)  # fmt: skip
        if done.returncode:
            raise StageBroken(f"import of {image.reference}: {done.stderr}")
