"""A real Zabbix 6.0: PostgreSQL, server and frontend, with the product's own media type imported."""

import gzip
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from lab.stage.programs import Stage, StageBroken, free_port, log_progress, wait_until

MEDIA_TYPE = Path(__file__).parents[2] / "ingest/sources/assets/zabbix_media_type.yaml"
SQL = Path("/usr/share/zabbix-server-pgsql")
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/usr/bin"))


@dataclass
class Zabbix:
    """The frontend's API, with a session of the built-in administrator."""

    url: str
    session: str = ""

    def call(self, method: str, bare: list[str] | None = None, **params: Any) -> Any:
        """One JSON-RPC call, a few take a bare list; raises StageBroken with the server's text."""
        body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": bare or params, "id": 1}
        if self.session:
            body["auth"] = self.session
        answer = httpx.post(f"{self.url}/api_jsonrpc.php", json=body, timeout=30).json()
        if "error" in answer:
            raise StageBroken(f"Zabbix {method}: {answer['error']}")
        return answer["result"]


@dataclass(frozen=True)
class Host:
    """The member's host as Zabbix knows it, tagged with its cluster; `endpoint` is the member's client URL."""

    endpoint: str
    name: str = "db-1"
    cluster: str = "prod-a"


def watch(stage: Stage, host: Host, door: str, token: str = "lab-token") -> Zabbix:
    """Start Zabbix, which reads the leader changes of one member and sends problems to `door`."""
    zabbix = _frontend(stage, _server(stage, _database(stage)))
    zabbix.session = zabbix.call("user.login", username="Admin", password="zabbix")
    _send_to(zabbix, door, token)
    item = _add(zabbix, host)
    log_progress("Zabbix watches")
    wait_until(
        lambda: len(zabbix.call("history.get", itemids=[item], history=3, limit=3)) >= 2,
        "Zabbix reads the member",
        90,
        step=2,
    )
    return zabbix


def _database(stage: Stage) -> int:
    port, data = free_port(), stage.folder / "pg"
    data.mkdir()
    shutil.chown(data, "postgres", "postgres")
    secret = stage.write("pg-password", "zabbix")
    secret.chmod(0o644)
    made = stage.start("initdb", [f"{POSTGRES}/initdb", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
                                  "--locale=C.UTF-8", "-D", str(data)], user="postgres")  # fmt: skip
    if made.wait(60):
        raise StageBroken(stage.log_of("initdb"))
    stage.start("postgres", [f"{POSTGRES}/postgres", "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-c",
                             "unix_socket_directories=", "-c", "fsync=off"], user="postgres")  # fmt: skip
    env = {"PGPASSWORD": "zabbix", "PGUSER": "postgres", "PGHOST": "127.0.0.1", "PGPORT": str(port)}
    wait_until(lambda: stage.start("ready", ["pg_isready"], env=env).wait(5) == 0, "PostgreSQL", 30)
    _sql(stage, env, "create", "CREATE DATABASE zabbix")
    for part in ("schema", "images", "data"):
        script = stage.folder / f"{part}.sql"
        script.write_bytes(gzip.decompress((SQL / f"{part}.sql.gz").read_bytes()))
        loaded = stage.start(
            f"load-{part}", ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", "zabbix", "-f", str(script)], env=env
        )
        if loaded.wait(180):
            raise StageBroken(stage.log_of(f"load-{part}"))
    return port


def _sql(stage: Stage, env: dict[str, str], name: str, text: str) -> None:
    if stage.start(name, ["psql", "-d", "postgres", "-c", text], env=env).wait(30):
        raise StageBroken(stage.log_of(name))


def _server(stage: Stage, database: int) -> tuple[int, int]:
    port = free_port()
    lines = {
        "DBHost": "127.0.0.1", "DBPort": database, "DBName": "zabbix", "DBUser": "postgres", "DBPassword": "zabbix",
        "ListenIP": "127.0.0.1", "ListenPort": port, "AllowRoot": 1, "CacheUpdateFrequency": 5, "LogType": "console",
        "PidFile": stage.folder / "zabbix.pid", "SocketDir": stage.folder, "StartVMwareCollectors": 0,
        "StartDiscoverers": 0, "StartPollersUnreachable": 1, "StartPollers": 1, "StartTrappers": 1,
        "StartHTTPPollers": 0, "StartPingers": 0,
    }  # fmt: skip
    config = stage.write("zabbix.conf", "\n".join(f"{k}={v}" for k, v in lines.items()) + "\n")
    stage.start("zabbix-server", ["zabbix_server", "-f", "-c", str(config)])
    return database, port


def _frontend(stage: Stage, ports: tuple[int, int]) -> Zabbix:
    database, server = ports
    site = stage.folder / "site"
    shutil.copytree("/usr/share/zabbix", site, symlinks=False, ignore_dangling_symlinks=True)
    config = stage.write(
        "zabbix.conf.php",
        f"""<?php
$DB['TYPE'] = 'POSTGRESQL'; $DB['SERVER'] = '127.0.0.1'; $DB['PORT'] = '{database}'; $DB['DATABASE'] = 'zabbix';
$DB['USER'] = 'postgres'; $DB['PASSWORD'] = 'zabbix'; $DB['SCHEMA'] = ''; $DB['ENCRYPTION'] = false;
$DB['KEY_FILE'] = ''; $DB['CERT_FILE'] = ''; $DB['CA_FILE'] = ''; $DB['VERIFY_HOST'] = false; $DB['CIPHER_LIST'] = '';
$DB['VAULT_URL'] = ''; $DB['VAULT_DB_PATH'] = ''; $DB['VAULT_TOKEN'] = ''; $DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER = '127.0.0.1'; $ZBX_SERVER_PORT = '{server}'; $ZBX_SERVER_NAME = 'lab';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
""",
    )
    reader = site / "include/classes/core/CConfigFile.php"
    reader.write_text(reader.read_text().replace("/etc/zabbix/zabbix.conf.php", str(config)))
    port = free_port()
    stage.start("frontend", ["php", "-d", "memory_limit=256M", "-d", "post_max_size=16M",
                             "-d", "max_execution_time=300", "-d", "date.timezone=UTC",
                             "-S", f"127.0.0.1:{port}", "-t", str(site)],
                env={"PHP_CLI_SERVER_WORKERS": "4"})  # fmt: skip
    zabbix = Zabbix(f"http://127.0.0.1:{port}")

    def up() -> bool:
        try:
            return bool(zabbix.call("apiinfo.version"))
        except (httpx.HTTPError, ValueError, StageBroken):
            return False

    wait_until(up, f"the Zabbix frontend ({stage.log_of('frontend')})", 60)
    return zabbix


def _send_to(zabbix: Zabbix, door: str, token: str) -> None:
    zabbix.call("configuration.import", format="yaml", source=MEDIA_TYPE.read_text(),
                rules={"mediaTypes": {"createMissing": True, "updateExisting": True}})  # fmt: skip
    zabbix.call("usermacro.createglobal", macro="{$INCIDENT_GRAPH.URL}", value=door)
    zabbix.call("usermacro.createglobal", macro="{$INCIDENT_GRAPH.TOKEN}", value=token, type=1)
    media = zabbix.call("mediatype.get", filter={"name": "Incident graph"})[0]["mediatypeid"]
    zabbix.call("mediatype.update", mediatypeid=media, status=0)
    zabbix.call("user.update", userid="1", medias=[
        {"mediatypeid": media, "sendto": ["incident-graph"], "active": 0, "severity": 63, "period": "1-7,00:00-24:00"}
    ])  # fmt: skip
    message = {"default_msg": 1, "mediatypeid": media}
    step = {"operationtype": 0, "opmessage": message, "opmessage_usr": [{"userid": "1"}]}
    zabbix.call("action.create", name="Tell the incident graph", eventsource=0, status=0, esc_period="1m",
                operations=[{**step, "esc_step_from": 1, "esc_step_to": 1}],
                recovery_operations=[{"operationtype": 11, "opmessage": {"default_msg": 1}}],
                update_operations=[{"operationtype": 12, "opmessage": {"default_msg": 1}}])  # fmt: skip


def _add(zabbix: Zabbix, host: Host) -> str:
    group = zabbix.call("hostgroup.create", name="etcd")["groupids"][0]
    tags = [{"tag": "cluster", "value": host.cluster}, {"tag": "component", "value": "etcd"}]
    made = zabbix.call("host.create", host=host.name, name=host.name, groups=[{"groupid": group}], interfaces=[
        {"type": 1, "main": 1, "useip": 1, "ip": "127.0.0.1", "dns": "", "port": "10050"}
    ], tags=tags)["hostids"][0]  # fmt: skip
    item = zabbix.call("item.create", hostid=made, name="etcd leader changes", key_="etcd.leader.changes", type=19,
                       value_type=3, delay="2s", url=f"{host.endpoint}/metrics", timeout="2s", preprocessing=[
        {"type": 22, "params": "etcd_server_leader_changes_seen_total\nvalue\n", "error_handler": 0,
         "error_handler_params": ""}])["itemids"][0]  # fmt: skip
    series = f"/{host.name}/etcd.leader.changes,60s"
    zabbix.call(
        "trigger.create",
        description="etcd leader changed",
        priority=4,
        manual_close=1,
        expression=f"max({series})-min({series})>0",
    )
    time.sleep(1)
    return str(item)
