"""What every answer carries for a browser's safety, and that no template or drawing lets text through as markup."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

ROOT = Path(__file__).parents[2]
POLICY = {"default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"}
PATHS = ["/", "/incidents/1/", "/causes/", "/sources/", "/connections/", "/outbox/", "/deliveries/", "/api/docs",
         "/sign-in/", "/nowhere/", "/incidents/99/", "/api/v1/incidents/", "/livez"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_foreign_scripts_frames_and_guessing_of_types(incident, path: str) -> None:
    client = Client()
    if path != "/sign-in/":
        client.force_login(User.objects.create_user("ada", password="a long enough one"))
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert {part.strip() for part in policy.split(";")} >= POLICY
    assert "unsafe" not in policy and "*" not in policy
    assert (answer.headers["X-Frame-Options"], answer.headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/api/v1/incidents/1/postmortem/", "/api/v1/incidents/1/bundle/"])
def test_what_is_taken_away_is_never_shown_as_a_page(incident, path: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user("ada", password="a long enough one"))
    answer = client.get(path)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and "html" not in answer.headers["Content-Type"]


def test_no_template_turns_escaping_off_and_none_needs_inline_code() -> None:
    for file in (ROOT / "web" / "templates").rglob("*.html"):
        text = file.read_text()
        assert not re.search(r"\|\s*safe\b|autoescape\s+off|safeseq", text), file
        assert not re.search(r"\son[a-z]+=|\sstyle=|<script(?![^>]*\ssrc=)|javascript:", text), file
        # An address that came with an alert goes through safe_url first: only addresses of our own, or `url`.
        for value in re.findall(r'(?:href|src|action)="([^"]*)"', text):
            assert value.startswith(("{% url", "{% static", "/", "#", "?", "{{ url }}")), f"{file.name}: {value}"


def test_markup_is_only_made_by_format_html_with_constant_forms() -> None:
    for file in (ROOT / "web").rglob("*.py"):
        text = file.read_text()
        assert "mark_safe" not in text, file
        assert not re.search(r"format_html(_join)?\(\s*f[\"']", text), file
    script = (ROOT / "web" / "static" / "web" / "live.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)
