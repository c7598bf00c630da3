"""docs/messages.md against the code: every kind has its example, and every example can be applied."""

import re
import tomllib
from pathlib import Path

from connections import file
from ingest.sources import all_sources
from tickets.render import formats
from tickets.systems import all_systems

DOCS = (Path(__file__).parents[2] / "docs/messages.md").read_text(encoding="utf-8")


def examples() -> str:
    return "\n".join(re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL))


def test_every_kind_of_chat_has_an_example() -> None:
    declared = {chat["kind"] for chat in tomllib.loads(examples())["chat"]}
    assert declared == {kind for kind, system in all_systems().items() if system.section == "chat"}


def test_the_examples_can_be_applied(tmp_path: Path) -> None:
    for name in re.findall(r'_file = "(.*?)"', examples()):
        (tmp_path / name).write_text("x")
    assert len(file.decode(examples(), tmp_path, all_sources()).chat) == 7


def test_the_limits_are_those_of_the_forms() -> None:
    known = formats()
    for name, limit in {"wecom": "4,096 bytes", "dingtalk": "18,000 bytes", "slack": "12,000 characters"}.items():
        assert f"{known[name].limit:,}" in limit
        assert limit in DOCS
    assert "90,000 bytes of HTML" in DOCS and known["html"].limit == 90_000
