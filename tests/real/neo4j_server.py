"""A real Neo4j 5 without Docker: fetched once by Maven into a cache folder, started per test session."""

import hashlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import neo4j
import pytest
from neo4j.exceptions import DriverError, Neo4jError

from graph.engine import GraphAddress, free_ports
from graph.processes import wait_until
from lab.stage.images import cache
from tests.graph.servers import answers

FOLDER = Path(__file__).parent / "neo4j"
_OPENS = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
_START_LIMIT_S = 120.0


def fetched() -> Path:
    """The folder with Neo4j's jars, keyed by the pom; fetched when it is not there whole."""
    pom = FOLDER / "pom.xml"
    key = hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    lib = cache() / f"neo4j-{key}"
    if lib.is_dir():
        return lib
    lib.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=lib.parent) as fresh:
        target = Path(fresh) / "lib"
        subprocess.run(
            [
                *("mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"),
                *(f"-DoutputDirectory={target}", "-DincludeScope=runtime"),
            ],
            check=True,
            timeout=900,
            cwd=fresh,
        )
        if not lib.is_dir():  # another session may have been quicker
            target.rename(lib)
    return lib


def _command(lib: Path, home: Path, port: int) -> list[str]:
    opens = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENS]
    source = str(FOLDER / "Neo4jForTests.java")
    memory = ("-Xms256m", "-Xmx512m", "-Dlog4j2.disable.jmx=true")
    return ["java", *memory, *opens, "-cp", f"{lib}/*", source, str(home), str(port)]


def _set_password(address: GraphAddress) -> bool:
    """Replace the first password; False while the server does not answer yet."""
    try:
        with neo4j.GraphDatabase.driver(address.uri, auth=("neo4j", "neo4j")) as driver:
            statement = "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password"
            driver.execute_query(statement, password=address.password, database_="system")
    except (DriverError, Neo4jError):
        return False
    return True


@contextmanager
def running_neo4j() -> Iterator[GraphAddress]:
    """A fresh Neo4j on a free port of loopback; gone with its data afterwards."""
    port, _ = free_ports()
    address = GraphAddress(f"bolt://127.0.0.1:{port}", "neo4j", secrets.token_urlsafe(12))
    with tempfile.TemporaryDirectory(prefix="neo4j-") as home:
        log = Path(home) / "output.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                _command(fetched(), Path(home) / "home", port), stdout=output, stderr=subprocess.STDOUT
            )
        try:
            set_ = wait_until(lambda: process.poll() is not None or _set_password(address), _START_LIMIT_S, 0.5)
            assert set_, log.read_text()
            assert process.poll() is None, log.read_text()
            assert answers(address)
            yield address
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="session")
def neo4j_address() -> Iterator[GraphAddress]:
    """The server named by NEO4J_TEST_URI (with _USER and _PASSWORD), otherwise one of our own."""
    uri = os.environ.get("NEO4J_TEST_URI")
    if uri:
        user = os.environ.get("NEO4J_TEST_USER", "neo4j")
        yield GraphAddress(uri, user, os.environ.get("NEO4J_TEST_PASSWORD", ""))
        return
    if not (shutil.which("java") and shutil.which("mvn")):
        pytest.fail("Java 17 and Maven are needed: apt-get install openjdk-17-jre-headless maven")
    with running_neo4j() as address:
        yield address
