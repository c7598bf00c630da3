"""What the fake Jira answers, address by address, with the permissions, limits and wordings of the real ones."""

import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from tests.fakes import jira_contract as contract
from tests.fakes.jira_issues import CATEGORY, STATUS_ID, WORKFLOW, Comment, Issue, stamp
from tests.fakes.jira_rules import OLD_SEARCH, Problem, Rules, label_fault

if TYPE_CHECKING:
    from tests.fakes.jira import Event, JiraFake


class Request(Rules):
    """One request that is being answered."""

    @classmethod
    def answered(
        cls, jira: "JiraFake", method: str, path: str, query: dict[str, str], body: Any, by: str
    ) -> tuple[int, Any]:
        """Status and body of the answer. Raises Problem."""
        if path == "/oauth/token":
            return _token(jira, body)
        found = re.fullmatch(r"/rest/api/(2|3|latest)/(.+?)/?", path)
        version = found.group(1) if found else ""
        if found is None or (version == "3" and not jira.cloud):
            raise Problem(404, "null for uri: " + path)
        version = "2" if version == "latest" else version
        answer = cls(jira, method, found.group(2).split("/"), query, body, by, version)
        if not by and answer.steps != ["serverInfo"]:
            raise Problem(401, "Client must be authenticated to access this resource.")
        status, result = answer.routed()
        answer.keep_to(status, result)
        return status, b"" if result is None else result

    def keep_to(self, status: int, body: Any) -> None:
        """An answer out of shape is a fault of the fake."""
        name = {
            ("issue",): "CreatedIssue", ("serverInfo",): "ServerInformation", ("mypermissions",): "Permissions",
            ("issue", "*"): "Issue", ("issue", "*", "editmeta"): "IssueUpdateMetadata",
            ("issue", "*", "transitions"): "Transitions", ("search", "jql"): "SearchAndReconcileResults",
            ("issue", "*", "remotelink"): "RemoteIssueLinkIdentifies",
        }.get(tuple("*" if n == 1 and self.steps[0] == "issue" else s for n, s in enumerate(self.steps)))  # fmt: skip
        if self.version == "3" and name and isinstance(body, dict) and status < 300:
            fault = contract.shape_fault(name, body)
            if fault:
                raise AssertionError(fault)

    def routed(self) -> tuple[int, Any]:
        first, rest = self.steps[0], self.steps[1:]
        if first == "issue" and rest:
            return self.of_issue(self.issue(rest[0]), rest[1:])
        if first == "comment" and len(rest) == 3 and rest[1] == "properties":
            return self.properties(self.any_comment(rest[0]).properties, rest[2:])
        plain = {
            "issue": self.create, "serverInfo": self.server, "myself": self.myself, "search": self.search,
            "mypermissions": self.permissions, "field": self.fields, "project": self.project,
        }.get(first)  # fmt: skip
        if plain is None:
            raise Problem(404, f"null for uri: {'/'.join(self.steps)}")
        return plain()

    def of_issue(self, issue: Issue, rest: list[str]) -> tuple[int, Any]:
        if not rest:
            return self.edit(issue) if self.method == "PUT" else (200, self.issue_json(issue))
        name, rest = rest[0], rest[1:]
        if name == "comment":
            return self.one_comment(issue, rest[0]) if rest else self.comments(issue)
        if name == "properties":
            return self.properties(issue.properties, rest)
        routes = {"editmeta": self.editmeta, "transitions": self.transitions, "remotelink": self.links}
        if name not in routes or rest:
            raise Problem(404, f"null for uri: {name}")
        return routes[name](issue)

    # Who and what there is.

    def server(self) -> tuple[int, Any]:
        numbers = [1001, 0, 0] if self.jira.cloud else [10, 3, 2]
        kind = "Cloud" if self.jira.cloud else "Server"
        return 200, {"baseUrl": self.jira.url, "version": ".".join(map(str, numbers)), "versionNumbers": numbers,
                     "deploymentType": kind, "buildNumber": 100_253, "serverTitle": "Fake Jira"}  # fmt: skip

    def myself(self) -> tuple[int, Any]:
        return 200, self.person(self.by)

    def permissions(self) -> tuple[int, Any]:
        asked = self.query.get("permissions", "")
        if self.jira.cloud and not asked:
            raise Problem(400, "The 'permissions' query parameter is required.")
        names = asked.split(",") if asked else sorted(self.jira.allowed | {"ADMINISTER"})
        return 200, {"permissions": {n: {"key": n, "havePermission": n in self.jira.allowed} for n in names}}

    def project(self) -> tuple[int, Any]:
        self.need("BROWSE_PROJECTS", 404, f"No project could be found with key '{self.steps[1]}'.")
        if self.steps[1] != self.jira.project:
            raise Problem(404, f"No project could be found with key '{self.steps[1]}'.")
        kinds = [{"id": "10001", "name": "Task", "subtask": False}, {"id": "10002", "name": "Bug", "subtask": False}]
        return 200, {"id": "10000", "key": self.jira.project, "name": "Operations", "issueTypes": kinds}

    def fields(self) -> tuple[int, Any]:
        return 200, [
            {"id": name, "key": name, "name": name, "custom": True, "schema": {"type": kind}}
            for name, kind in self.jira.custom.items()
        ] + [{"id": "summary", "key": "summary", "name": "Summary", "custom": False, "schema": {"type": "string"}}]

    # Issues.

    def create(self) -> tuple[int, Any]:
        asked = self.asked_shape("IssueUpdateDetails")
        fields = dict(asked.get("fields") or {})
        if fields.get("project", {}).get("id") == "10000":
            fields["project"] = {"key": self.jira.project}
        if fields.get("project", {}).get("key") != self.jira.project or "BROWSE_PROJECTS" not in self.jira.allowed:
            raise Problem(400, project="valid project is required")
        self.need("CREATE_ISSUES", 403, "You do not have permission to create issues in this project.")
        if fields.get("issuetype", {}).get("name") not in {"Task", "Bug"}:
            raise Problem(400, issuetype="Specify a valid issue type")
        if "summary" not in fields:
            raise Problem(400, summary="You must specify a summary of the issue.")
        issue = self.jira.shop.create(self.checked(fields))
        for entry in asked.get("properties") or ():
            self.put_property(issue.properties, entry["key"], entry["value"])
        self.jira.event("jira:issue_created", issue, self.by)
        return 201, {"id": issue.id, "key": issue.key, "self": self.at(f"issue/{issue.id}")}

    def edit(self, issue: Issue) -> tuple[int, Any]:
        asked = self.asked_shape("IssueUpdateDetails")
        self.need("EDIT_ISSUES", 403, "You do not have permission to edit issues in this project.")
        self.quietly()
        fields = self.checked(dict(asked.get("fields") or {}))
        for entry in asked.get("properties") or ():
            self.put_property(issue.properties, entry["key"], entry["value"])
        labels = list(issue.labels)
        for step in (asked.get("update") or {}).get("labels", ()):
            if "add" in step:
                if fault := label_fault(step["add"]):
                    raise Problem(400, labels=fault)
                labels += [step["add"]] if step["add"] not in labels else []
            labels = [label for label in labels if label != step.get("remove")]
        if labels != issue.labels or any(issue.fields.get(n) != v for n, v in fields.items()):
            item = {"field": "labels", "fromString": " ".join(issue.labels), "toString": " ".join(labels)}
            issue.fields.update({"labels": labels, **fields})
            self.jira.event("jira:issue_updated", issue, self.by, self.jira.shop.changed(issue, self.by, item))
        return 204, None

    def issue_json(self, issue: Issue, fields: list[str] | None = None) -> dict[str, Any]:
        key, number = CATEGORY[issue.status]
        category = {"id": number, "key": key, "name": {"new": "To Do", "indeterminate": "In Progress"}.get(key, "Done")}
        everything = {
            "summary": issue.fields["summary"], "labels": issue.labels, "project": {"key": issue.project},
            "status": {"id": STATUS_ID[issue.status], "name": issue.status, "statusCategory": category},
            "resolution": {"id": "1", "name": issue.resolution} if issue.resolution else None,
            "resolutiondate": stamp(issue.resolved_at) if issue.resolved_at else None,
            "assignee": self.person(issue.assignee) if issue.assignee else None,
            "created": stamp(issue.created), "updated": stamp(issue.updated),
            "description": self.text_as_returned(issue.fields["description"]) if issue.fields.get("description") else None,
            **{name: issue.fields.get(name) for name in self.jira.custom},
        }  # fmt: skip
        wanted = fields or self.query.get("fields", "*all").split(",")
        shown = everything if "*all" in wanted or "*navigable" in wanted else {n: everything.get(n) for n in wanted}
        result = {"id": issue.id, "key": issue.key, "self": self.at(f"issue/{issue.id}"),
                "fields": shown, **self.extras(issue)}  # fmt: skip
        return result

    def extras(self, issue: Issue) -> dict[str, Any]:
        result: dict[str, Any] = {}
        if asked := self.query.get("properties", ""):
            every = "*all" in asked.split(",")
            result["properties"] = {k: v for k, v in issue.properties.items() if every or k in asked.split(",")}
        if "changelog" in self.query.get("expand", ""):
            entries = [
                {**entry, "author": self.person(entry["author"]), "created": stamp(entry["created"])}
                for entry in reversed(issue.history)
            ]
            result["changelog"] = {
                "startAt": 0,
                "maxResults": len(entries),
                "total": len(entries),
                "histories": entries,
            }
        return result

    def editmeta(self, issue: Issue) -> tuple[int, Any]:
        kinds = {"summary": "string", "labels": "array", **self.jira.custom}
        if "EDIT_ISSUES" not in self.jira.allowed:
            kinds = {}
        return 200, {"fields": {
            name: {"required": False, "schema": {"type": kind}, "name": name, "key": name, "operations": ["set"],
                   **({"allowedValues": [{"id": str(n), "value": v} for n, v in enumerate(self.jira.options[name])]}
                      if name in self.jira.options else {})}
            for name, kind in kinds.items()
        }}  # fmt: skip

    def transitions(self, issue: Issue) -> tuple[int, Any]:
        there = [t for t in WORKFLOW if issue.status in t[2] and "TRANSITION_ISSUES" in self.jira.allowed]
        if self.method == "GET":
            return 200, {"transitions": [
                {"id": i, "name": name, "to": {"id": STATUS_ID[to], "name": to,
                 "statusCategory": {"id": CATEGORY[to][1], "key": CATEGORY[to][0]}}} for i, name, _, to in there
            ]}  # fmt: skip
        asked = self.body.get("transition") if isinstance(self.body, dict) else None
        # Clients send numbers and Jira takes them, though its schema says text.
        wanted = str(asked.get("id", "")) if isinstance(asked, dict) else ""
        self.body = {**(self.body or {}), "transition": {"id": wanted}}
        self.asked_shape("IssueUpdateDetails")
        fitting = [t for t in there if t[0] == wanted]
        if not fitting:
            raise Problem(
                400,
                f"It seems that you have tried to perform a workflow operation ({wanted}) that is not valid for the current state of this issue.",
            )
        entry = self.jira.shop.move(issue, fitting[0][3], self.by)
        self.jira.event("jira:issue_updated", issue, self.by, entry)
        return 204, None

    def links(self, issue: Issue) -> tuple[int, Any]:
        wanted = self.query.get("globalId", "")
        if self.method == "GET":
            return 200, [link for name, link in issue.links.items() if not wanted or name == wanted]
        if self.method == "DELETE":
            if issue.links.pop(wanted, None) is None:
                raise Problem(404, f"No remote link found with globalId: {wanted}")
            return 204, None
        asked = self.asked_shape("RemoteIssueLinkRequest")
        self.need("LINK_ISSUES", 403, "No Link Issue Permission for issue.")
        return self.linked(issue, asked)

    def linked(self, issue: Issue, asked: dict[str, Any]) -> tuple[int, Any]:
        """What a repeated request leaves out is set to null, as Jira does."""
        name = asked.get("globalId") or f"link-{self.jira.shop.next_id()}"
        known = issue.links.get(name)
        number = int(known["id"] if known else self.jira.shop.next_id())
        empty = {"url": None, "title": None, "summary": None, "icon": {}, "status": {}}
        issue.links[name] = {
            "id": number, "globalId": name, "application": asked.get("application") or {},
            "relationship": asked.get("relationship") or "", "object": {**empty, **asked["object"]},
            "self": self.at(f"issue/{issue.key}/remotelink/{number}"),
        }  # fmt: skip
        return (200 if known else 201), {"id": number, "self": issue.links[name]["self"]}

    # Comments and properties.

    def comment_json(self, issue: Issue, comment: Comment) -> dict[str, Any]:
        result = {
            "id": comment.id, "author": self.person(comment.author), "updateAuthor": self.person(comment.author),
            "body": self.text_as_returned(comment.body), "created": stamp(comment.created), "updated": stamp(comment.updated),
            "self": self.at(f"issue/{issue.id}/comment/{comment.id}"),
        }  # fmt: skip
        if "properties" in self.query.get("expand", "") and not self.jira.hides_properties:
            result["properties"] = [{"key": k, "value": v} for k, v in comment.properties.items()]
        if self.version == "3" and (fault := contract.shape_fault("Comment", result)):
            raise AssertionError(fault)
        return result

    def comments(self, issue: Issue) -> tuple[int, Any]:
        if self.method == "GET":
            ordered = sorted(
                issue.comments.values(), key=lambda c: int(c.id), reverse="-created" in self.query.get("orderBy", "")
            )
            start, most = int(self.query.get("startAt", 0)), min(int(self.query.get("maxResults", 50)), 100)
            page = [self.comment_json(issue, c) for c in ordered[start : start + most]]
            return 200, {"comments": page, "startAt": start, "maxResults": most, "total": len(ordered)}
        asked = self.asked_shape("Comment")
        self.need("ADD_COMMENTS", 403, "You do not have the permission to comment on this issue.")
        body = self.rich(asked.get("body"), "comment")
        if not contract.text_of(body).strip():
            raise Problem(400, comment="Comment body can not be empty!")
        self.comment_of(issue, body, asked.get("properties") or [])
        return 201, self.comment_json(issue, list(issue.comments.values())[-1])

    def comment_of(self, issue: Issue, body: Any, properties: list[dict[str, Any]] = []) -> "Event":  # noqa: B006
        now = self.jira.shop.now()
        comment = Comment(self.jira.shop.next_id(), self.by, body, now, now)
        for entry in properties:
            self.put_property(comment.properties, entry["key"], entry["value"])
        issue.comments[comment.id] = comment
        self.jira.shop.touched(issue)
        return self.comment_event("comment_created", issue, comment)

    def comment_event(self, name: str, issue: Issue, comment: Comment) -> "Event":
        result = {**self.comment_json(issue, comment), "body": contract.text_of(comment.body)}
        return self.jira.event(name, issue, self.by, comment=result)

    def one_comment(self, issue: Issue, comment_id: str) -> tuple[int, Any]:
        comment = issue.comments.get(comment_id)
        if comment is None:
            raise Problem(404, f"Can not find a comment for the id: {comment_id}.")
        if self.method == "DELETE":
            del issue.comments[comment_id]
            return 204, None
        if self.method == "PUT":
            asked = self.asked_shape("Comment")
            if comment.author != self.by or "EDIT_OWN_COMMENTS" not in self.jira.allowed:
                raise Problem(403, "You do not have the permission to edit this comment.")
            self.quietly()
            comment.body, comment.updated = self.rich(asked.get("body"), "comment"), self.jira.shop.now()
            for entry in asked.get("properties") or ():
                self.put_property(comment.properties, entry["key"], entry["value"])
            self.jira.shop.touched(issue)
            self.comment_event("comment_updated", issue, comment)
        return 200, self.comment_json(issue, comment)

    def any_comment(self, comment_id: str) -> Comment:
        for issue in self.jira.shop.issues.values():
            if comment_id in issue.comments:
                return issue.comments[comment_id]
        raise Problem(404, f"Can not find a comment for the id: {comment_id}.")

    def properties(self, held: dict[str, Any], rest: list[str]) -> tuple[int, Any]:
        if not rest:
            return 200, {"keys": [{"key": key, "self": f"{self.jira.url}/{key}"} for key in held]}
        key = rest[0]
        if self.method == "PUT":
            return self.put_property(held, key, self.body), None
        if key not in held:
            raise Problem(404, f"The property {key} does not exist.")
        if self.method == "DELETE":
            del held[key]
            return 204, None
        return 200, {"key": key, "value": held[key]}

    # Search.

    def search(self) -> tuple[int, Any]:
        new = self.steps[1:] == ["jql"]
        if new and not self.jira.cloud:
            raise Problem(404, "null for uri: search/jql")
        if not new and self.jira.cloud:
            raise Problem(410, OLD_SEARCH)
        asked: dict[str, Any] = dict(self.query)
        if self.method == "POST":
            asked = self.asked_shape("SearchAndReconcileRequest")
        if new and not re.search(r"[=<>]|\bin\b", asked.get("jql", ""), re.IGNORECASE):
            raise Problem(
                400, "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
            )
        reconcile = asked.get("reconcileIssues") or []
        reconcile = reconcile.split(",") if isinstance(reconcile, str) else reconcile
        try:
            found = self.jira.shop.search(asked.get("jql", ""), {str(i) for i in reconcile})
        except ValueError as error:
            raise Problem(400, str(error)) from error
        if "BROWSE_PROJECTS" not in self.jira.allowed:
            found = []
        return self.token_page(asked, found) if new else self.counted_page(asked, found)

    def token_page(self, asked: dict[str, Any], found: list[Issue]) -> tuple[int, Any]:
        start, most = int(asked.get("nextPageToken") or 0), min(int(asked.get("maxResults") or 50), 5000)
        fields = _listed(asked.get("fields"))
        page = [self.issue_json(i, fields) if fields else {"id": i.id} for i in found[start : start + most]]
        last = start + most >= len(found)
        return 200, {"issues": page, "isLast": last, **({} if last else {"nextPageToken": str(start + most)})}

    def counted_page(self, asked: dict[str, Any], found: list[Issue]) -> tuple[int, Any]:
        start, most = int(asked.get("startAt") or 0), min(int(asked.get("maxResults") or 50), 1000)
        page = [self.issue_json(i, _listed(asked.get("fields")) or ["*navigable"]) for i in found[start : start + most]]
        return 200, {"issues": page, "startAt": start, "maxResults": most, "total": len(found)}


def _listed(fields: Any) -> list[str]:
    return fields.split(",") if isinstance(fields, str) and fields else list(fields or [])


def _token(jira: "JiraFake", asked: Any) -> tuple[int, Any]:
    good = {"grant_type": "client_credentials", "client_id": "client", "client_secret": jira.secret}
    if not isinstance(asked, dict) or any(asked.get(k) != v for k, v in good.items()):
        return 401, {"error": "access_denied", "error_description": "Unauthorized"}
    token = secrets.token_urlsafe(12)
    jira.tokens[token] = time.monotonic() + 3600
    return 200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
