"""The connections page: the targets with their state, and what is asked for evidence."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from domain.text import Text
from incidents import audit, connections, queries
from notify import outbox, targets
from notify.models import TargetStatus
from notify.outbox import Load
from notify.self_check import check
from notify.targets import Target
from tickets.system import Problem
from web.pages.actions import action

MODES = {
    "dry-run": Text("Dry run: shows what it would send"),
    "send": Text("Sends"),
    "update-only": Text("Updates tickets that exist"),
    "create-and-update": Text("Creates and updates tickets"),
}


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target as its card shows it."""

    target: Target
    state: TargetStatus | None
    load: Load
    webhook: str
    mode: Text
    problems: tuple[Problem, ...] | None = None

    @property
    def rests(self) -> bool:
        """Whether its circuit breaker is open."""
        return self.state is not None and self.state.failures >= targets.FAILURES_TO_OPEN


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Every declared connection with its state."""
    return render(request, "web/connections.html", _context())


@action("connections")
def check_now(request: HttpRequest, name: str) -> HttpResponse:
    """The same page with the problems that the target's own check finds."""
    target = targets.declared_targets().get(name)
    if target is None:
        raise Http404
    problems = check(target)
    audit.write(request.user.get_username(), "check connection", name)
    return render(request, "web/connections.html", _context(name, problems) | {"here": reverse("connections")})


def _context(checked: str = "", problems: tuple[Problem, ...] = ()) -> dict[str, Any]:
    states, loads = targets.statuses(), outbox.loads()
    shown = [
        TargetRow(one, states.get(one.name), loads.get(one.name, Load()), _webhook(one), MODES[one.declared.mode],
             problems if one.name == checked else None)
        for one in targets.declared_targets().values()
    ]  # fmt: skip
    return {"targets": shown, "unknown_targets": _unknown_targets(shown), "evidence_sources": _evidence_sources()}


def _webhook(target: Target) -> str:
    """Where a ticket system sends its events; a secret part is named, never shown."""
    declared = target.declared
    if target.system.section != "ticket":
        return ""
    file = declared.webhook_path_file or declared.webhook_path_env
    path = f"/<{'webhook_path_file' if declared.webhook_path_file else file}>" if file else ""
    return f"{settings.PUBLIC_URL}/tickets/{declared.name}/webhook{path}"


def _unknown_targets(shown: list[TargetRow]) -> list[str]:
    """Declared tickets and chats of a kind that this version does not know."""
    known = {one.target.name for one in shown}
    rows = connections.of_kinds(("ticket", "chat"))
    return [name for row in rows if (name := f"{row.kind}:{row.name}") not in known]


def _evidence_sources() -> list[tuple[str, str, str]]:
    """Kind, name and address of what is asked for evidence."""
    declared = queries.connections()
    rows = [
        ("Prometheus", [(p.name, p.url) for p in declared.prometheus]),
        ("etcd", [(e.name, ", ".join(m.endpoint for m in e.member)) for e in declared.etcd]),
        ("blackbox exporter", [(b.name, b.url) for b in declared.blackbox]),
        ("probe targets", [(t.name, t.url) for t in declared.target]),
        ("Kubernetes", [(k.name, "in-cluster" if k.in_cluster else k.kubeconfig_file) for k in declared.kubernetes]),
    ]
    return [(kind, name, address) for kind, entries in rows for name, address in entries]
