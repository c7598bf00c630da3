"""Reads each form the way its target does, strictly: whatever is not the form's own markup is an error.

Every reader gives the sentences that a person sees. `folded` undoes the twins by which Slack and WeCom show
characters that they cannot escape.
"""

import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt

ADDRESS = r"https?://[^\s<>\"'|\[\]{}()\\^`*~]+"


def folded(text: str) -> str:
    """Full-width signs as their usual ones, so that one sentence is the same in all forms."""
    plain = "".join(chr(ord(c) - 0xFEE0) if 0xFF01 <= ord(c) <= 0xFF5E else c for c in text)
    return " ".join(plain.split())


def adf(document: Any) -> set[str]:
    found: set[str] = set()

    def walk(node: dict[str, Any]) -> None:
        if node["type"] in {"paragraph", "heading", "codeBlock"}:
            found.add("".join(child["text"] for child in node["content"]))
        for mark in node.get("marks", ()):
            assert mark["type"] != "link" or re.fullmatch(ADDRESS, mark["attrs"]["href"])
        for child in node.get("content", ()):
            walk(child)

    walk(document)
    return found


def wiki(content: Any) -> set[str]:
    text = r"(?:&#\d+;|[^{|}~_\\\[\]^<>?!#+*&@:\-\n])+"
    inside = rf"(?:\{{\{{(?P<code>{text})\}}\}}|\[(?P<link>{text})\|{ADDRESS}\]|(?P<plain>{text}))"
    line = re.compile(rf"(?:h[234]\. (?P<heading>{text})|\*(?P<strong>{text})\*|(?:\*{{1,2}} )?{inside})")
    return {_entities(_one(line, shown)) for shown in content.splitlines() if shown}


def _entities(text: str) -> str:
    return re.sub(r"&#(\d+);", lambda found: chr(int(found.group(1))), text)


def _one(pattern: re.Pattern[str], line: str) -> str:
    """The one named group that is there; a line that is not the form's own grammar fails."""
    found = pattern.fullmatch(line)
    assert found, f"not the form's own markup: {line!r}"
    return next(text for text in found.groupdict().values() if text is not None)


MARKDOWN_TOKENS = {
    "heading_open", "heading_close", "inline", "paragraph_open", "paragraph_close", "strong_open", "strong_close",
    "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "text", "code_inline", "hardbreak",
    "text_special", "link_open", "link_close",
}  # fmt: skip


def markdown(content: Any) -> set[str]:
    found: set[str] = set()
    for token in MarkdownIt("commonmark").parse(content):
        assert token.type in MARKDOWN_TOKENS, token.type
        for part in _parts(token.children or []):
            assert all(t.type in MARKDOWN_TOKENS for t in part)
            assert all(re.fullmatch(ADDRESS, str(t.attrs["href"])) for t in part if t.type == "link_open")
            found.add("".join(t.content for t in part))
    return found


def _parts(tokens: list[Any]) -> Iterator[list[Any]]:
    """The pieces between line breaks."""
    part: list[Any] = []
    for token in tokens:
        if token.type == "hardbreak":
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


class _Reader(HTMLParser):
    BLOCKS = frozenset({"h2", "h3", "h4", "p", "li", "ul", "br"})
    INLINE = frozenset({"a", "code", "strong"})

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.BLOCKS | self.INLINE, tag
        for name, value in attrs:
            assert name in {"dir", "href", "rel"}, name
            assert name != "href" or re.fullmatch(ADDRESS, value or "")
        if tag in self.BLOCKS:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.BLOCKS:
            self.found.append("")

    def handle_data(self, data: str) -> None:
        self.found[-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")

    handle_decl = handle_pi = unknown_decl = handle_comment


def html(content: Any) -> set[str]:
    reader = _Reader()
    reader.feed(content)
    reader.close()
    return {text.strip() for text in reader.found}


def text(content: Any) -> set[str]:
    lines = [re.sub(r"^(  - |      )", "", line) for line in content.splitlines()]
    return {re.sub(rf": {ADDRESS}$", "", line) for line in lines}


def slack(content: Any) -> set[str]:
    plain = r"(?:&(?:amp|lt|gt);|[^&<>*`~\n])+"
    inline = r"`(?P<code>(?:&(?:amp|lt|gt);|[^&<>`\n])+)`"
    link = rf"<{ADDRESS}\|(?:`(?P<linked_code>[^&<>`\n]+)`|(?P<link>{plain}))>"
    line = re.compile(rf"(?:• |    )?(?:\*(?P<strong>{plain})\*|{link}|{inline}|(?P<plain>{plain}))")
    found: set[str] = set()
    for block in content["blocks"]:
        for part in block.get("elements", [block.get("text")]):
            if part["type"] == "plain_text":
                assert part["emoji"] is False
                found.add(part["text"])
            else:
                assert part["verbatim"] is True
                assert not re.search(r":[a-z0-9_+'-]+:", re.sub(r"`[^`]*`|<http[^|]*", "", part["text"])), "an emoji"
                found |= {_slack_text(_one(line, shown)) for shown in part["text"].split("\n")}
    return found


def _slack_text(shown: str) -> str:
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


PLAIN = r"[^*`<>\[\]#@\\\n+-][^*`<>\[\]@\\\n]*"
WITHIN = r"[^*`<>\[\]@\\\n]+"
CODE = r"`(?P<{}>(?:[^`\n<@]|<(?![@/!A-Za-z])|@(?!\w))+)`"


def wecom(content: Any) -> set[str]:
    link = rf"\[(?:{CODE.format('linked_code')}|(?P<link>{PLAIN}))\]\({ADDRESS}\)"
    beneath = rf"(?: (?:\[(?P<show>[^\]]+)\]\({ADDRESS}\)|{CODE.format('query')}))?"
    item = rf"> (?:{link}|{CODE.format('code')}|(?P<plain>{PLAIN}?)){beneath}"
    rest = rf"## (?P<title>{WITHIN})|\*\*(?P<strong>{WITHIN})\*\*|\[(?P<open>{PLAIN})\]\({ADDRESS}\)|(?P<note>{PLAIN})"
    return _lines(re.compile(rf"(?:{item}|{rest})"), content)


def dingtalk(content: Any) -> set[str]:
    item = rf"- (?:\[(?P<link>{PLAIN})\]\({ADDRESS}\)|(?P<plain>{PLAIN}?))"
    beneath = rf"(?:  · (?:\[(?P<show>{PLAIN})\]\({ADDRESS}\)|(?P<query>{PLAIN})))?"
    rest = rf"### (?P<title>{WITHIN})|\*\*(?P<strong>{WITHIN})\*\*|\[(?P<open>{PLAIN})\]\({ADDRESS}\)|(?P<note>{PLAIN})"
    return _lines(re.compile(rf"(?:{item}{beneath}|{rest})"), content)


def _lines(line: re.Pattern[str], content: str) -> set[str]:
    found: set[str] = set()
    for shown in filter(None, content.split("\n")):
        hit = line.fullmatch(shown)
        assert hit, f"not the form's own markup: {shown!r}"
        found |= {text for text in hit.groupdict().values() if text is not None}
    return found


def feishu(content: Any) -> set[str]:
    found = {content["title"]}
    for paragraph in content["content"]:
        for tag in paragraph:
            assert tag["tag"] in {"text", "a"}
            assert tag["tag"] == "text" or re.fullmatch(ADDRESS, tag["href"])
            assert "\n" not in tag["text"]
        found.add("".join(tag["text"] for tag in paragraph).removeprefix("•"))
    return found


READERS: dict[str, Callable[[Any], set[str]]] = {
    "adf": adf, "dingtalk": dingtalk, "feishu": feishu, "html": html, "markdown": markdown, "slack": slack, "text": text,
    "wecom": wecom, "wiki": wiki,
}  # fmt: skip


def sentences(form: str, content: Any) -> set[str]:
    """What a person reads, in any order, without what only the form has."""
    json.dumps(content, ensure_ascii=False).encode("utf-8")
    return {folded(shown) for shown in READERS[form](content)} - {""}
