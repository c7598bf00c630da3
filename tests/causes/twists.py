"""Recorded bundles changed where it must not matter: other names, other times, another order, noise that came later."""

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from domain.connections import Connections
from evidence.bundles import Bundle, RecordedDelivery
from evidence.recording import Answer

ISO = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d")
POD_IN_KEY = re.compile(r'pod\\?":\s?\\?"([a-z0-9.-]+)')


def renamed(bundle: Bundle) -> Bundle:
    """Every pod, host, member and zone under another name; their order among each other is turned around.

    A pod of a deployment stays one by its form: another workload's name, another hash, another suffix.
    """
    names = {m.name for etcd in bundle.connections.etcd for m in etcd.member}
    names |= {h for etcd in bundle.connections.etcd for m in etcd.member for h in m.hosts if not h[0].isdigit()}
    names |= {m.zone for etcd in bundle.connections.etcd for m in etcd.member}
    marks = {name: f"{chr(122 - i % 20)}{i}-thing" for i, name in enumerate(sorted(names - {""}))}
    for pod in sorted({pod for d in bundle.deliveries for pod in POD_IN_KEY.findall(d.body)}):
        marks |= _pod_marks(pod, len(marks))
    # In a query's pattern each hyphen is escaped, and the whole is percent-encoded.
    marks |= {_in_pattern(old): _in_pattern(new) for old, new in marks.items()}
    ordered = sorted(marks, key=lambda n: (-len(n), n))
    edge = "(?:(?<![a-z0-9-])|(?<=%22)|(?<=%2F)|(?<=%7C)|(?<=%28))"
    pattern = re.compile("|".join(rf"{edge}{re.escape(n)}(?![a-z0-9])" for n in ordered))
    return map_texts(bundle, lambda text: pattern.sub(lambda found: marks[found[0]], text))


def _in_pattern(name: str) -> str:
    return name.replace("-", "%5C%5C-")


def _pod_marks(pod: str, number: int) -> dict[str, str]:
    made = re.fullmatch(r"(.+)-([a-z0-9]{6,10})-([a-z0-9]{5})", pod)
    if made is None:
        return {pod: f"{chr(122 - number % 20)}-pod-{number}"}
    base, digest, suffix = made.groups()
    other, turned = f"{chr(122 - number % 20)}{base[::-1].strip('-')}", digest[::-1]
    return {base: other, f"{base}-{digest}": f"{other}-{turned}", pod: f"{other}-{turned}-{suffix[::-1]}"}


def shifted(bundle: Bundle, seconds: int) -> Bundle:
    """The same incident at another time: every time stamp, in whatever form, that many seconds later."""
    day = str(round(bundle.as_of.timestamp()))[:5]
    number = re.compile(rf"(?<![\d.]){day}\d{{5}}(?=\d{{3}}(?!\d)|(?!\d))")

    def later(text: str) -> str:
        text = number.sub(lambda found: str(int(found[0]) + seconds), text)
        return ISO.sub(lambda found: _moved(found[0], seconds), text)

    lag = timedelta(seconds=seconds)
    changes = tuple(replace(c, at=c.at + lag) for c in bundle.changes)
    return replace(map_texts(bundle, later), as_of=bundle.as_of + lag, changes=changes)


def _moved(stamp: str, seconds: int) -> str:
    at = datetime.fromisoformat(stamp).replace(tzinfo=UTC)
    return (at + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S") if at.year > 2000 else stamp


def map_texts(bundle: Bundle, change: Callable[[str], str]) -> Bundle:
    """The bundle with `change` applied to every text."""
    raw = change(msgspec.json.encode(bundle.connections).decode())
    deliveries = tuple(_delivery(d, change) for d in bundle.deliveries)
    answers = tuple(
        replace(a, connection=change(a.connection), path=change(a.path), params=change(a.params), body=change(a.body),
                answer=change(a.answer))
        for a in bundle.answers
    )  # fmt: skip
    connections = msgspec.json.decode(raw, type=Connections)
    changes = tuple(replace(c, entities=tuple(map(change, c.entities))) for c in bundle.changes)
    return replace(bundle, connections=connections, deliveries=deliveries, answers=answers, changes=changes)


def _delivery(delivery: RecordedDelivery, change: Callable[[str], str]) -> RecordedDelivery:
    raw = change(msgspec.json.encode(delivery).decode())
    return msgspec.json.decode(raw, type=RecordedDelivery)


def shuffled(bundle: Bundle, seed: int) -> Bundle:
    """Deliveries, answers, and the series within each answer in another order."""
    dice = random.Random(seed)
    answers, deliveries = [_series(a, dice.shuffle) for a in bundle.answers], list(bundle.deliveries)
    dice.shuffle(answers)
    dice.shuffle(deliveries)
    return replace(bundle, answers=tuple(answers), deliveries=tuple(deliveries))


def noisy_afterwards(bundle: Bundle, seed: int) -> Bundle:
    """Every series goes on wildly after the moment at which the incident was looked at."""
    dice, end = random.Random(seed), bundle.as_of.timestamp()

    def go_on(rows: list[Any]) -> None:
        for row in rows:
            row.get("values", []).extend([end + 5 * i, str(dice.choice([0, 1, 50, 9e9]))] for i in range(1, 12))

    late = [replace(d, received_at=bundle.as_of + timedelta(seconds=30)) for d in bundle.deliveries[:1]]
    answers = tuple(_series(a, go_on) for a in bundle.answers)
    return replace(bundle, answers=answers, deliveries=(*bundle.deliveries, *late))


def _series(answer: Answer, change: Callable[[list[Any]], None]) -> Answer:
    if "query" not in answer.path or answer.status != 200:
        return answer
    body = json.loads(answer.answer)
    change(body.get("data", {}).get("result", []))
    return replace(answer, answer=json.dumps(body))
