"""One incident's look: collect, find similar ones, decide, save. Each step is bounded in time and attempts.

| step    | where                          | on failure                                                    |
|---------|--------------------------------|---------------------------------------------------------------|
| claim   | `incidents.investigations`     | somebody else has it: nothing to do                           |
| scope   | `investigate.scope`            | another attempt later; after the last one dead, visible       |
| collect | `evidence.collect`             | a check that cannot answer is unknown with a reason           |
| similar | `investigate.similar`          | costs the history, not the verdict                            |
| decide  | `investigate.decide`           | pure; abstains rather than guesses                            |
| save    | `incidents.investigations`     | one transaction; people and the graph are told by it          |
"""

import structlog

from evidence.bundles import pack_answers
from incidents import investigations
from incidents.models import Incident, Investigation
from investigate.decide import decide, with_unusual
from investigate.scope import scope_of_incident
from investigate.similar import similar

log = structlog.get_logger()


def investigate(investigation_id: int) -> str:
    """Collect the evidence of one incident and rank its causes; the incident's id if there is a new verdict."""
    investigation = investigations.claim_investigation(investigation_id)
    if investigation is None:
        return ""
    try:
        _look(investigation, investigation.incident)
    except Exception as error:  # the border of a task: what is not expected counts as an attempt too
        log.exception("investigation_failed", incident=str(investigation.incident_id))
        investigations.fail_investigation(investigation, str(error))
        return ""
    return str(investigation.incident_id)


def _look(investigation: Investigation, incident: Incident) -> None:
    incident_scope = scope_of_incident(incident, investigation)
    scope = incident_scope.scope
    collected = with_unusual(scope, incident_scope.collect())
    verdict = decide(scope, collected.findings, similar(incident, collected.findings))
    investigations.save_look(investigation, scope.as_of, collected.findings, pack_answers(collected.answers), verdict)
