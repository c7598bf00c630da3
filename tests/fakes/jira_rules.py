"""What Jira takes and what it refuses: shapes, limits, permissions, in the wordings of the real ones."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.fakes import jira_contract as contract
from tests.fakes.jira_issues import Issue

if TYPE_CHECKING:
    from tests.fakes.jira import JiraFake

TEXT_LIMIT, SUMMARY_LIMIT, LABEL_LIMIT, PROPERTY_LIMIT = 32_767, 255, 255, 32_768
NO_ISSUE = "Issue does not exist or you do not have permission to see it."
OLD_SEARCH = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."
OWN_FIELDS = {"project", "issuetype", "summary", "description", "labels", "priority", "assignee", "reporter", "parent"}


class Problem(Exception):
    """A refusal, as Jira words it."""

    def __init__(self, status: int, *messages: str, **errors: str) -> None:
        super().__init__(status)
        self.status, self.messages, self.errors = status, list(messages), errors

    def body(self) -> dict[str, Any]:
        return {"errorMessages": self.messages, "errors": self.errors}


@dataclass
class Rules:
    """One request and the rules that it is held to; `by` is the caller, empty for a stranger."""

    jira: "JiraFake"
    method: str
    steps: list[str]
    query: dict[str, str]
    body: Any
    by: str
    version: str = "3"

    def asked_shape(self, name: str) -> dict[str, Any]:
        """The body, if it is of the published shape."""
        if not isinstance(self.body, dict):
            raise Problem(400, "The request body is not a JSON object.")
        fault = contract.shape_fault(name, self.body)
        if fault and (self.version == "3" or name not in {"Comment"}):
            raise Problem(400, f"Invalid request payload: {fault}")
        return self.body

    def at(self, path: str) -> str:
        return f"{self.jira.url}/rest/api/{3 if self.jira.cloud else 2}/{path}"

    def person(self, name: str) -> dict[str, Any]:
        own = {"displayName": name.title(), "active": True, "self": f"{self.jira.url}/rest/api/2/user?id={name}"}
        if self.jira.cloud:
            return {**own, "accountId": f"557058:{name}", "accountType": "atlassian"}
        return {**own, "name": name, "key": f"JIRAUSER-{name}", "emailAddress": f"{name}@example.com"}

    def need(self, permission: str, status: int, message: str) -> None:
        if permission not in self.jira.allowed:
            raise Problem(status, message)

    def issue(self, key: str) -> Issue:
        found = self.jira.shop.find(key)
        if found is None or "BROWSE_PROJECTS" not in self.jira.allowed:
            raise Problem(404, NO_ISSUE)
        return found

    def rich(self, value: Any, field: str) -> Any:
        """A text as this version takes it: a document in v3, wiki text in v2."""
        if self.version == "3":
            if fault := contract.document_fault(value):
                message = "Operation value must be an Atlassian Document" if "not an ADF" in fault else "INVALID_INPUT"
                raise Problem(400, **{field: f"{message} (see the Atlassian Document Format)"})
        elif not isinstance(value, str):
            raise Problem(400, **{field: "Operation value must be a string"})
        if contract.units(contract.text_of(value)) > TEXT_LIMIT:
            raise Problem(
                400, **{field: "The entered text is too long. It exceeds the allowed limit of 32,767 characters."}
            )
        return value

    def text_as_returned(self, value: Any) -> Any:
        """A stored text as this version of the API returns it."""
        if self.version == "3":
            return value if isinstance(value, dict) else contract.document_of(value)
        return contract.text_of(value)

    def checked(self, fields: dict[str, Any]) -> dict[str, Any]:
        errors: dict[str, str] = {}
        for name, value in fields.items():
            if name not in OWN_FIELDS and name not in self.jira.custom:
                errors[name] = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            elif fault := self.field_fault(name, value):
                errors[name] = fault
        if errors:
            raise Problem(400, **errors)
        if fields.get("description") is not None:
            self.rich(fields["description"], "description")
        return fields

    def field_fault(self, name: str, value: Any) -> str:
        if name == "summary":
            if contract.units(value) > SUMMARY_LIMIT:
                return "Summary must be less than 255 characters."
            if "\n" in value or "\r" in value:
                return "The summary is invalid because it contains newline characters."
            return "" if value.strip() else "You must specify a summary of the issue."
        if name == "labels":
            return next((fault for label in value if (fault := label_fault(label))), "")
        kind = self.jira.custom.get(name)
        if kind == "number" and not isinstance(value, int | float | None):
            return "Operation value must be a number"
        if kind == "string" and not isinstance(value, str | None):
            return "Operation value must be a string"
        if kind == "option" and (not isinstance(value, dict) or value.get("value") not in self.jira.options[name]):
            return f"Option value '{value}' is not valid"
        return ""

    def quietly(self) -> None:
        if self.query.get("notifyUsers") == "false" and not self.jira.admin:
            raise Problem(
                403, "To discard the user notification either admin or project admin permissions are required."
            )

    def put_property(self, held: dict[str, Any], key: str, value: Any) -> int:
        if len(key) > 255 or len(str(value)) > PROPERTY_LIMIT:
            raise Problem(400, "The property key or value is too long.")
        was, held[key] = key in held, value
        return 200 if was else 201


def label_fault(label: str) -> str:
    """Jira's message on a label that it does not take."""
    if re.search(r"\s", label):
        return f"The label '{label}' contains spaces which is invalid."
    return (
        f"The label '{label[:20]}...' exceeds the maximum length of 255 characters." if len(label) > LABEL_LIMIT else ""
    )
