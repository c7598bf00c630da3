"""Upstream servers with ordinary configuration files, as a chart or a tutorial has them."""

from pathlib import Path
from typing import Any

from lab.field import packages
from lab.field.packages import POSTGRES_BIN, Image
from lab.field.ware import FILES, Probe, Ware, command, container, http, tcp

APPS = Path(__file__).parent / "apps"
WEB, ADMIN = 8080, 8081
REDIS_PORT, POSTGRES_PORT = 6379, 5432

_NGINX = """worker_processes 1;
error_log /dev/stderr warn;
pid /tmp/nginx.pid;
events {{ worker_connections {connections}; }}
http {{
  access_log /dev/stdout;
  client_body_temp_path /tmp/body; proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
{http}
  server {{
    listen {port}{listen};
    location = /stub_status {{ stub_status; }}
{server}
  }}
}}
"""
_READY = '    location = /healthz { return 200 "ok\\n"; }\n    location / { return 200 "page\\n"; }'
_FRONT = """global
  maxconn {maxconn}
  stats socket /tmp/haproxy.sock mode 600
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server {server_timeout}
frontend main
  bind :8080
{frontend}
  default_backend app
frontend stats
  bind :8404
  http-request use-service prometheus-exporter if {{ path /metrics }}
backend app
{backend}
"""


def nginx_conf(server: str, *, http_part: str = "", connections: int = 256, port: int = WEB, listen: str = "") -> str:
    """The text of nginx.conf with one server."""
    return _NGINX.format(server=server, http=http_part, connections=connections, port=port, listen=listen)


def nginx(server: str = _READY, readiness: Probe | None = None, *, exporter: bool = False, **more: Any) -> Ware:
    """nginx in the foreground; with `exporter` its Prometheus exporter runs beside it, and `beside_more`."""
    conf = {k: more.pop(k) for k in ("http_part", "connections", "port", "listen") if k in more}
    port = conf.get("port", WEB)
    beside = (container("exporter", packages.NGINX_EXPORTER, (
        "prometheus-nginx-exporter", f"-nginx.scrape-uri=http://127.0.0.1:{port}/stub_status",
    ), 9113, metrics=True),) if exporter else ()  # fmt: skip
    beside += more.pop("beside_more", ())
    files = {"nginx.conf": nginx_conf(server, **conf)}
    return Ware(
        packages.NGINX, ("nginx", "-c", f"{FILES}/nginx.conf", "-g", "daemon off;"), "nginx", port, files,
        readiness=readiness or http("/healthz", port), beside=beside, **more,
    )  # fmt: skip


def nginx_that_may_end() -> Ware:
    """nginx below a shell that goes on when nginx has ended, so that the pod stays and nothing listens in it.

    Nobody probes it.
    """
    made = nginx()
    return made.but(argv=("sh", "-c", f"nginx -c {FILES}/nginx.conf -g 'daemon off;'; sleep 100000"), readiness=None)


def proxy_to(address: str, port: int = WEB, path: str = "/", timeout_s: int = 5) -> str:
    """A location of nginx that passes on."""
    return (f"    location {path} {{ proxy_pass http://{address}:{port}; proxy_connect_timeout 3s;"
            f" proxy_read_timeout {timeout_s}s; }}")  # fmt: skip


def haproxy(address: str, readiness: Probe, *, maxconn: int = 200, frontend: str = "", server_timeout: str = "10s",
            **more: Any) -> Ware:  # fmt: skip
    """HAProxy before one server, with its own exporter."""
    text = _FRONT.format(maxconn=maxconn, frontend=frontend, backend=f"  server app1 {address}:8080 check inter 2s",
                         server_timeout=server_timeout)  # fmt: skip
    return Ware(packages.HAPROXY, ("haproxy", "-W", "-db", "-f", f"{FILES}/haproxy.cfg"), "haproxy", WEB,
                {"haproxy.cfg": text}, readiness=readiness, **more)  # fmt: skip


def redis(readiness: Probe | None = None, settings: str = "", *, exporter: bool = True, **more: Any) -> Ware:
    """Redis, by default probed by redis-cli as in Bitnami's chart."""
    beside = (container("metrics", packages.REDIS_EXPORTER, (
        "prometheus-redis-exporter", "-redis.addr=redis://127.0.0.1:6379", "-web.listen-address=:9121",
    ), 9121, metrics=True),) if exporter else ()  # fmt: skip
    conf = f"bind 0.0.0.0\nprotected-mode no\nport 6379\ndir /data\nappendonly no\n{settings}\n"
    volumes = more.pop("volumes", ({"name": "data", "emptyDir": {}},))
    return Ware(
        packages.REDIS, ("redis-server", f"{FILES}/redis.conf"), "redis", REDIS_PORT, {"redis.conf": conf},
        readiness=readiness or command("sh", "-c", "redis-cli -h 127.0.0.1 ping | grep -q PONG", timeout=2),
        beside=beside, volumes=volumes, mounts=({"name": "data", "mountPath": "/data"},), **more,
    )  # fmt: skip


_INITDB = ("export PATH=$PATH:/usr/lib/postgresql/15/bin; {before}"
           "[ -f /data/pg/PG_VERSION ] || initdb -D /data/pg -A trust -U postgres -E UTF8 --locale=C.UTF-8 -N;"
           " exec postgres -D /data/pg -c listen_addresses=* -c unix_socket_directories=/tmp"
           " -c shared_buffers=16MB -c max_connections={most} {more}")  # fmt: skip


def postgres(readiness: Probe | None = None, most: int = 20, settings: str = "", *, before: str = "",
             exporter: bool = True, **more: Any) -> Ware:  # fmt: skip
    """PostgreSQL that makes its cluster at the first start; by default probed by pg_isready."""
    beside = (container("metrics", packages.POSTGRES_EXPORTER, (
        "prometheus-postgres-exporter", "--web.listen-address=:9187",
    ), 9187, {"DATA_SOURCE_NAME": "postgresql://postgres@127.0.0.1:5432/postgres?sslmode=disable"}, metrics=True),
    ) if exporter else ()  # fmt: skip
    ready = readiness or command(f"{POSTGRES_BIN}/pg_isready", "-h", "127.0.0.1", "-U", "postgres", timeout=3)
    volumes = more.pop("volumes", ({"name": "data", "emptyDir": {}},))
    return Ware(
        packages.POSTGRES, ("sh", "-c", _INITDB.format(most=most, more=settings, before=before)), "postgresql",
        POSTGRES_PORT, readiness=ready, beside=beside, volumes=volumes,
        mounts=({"name": "data", "mountPath": "/data"},), user=999, cpu=more.pop("cpu", "1"),
        **more,
    )  # fmt: skip


def memcached(readiness: Probe | None = None, **more: Any) -> Ware:
    """Memcached with a TCP probe."""
    return Ware(packages.MEMCACHED, ("memcached", "-u", "nobody", *more.pop("options", ())), "memcached", 11211,
                readiness=readiness or tcp(11211), **more)  # fmt: skip


def gunicorn(readiness: Probe | None = None, workers: int = 2, *, options: tuple[str, ...] = (), **more: Any) -> Ware:
    """A Flask application under gunicorn's synchronous workers."""
    return Ware(
        packages.PYTHON, ("python3", "-m", "gunicorn", "--bind", "0.0.0.0:8080", "--workers", str(workers),
                          "--chdir", FILES, *options, "webapp:app"), "web", WEB,
        {"webapp.py": (APPS / "webapp.py").read_text()}, readiness=readiness or http("/healthz", WEB),
        env={"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": "/tmp"}, **more,
    )  # fmt: skip


def node(readiness: Probe | None = None, **more: Any) -> Ware:
    """A Node program with one thread."""
    return Ware(
        packages.NODE, ("node", *more.pop("options", ()), f"{FILES}/server.js"), "web", WEB,
        {"server.js": (APPS / "server.js").read_text()}, readiness=readiness or http("/healthz", WEB), **more,
    )  # fmt: skip


def java(readiness: Probe | None = None, threads: int = 4, heap: int = 48, **more: Any) -> Ware:
    """A Java program with a fixed pool of threads."""
    return Ware(
        packages.JVM, (f"{packages.JAVA}/bin/java", f"-Xmx{heap}m", "-XX:+UseSerialGC", *more.pop("options", ()),
                       f"-Dthreads={threads}", f"{FILES}/Main.java"), "web", WEB,
        {"Main.java": (APPS / "Main.java").read_text()}, readiness=readiness or http("/healthz", WEB),
        cpu=more.pop("cpu", "1"), memory=more.pop("memory", "320Mi"), startup=more.pop("startup", http(
            "/healthz", WEB, period=5, timeout=5, failures=40)), **more,
    )  # fmt: skip


def php(children: int = 2, readiness: Probe | None = None, **more: Any) -> Ware:
    """nginx before php-fpm in one pod."""
    pool = ("[global]\nerror_log=/dev/stderr\ndaemonize=no\n[www]\nlisten=127.0.0.1:9000\npm=static\n"
            f"pm.max_children={children}\nping.path=/ping\nuser=nobody\ngroup=nogroup\n")  # fmt: skip
    server = ("    location / { fastcgi_pass 127.0.0.1:9000; fastcgi_read_timeout 60s;"
              f" fastcgi_param SCRIPT_FILENAME {FILES}/index.php; fastcgi_param SCRIPT_NAME /index.php;"
              " fastcgi_param REQUEST_METHOD $request_method; fastcgi_param QUERY_STRING $query_string; }")  # fmt: skip
    files = {"fpm.conf": pool, "index.php": (APPS / "index.php").read_text()}
    beside = (container("php", packages.PHP, ("php-fpm8.2", "-F", "-R", "-y", f"{FILES}/fpm.conf"), 9000,
                        cpu="300m", memory="128Mi", mounts=[{"name": "config", "mountPath": FILES}]),)  # fmt: skip
    made = nginx(server, readiness or http("/index.php", WEB, timeout=2))
    return made.but(files=files, beside=beside, **more)


def busybox(script: str, name: str = "app", **more: Any) -> Ware:
    """A shell script in a container."""
    return Ware(packages.BUSYBOX, ("sh", "-c", script), name, **more)


def sidecar(script: str, name: str = "agent", image: Image = packages.BUSYBOX, **more: Any) -> dict[str, Any]:
    """A container beside the main one that runs a shell script."""
    return container(name, image, ("sh", "-c", script), **more)
