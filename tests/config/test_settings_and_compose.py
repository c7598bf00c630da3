"""The settings are documented, and the compose file starts what the supervisor starts."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import environment, supervisor

ROOT = Path(__file__).parents[2]


def test_every_setting_that_is_read_stands_in_the_docs_and_no_other() -> None:
    source = (ROOT / "config" / "settings.py").read_text()
    read = set(re.findall(r'environment\.(?:text|flag|number|names)\(\s*"([A-Z_]+)"', source))
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.M))
    assert read == documented and len(read) > 8


def test_a_setting_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s").write_text("from the file\n")
    monkeypatch.delenv("GRAPH_PASSWORD", raising=False)
    monkeypatch.setenv("GRAPH_PASSWORD_FILE", str(tmp_path / "s"))
    assert environment.text("GRAPH_PASSWORD") == "from the file"


@pytest.mark.parametrize("value", ["many", "0", "70000", "-1"])
def test_a_port_that_is_none_is_refused_by_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", value)
    with pytest.raises(environment.SettingError, match="PORT"):
        environment.number("PORT", 8000, 1, 65535)


def test_a_generated_secret_stays_and_is_private(tmp_path: Path) -> None:
    first = environment.generated_secret(tmp_path / "key")
    assert environment.generated_secret(tmp_path / "key") == first and len(first) > 40
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_nobody_else_reads_what_stands_in_a_data_folder_that_was_there_before(tmp_path: Path) -> None:
    home = tmp_path / "data"
    home.mkdir()
    home.chmod(0o755)
    argv = [sys.executable, "manage.py", "source", "add", "alertmanager", "prod"]
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"} | {"INCIDENT_GRAPH_HOME": str(home)}
    subprocess.run(argv, cwd=ROOT, env=env, check=True, capture_output=True, umask=0o022)
    written = list(home.rglob("*"))
    assert home / "record.sqlite3" in written
    assert {str(path): oct(path.stat().st_mode & 0o077) for path in written} == {str(path): "0o0" for path in written}


def test_no_container_of_the_service_may_gain_rights() -> None:
    own = [service for service in compose().values() if service.get("image") == "incident-graph:latest"]
    assert len(own) > 5
    assert all(s["cap_drop"] == ["ALL"] and s["security_opt"] == ["no-new-privileges:true"] for s in own)


def compose() -> dict[str, dict[str, object]]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


def test_the_containers_run_the_commands_of_the_supervisor() -> None:
    services = compose()
    web = supervisor.web_argv("0.0.0.0", 8000)
    assert services["web"]["command"] == ["python", *web[1:]]
    graph = services["graph-worker"]["command"]
    assert isinstance(graph, list) and graph == ["python", *[a for a in supervisor.worker_argv("graph", "solo", 1)[1:]
                                                            if a in graph]]  # fmt: skip
    commands = [services[name]["command"] for name in ("worker", "look-worker", "notify-worker", "graph-worker")]
    queues = [command[command.index("--queues") + 1] for command in commands]  # type: ignore[attr-defined]
    assert ",".join(queues) == "ingest,investigate,notify,graph"
    beat = services["beat"]["command"]
    assert beat == ["python", *[a for a in supervisor.beat_argv("/tmp/beat-schedule")[1:] if a != "--quiet"]]


def test_the_clock_knows_what_to_send_and_loads_no_task() -> None:
    code = (
        "import sys, django; from config.clock import app; app.loader.import_default_modules(); app.finalize()\n"
        "names = {entry['task'] for entry in app.conf.beat_schedule.values()}\n"
        "assert 'ingest.tasks' not in sys.modules and 'neo4j' not in sys.modules\n"
        "queues = [app.amqp.router.route({}, name)['queue'].name for name in sorted(names)]\n"
        "import ingest.tasks, investigate.tasks, notify.tasks; from config.celery import app as workers\n"
        "assert names and names <= set(workers.tasks), names - set(workers.tasks)\n"
        "assert queues == [workers.amqp.router.route({}, name)['queue'].name for name in sorted(names)]\n"
        "print(*sorted(set(queues)))"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "CELERY_SKIP_CHECKS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["ingest", "notify"]), done.stderr


def test_the_containers_settings_are_ones_that_exist() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.M))
    given = {name.removesuffix("_FILE") for name in compose()["web"]["environment"]}  # type: ignore[attr-defined]
    assert given <= documented


def test_the_image_runs_as_nobody_special_and_is_checked() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "\nUSER incident-graph\n" in text and "/livez" in text
    assert "INCIDENT_GRAPH_HOME=/data" in text and "\nVOLUME /data\n" in text  # the only folder it may write


def test_nobody_works_before_the_tables_are_there_and_only_the_pages_are_asked_whether_they_live() -> None:
    services: dict[str, Any] = compose()
    ours = {name: one for name, one in services.items() if one["image"] == "incident-graph:latest"}
    migrate = ours.pop("migrate")
    assert migrate["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "pg_isready" in services["postgres"]["healthcheck"]["test"]
    assert all(one["depends_on"]["migrate"] == {"condition": "service_completed_successfully"} for one in ours.values())
    asked = {name for name, one in ours.items() if one["healthcheck"] != {"disable": True}}
    assert asked == {"web"} and migrate["healthcheck"] == {"disable": True}


def test_the_hosted_runs_call_every_verb_that_decides_here() -> None:
    here = set(re.findall(r"^make (.+)$", (ROOT / ".ci" / "run").read_text(), re.M))
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    lines = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
    verbs = {line.removeprefix("make ") for line in lines if line.startswith("make ")}
    there = verbs - {"${{ matrix.verb }}"} | set(jobs["verbs"]["strategy"]["matrix"]["verb"])
    assert there == here - {"setup"}  # each verb sets up what it needs


def test_the_hosted_runs_may_only_read_and_use_actions_by_commit() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {} and "cancel-in-progress" in workflow["concurrency"]
    assert all(job["permissions"] == {"contents": "read"} for job in workflow["jobs"].values())
    used = re.findall(r"uses: (.+)", text)
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+(;.*)?", action) for action in used)
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert workflow["jobs"]["verbs"]["strategy"]["matrix"]["python"][0] == oldest
