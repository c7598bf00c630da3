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
    "BROWSE_PROJECTS": (True, Text("see its tickets", "查看工单")),
    "ADD_COMMENTS": (True, Text("write comments", "写评论")),
    "EDIT_OWN_COMMENTS": (True, Text("edit its own comments", "编辑自己的评论")),
    "EDIT_ISSUES": (True, Text("edit tickets", "编辑工单")),
    "CREATE_ISSUES": (True, Text("create tickets", "创建工单")),
    "LINK_ISSUES": (True, Text("link tickets", "链接工单")),
    "TRANSITION_ISSUES": (False, Text("make transitions", "执行转换")),
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
        yield Problem(Text("project is not declared; name the Jira project", "没有声明 project；请写上 Jira 项目"))
    if unknown := sorted(set(declared.transitions) - PHASES):
        names = ", ".join(unknown)
        yield Problem(Text(
            f"transitions knows no phase {names}; use {', '.join(sorted(PHASES))}",
            f"transitions 没有阶段 {names}；可用：{', '.join(sorted(PHASES))}",
        ), fatal=False)  # fmt: skip


def _server_problems(api: JiraApi) -> Iterator[Problem]:
    api.read("the own user", "myself")
    declared = api.transport.declared
    if not declared.project:
        return
    project = api.look("the project", "project", declared.project)
    if project is None:
        yield Problem(Text(
            f"there is no project {declared.project}, or this user may not see it; correct project, or let the user in",
            f"没有项目 {declared.project}，或该用户无权查看；请改正 project 或授权",
        ))  # fmt: skip
        return
    yield from _issue_type(api, project)
    yield from _permissions(api)
    yield from _fields(api)


def _issue_type(api: JiraApi, project: Mapping[str, Any]) -> Iterator[Problem]:
    declared = api.transport.declared
    kinds = [str(k.get("name")) for k in project.get("issueTypes") or () if isinstance(k, Mapping)]
    if declared.mode != "update-only" and kinds and declared.issue_type not in kinds:
        yield Problem(Text(
            f"the project has no issue type {declared.issue_type}; use one of {', '.join(kinds[:10])}",
            f"项目没有问题类型 {declared.issue_type}；可用：{', '.join(kinds[:10])}",
        ))  # fmt: skip


def _permissions(api: JiraApi) -> Iterator[Problem]:
    declared = api.transport.declared
    asked = {"projectKey": declared.project, "permissions": ",".join(NEEDED)}
    has = api.read("its permissions", "mypermissions", **asked).get("permissions") or {}
    for name, (fatal, what) in NEEDED.items():
        needed = name != "CREATE_ISSUES" or declared.mode != "update-only"
        if needed and not (has.get(name) or {}).get("havePermission"):
            yield Problem(Text(
                f"the user may not {what.en} in {declared.project}; give it the permission {name}",
                f"该用户在 {declared.project} 中不能{what.zh}；请授予权限 {name}",
            ), fatal=fatal)  # fmt: skip


def _fields(api: JiraApi) -> Iterator[Problem]:
    wanted = {name: field for name, field in api.transport.declared.fields.items() if field}
    if not wanted:
        return
    listed = api.read("the fields", "field").get("result") or ()
    kinds = {str(f.get("id")): (f.get("schema") or {}).get("type") for f in listed if isinstance(f, Mapping)}
    fits = {"cause": {"string", "option"}, "probability": {"number", "string"}}
    for name, field in sorted(wanted.items()):
        if field not in kinds:
            yield Problem(Text(
                f"there is no field {field} for the {name}; give its id, like customfield_10050",
                f"没有用于 {name} 的字段 {field}；请填写字段 id，例如 customfield_10050",
            ), fatal=False)  # fmt: skip
        elif kinds[field] not in fits.get(name, set()):
            yield Problem(Text(
                f"the field {field} is of the kind {kinds[field]}; the {name} needs one of "
                f"{', '.join(sorted(fits.get(name, set()))) or 'cause or probability'}",
                f"字段 {field} 的类型是 {kinds[field]}，不适合 {name}",
            ), fatal=False)  # fmt: skip
