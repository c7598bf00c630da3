"""What keeps a declared Jira from working, each as one sentence with its remedy."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.errors import ProductError
from domain.text import Text
from tickets.jira.api import JiraApi, connect
from tickets.problems import problem_of
from tickets.system import Problem, Transport

# What we do there, and with which permission; without a fatal one no notification can be delivered.
NEEDED = {
    "BROWSE_PROJECTS": (True, Text("see its tickets")),
    "ADD_COMMENTS": (True, Text("write comments")),
    "EDIT_OWN_COMMENTS": (True, Text("edit its own comments")),
    "EDIT_ISSUES": (True, Text("edit tickets")),
    "CREATE_ISSUES": (True, Text("create tickets")),
    "LINK_ISSUES": (True, Text("link tickets")),
    "TRANSITION_ISSUES": (False, Text("make transitions")),
}
PHASES = {"acknowledged", "mitigated", "resolved", "reopened"}


def check(transport: Transport) -> list[Problem]:
    """All problems, the worst first; where the server cannot be reached, that is the only one."""
    try:
        return [*_declaration_problems(transport), *_server_problems(connect(transport))]
    except ProductError as error:
        return [problem_of(error)]


def _declaration_problems(transport: Transport) -> Iterator[Problem]:
    declared = transport.declared
    if not declared.project:
        yield Problem(Text("project is not declared; name the Jira project"))
    if unknown := sorted(set(declared.transitions) - PHASES):
        names = ", ".join(unknown)
        yield Problem(
            Text("transitions knows no phase {names}; use {phases}", names=names, phases=", ".join(sorted(PHASES))),
            fatal=False,
        )


def _server_problems(api: JiraApi) -> Iterator[Problem]:
    api.read("the own user", "myself")
    declared = api.transport.declared
    if not declared.project:
        return
    project = api.look("the project", "project", declared.project)
    if project is None:
        yield Problem(
            Text(
                "there is no project {project}, or this user may not see it; correct project, or let the user in",
                project=declared.project,
            )
        )
        return
    yield from _issue_type(api, project)
    yield from _permissions(api)
    yield from _fields(api)


def _issue_type(api: JiraApi, project: Mapping[str, Any]) -> Iterator[Problem]:
    declared = api.transport.declared
    kinds = [str(k.get("name")) for k in project.get("issueTypes") or () if isinstance(k, Mapping)]
    if declared.mode != "update-only" and kinds and declared.issue_type not in kinds:
        yield Problem(
            Text(
                "the project has no issue type {issue_type}; use one of {kinds}",
                issue_type=declared.issue_type,
                kinds=", ".join(kinds[:10]),
            )
        )


def _permissions(api: JiraApi) -> Iterator[Problem]:
    declared = api.transport.declared
    asked = {"projectKey": declared.project, "permissions": ",".join(NEEDED)}
    has = api.read("its permissions", "mypermissions", **asked).get("permissions") or {}
    for name, (fatal, what) in NEEDED.items():
        needed = name != "CREATE_ISSUES" or declared.mode != "update-only"
        if needed and not (has.get(name) or {}).get("havePermission"):
            yield Problem(
                Text(
                    "the user may not {what} in {project}; give it the permission {name}",
                    what=what,
                    project=declared.project,
                    name=name,
                ),
                fatal=fatal,
            )


def _fields(api: JiraApi) -> Iterator[Problem]:
    wanted = {name: field for name, field in api.transport.declared.fields.items() if field}
    if not wanted:
        return
    listed = api.read("the fields", "field").get("result") or ()
    kinds = {str(f.get("id")): (f.get("schema") or {}).get("type") for f in listed if isinstance(f, Mapping)}
    fits = {"cause": {"string", "option"}, "probability": {"number", "string"}}
    for name, field in sorted(wanted.items()):
        if field not in kinds:
            yield Problem(
                Text(
                    "there is no field {field} for the {name}; give its id, like customfield_10050",
                    field=field,
                    name=name,
                ),
                fatal=False,
            )
        elif kinds[field] not in fits.get(name, set()):
            yield Problem(
                Text(
                    "the field {field} is of the kind {kind}; the {name} needs one of {kinds}",
                    field=field,
                    kind=kinds[field],
                    name=name,
                    kinds=", ".join(sorted(fits.get(name, set()))) or "cause or probability",
                ),
                fatal=False,
            )
