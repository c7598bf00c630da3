"""Investigates one incident: collect, find similar ones, decide, save. Each step has limits in time and attempts.

| step    | where                          | on failure                                                    |
|---------|--------------------------------|---------------------------------------------------------------|
| claim   | `incidents.investigations`     | another worker has it: nothing to do                          |
| scope   | `investigate.scope`            | another attempt later; after the last one dead, visible       |
| collect | `evidence.collect`             | a check that cannot answer is unknown with a reason           |
| earlier | `investigate.earlier`          | what is unknown now and was seen by an earlier look stays     |
| similar | `investigate.similar`          | the verdict does without similar incidents                    |
| decide  | `investigate.decide`           | pure; abstains if the evidence is not enough                  |
| save    | `incidents.investigations`     | one transaction, which also queues notifications and graph    |
"""

from dataclasses import replace

import structlog

from evidence.bundles import pack_answers
from incidents import investigations, queries
from incidents.models import Incident, Investigation
from investigate.decide import decide, with_unusual
from investigate.earlier import with_earlier
from investigate.scope import scope_of_incident
from investigate.similar import similar

log = structlog.get_logger()


def investigate(investigation_id: int) -> str:
    """Collect the evidence of the most urgent incident and rank its causes; its id, empty without a new verdict."""
    investigation = investigations.claim_most_urgent(investigation_id)
    if investigation is None:
        return ""
    try:
        _look(investigation, investigation.incident)
    except Exception as error:  # outermost level of a task: any error counts as an attempt
        log.exception("investigation_failed", incident=str(investigation.incident_id))
        investigations.fail_investigation(investigation, str(error))
        return ""
    return str(investigation.incident_id)


def _look(investigation: Investigation, incident: Incident) -> None:
    incident_scope = scope_of_incident(incident, investigation)
    scope = incident_scope.scope
    collected = incident_scope.collect()
    findings = with_earlier(scope, collected.findings, queries.findings(incident))
    collected = with_unusual(scope, replace(collected, findings=findings))
    verdict = decide(scope, collected.findings, similar(incident, collected.findings))
    investigations.save_look(investigation, scope.as_of, collected.findings, pack_answers(collected.answers), verdict)
