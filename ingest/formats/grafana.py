"""What Grafana's alerting adds to an alert: rules without data or with an error, values, and test notifications."""

from collections.abc import Mapping

# The alert's name for a rule that could not be evaluated, and what its title begins with.
BROKEN_RULES = {"DatasourceNoData": "No data", "DatasourceError": "Error"}
TEST_NAME = "TestAlert"
# Of Grafana's own and of an Alertmanager that Grafana manages.
TEST_INSTANCES = ("Grafana", "Alertmanager")
TEST_SUMMARY = "Notification test"
# Of its legacy alerting.
TEST_RULE = "Test notification"
TEST_MESSAGE = "someone is testing the alert notification within grafana"
MOST_VALUES, VALUE_CUT = 20, 80


def rule_name(labels: Mapping[str, str]) -> str:
    """The name of the rule: of one that could not be evaluated, the alert's name says only that."""
    name = labels.get("alertname", "")
    return labels.get("rulename") or name if name in BROKEN_RULES else name


def title_of_broken(labels: Mapping[str, str]) -> str:
    """E.g. `No data: etcd leader lost`; empty for a rule that could be evaluated, or whose name is not there."""
    beginning, rule = BROKEN_RULES.get(labels.get("alertname", "")), labels.get("rulename", "")
    return f"{beginning}: {rule}" if beginning and rule else ""


def is_test(labels: Mapping[str, str], annotations: Mapping[str, str]) -> bool:
    """Whether somebody pressed the button that tests a contact point or a notification channel."""
    name = labels.get("alertname", "")
    if name == TEST_NAME:
        return labels.get("instance", "") in TEST_INSTANCES or annotations.get("summary") == TEST_SUMMARY
    return name == TEST_RULE and annotations.get("description", "").lower().startswith(TEST_MESSAGE)


def values_text(values: object) -> str:
    """The values of the rule's expressions, e.g. `A = 12.3, B = 1`; empty when none were sent."""
    if not isinstance(values, dict):
        return ""
    shown = [f"{key} = {value}"[:VALUE_CUT] for key, value in values.items() if isinstance(value, int | float | str)]
    return ", ".join(shown[:MOST_VALUES])
