"""Tables get the field's names: guesses and watches, the graph's own queue; what is sent out moves to `notify`."""

import json
import uuid

import django.db.models.deletion
from django.db import migrations, models



def queue_of_the_graph(apps, schema_editor):
    """What still waits for the graph goes on waiting in its own queue; what is done needs no row there."""
    outbox = apps.get_model("incidents", "Outbox")
    queue = apps.get_model("incidents", "GraphQueue")
    known = {str(pk) for pk in apps.get_model("incidents", "Incident").objects.values_list("pk", flat=True)}
    rows = outbox.objects.filter(target="graph")
    queue.objects.bulk_create(
        [queue(incident_id=row.object, attempts=row.attempts,
               wanted_at=row.wanted_at or row.next_at, next_at=row.next_at, reason=row.reason)
         for row in rows.filter(state="waiting") if row.object in known],
        ignore_conflicts=True, batch_size=500,
    )
    rows.delete()


def words_of_the_watch(apps, schema_editor):
    """What a watcher reported goes on under the new names of its fields."""
    for lease in apps.get_model("incidents", "WatchLease").objects.all():
        groups = json.loads(bytes(lease.state))
        for group in groups:
            group["reported_at"] = group.pop("told_at", None)
            group["has_unreported"] = group.pop("news", False)
            group["occurrences"] = group.pop("moments", [])
            group["key"]["failure"] = group["key"].pop("trouble", "")
        lease.state = json.dumps(groups).encode()
        lease.save(update_fields=["state"])


class Migration(migrations.Migration):

    dependencies = [("incidents", "0014_recorded_names")]

    operations = [
        migrations.RenameModel("Guess", "LoginFailure"),
        migrations.RenameModel("Watch", "WatchLease"),
        migrations.RenameField("watchlease", "heard_at", "observed_at"),
        migrations.RenameField("watchlease", "folds", "state"),
        migrations.AlterField(
            "watchlease", "state",
            models.BinaryField(default=b"[]", help_text="what was reported and is not over, as JSON"),
        ),
        migrations.CreateModel(
            name="GraphQueue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.UUIDField(default=uuid.uuid4, help_text="another one each time the incident changes")),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("wanted_at", models.DateTimeField(help_text="since when this waits")),
                ("next_at", models.DateTimeField(db_index=True)),
                ("reason", models.TextField(blank=True, default="")),
                ("incident", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE,
                                                  related_name="graph_queue", to="incidents.incident")),
            ],
        ),
        migrations.RunPython(words_of_the_watch, migrations.RunPython.noop),
        migrations.RunPython(queue_of_the_graph, migrations.RunPython.noop),
    ]
