"""`entity show`, `entity merge` and `entity unmerge`: what names mean one entity, and why."""

from argparse import ArgumentParser
from typing import Any

from config.management.verb import Verb, prepare_record
from connections.declared import connections_for
from domain.text import Text
from incidents import entity_reads
from incidents.same_entity import entity_named, merge, unmerge

BY = "command line"


class Command(Verb):
    help = "Show what is known of an entity, say that two are one, or take them apart. Keys stand on incidents' pages."
    examples = (
        "entity show Host/prod-a//worker-1",
        "entity merge Host/prod-a//192.0.2.21 Host/prod-a//worker-1 --because 'its address'",
        "entity unmerge Host/prod-a//192.0.2.21",
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        show = actions.add_parser("show", help="its names, relations and incidents, each with its proof")
        show.add_argument("key", help="kind/cluster/namespace/name")
        merging = actions.add_parser("merge", help="everything about the first is about the second from now on")
        merging.add_argument("key", help="the entity that is the other one")
        merging.add_argument("into", help="the entity that stays")
        merging.add_argument("--because", required=True, help="what names both; it is kept in the audit trail")
        apart = actions.add_parser("unmerge", help="let a merged entity stand for itself again")
        apart.add_argument("key", help="the entity that was merged")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare_record()
        one = entity_named(options["key"])
        if options["action"] == "merge":
            reason = Text.rendered(options["because"], options["because"])
            changed = merge(one, entity_named(options["into"]), BY, reason, connections_for)
            self.stdout.write(f"{one.key} is {options['into']} now; incidents that changed: {changed}")
        elif options["action"] == "unmerge":
            changed = unmerge(one, BY, connections_for)
            self.stdout.write(f"{one.key} stands for itself again; incidents that changed: {changed}")
        else:
            self.stdout.write("\n".join(_lines(entity_reads.known(one))))


def _lines(known: entity_reads.Known) -> list[str]:
    entity = known.entity
    lines = [entity.key + (f" is {entity.merged_into.key}" if entity.merged_into else "")]
    lines += [f"  also {n.name}: {n.because.en if n.because else 'no proof is stored'}" for n in known.names]
    lines += [f"  holds {m.key}: merged by {m.by}, {m.because}" for m in known.merged]
    for relation in known.relations:
        ends = f"{relation.kind} {relation.other}" if relation.outward else f"of {relation.other} {relation.kind}"
        lines.append(f"  {ends}: {relation.because.en if relation.because else 'no proof is stored'}")
    return lines + [f"  incident #{i.number} {i.state} {i.title}" for i in known.incidents]
