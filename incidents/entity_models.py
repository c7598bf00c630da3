"""The tables of entities, their names and relations, and of what changed them."""

from django.db import models


class Entity(models.Model):
    """One entity, identified across the names that monitoring systems use for it."""

    key = models.CharField(max_length=500, unique=True)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=253)
    cluster = models.CharField(max_length=100, blank=True, default="")
    namespace = models.CharField(max_length=100, blank=True, default="")
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged",
        help_text="the entity that a person said this one is; alerts keep this row, so that it can be taken apart",
    )  # fmt: skip

    def __str__(self) -> str:
        return self.key


class EntityAlias(models.Model):
    """Another name under which a monitoring system knows an entity, within its cluster, and the proof of it."""

    entity = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="aliases")
    kind = models.CharField(max_length=20)
    cluster = models.CharField(max_length=100, blank=True, default="")
    alias = models.CharField(max_length=253)
    because = models.JSONField(default=dict, help_text="the statement that names both, as a Text")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "alias", "cluster"], name="one_entity_of_an_alias")]

    def __str__(self) -> str:
        return self.alias


class EntityRelation(models.Model):
    """`start` depends on `end`; declared, or found in the labels of an alert."""

    start = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="relations")
    kind = models.CharField(max_length=20)
    end = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="dependants")
    because = models.JSONField(default=dict, help_text="where the relation came from, as a Text")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["start", "kind", "end"], name="one_relation")]

    def __str__(self) -> str:
        return f"{self.start} {self.kind} {self.end}"


class Change(models.Model):
    """A deploy, commit or configuration change."""

    kind = models.CharField(max_length=20)
    reference = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=300)
    at = models.DateTimeField(db_index=True)
    url = models.URLField(max_length=500, blank=True, default="")
    entities = models.ManyToManyField(Entity, related_name="changes")

    def __str__(self) -> str:
        return self.title
