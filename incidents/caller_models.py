"""The tables of who calls: tokens, failed sign-ins, repeated calls, watchers, and the audit trail."""

from django.db import models


class AuditEntry(models.Model):
    """Who did what, when."""

    at = models.DateTimeField(auto_now_add=True)
    by = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    object = models.CharField(max_length=200, blank=True, default="")
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.at} {self.by} {self.action}"


class AnsweredCall(models.Model):
    """The answer to a call with an `Idempotency-Key`, so that a repeated call does nothing more."""

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    asked = models.CharField(max_length=64, help_text="SHA-256 of method, path and body")
    status = models.PositiveSmallIntegerField(default=0)
    body = models.BinaryField(default=b"")
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_answer_of_a_key")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class ApiToken(models.Model):
    """A bearer token of the API, stored as SHA-256, with its scopes."""

    name = models.CharField(max_length=80, unique=True)
    token_hash = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=8)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class LoginFailure(models.Model):
    """Failed attempts at a password or token, by a key from which nobody can read what was typed or who typed it."""

    key = models.CharField(max_length=64, unique=True)
    failures = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(db_index=True)
    until = models.DateTimeField(null=True, help_text="attempts before are refused unseen")

    def __str__(self) -> str:
        return f"{self.key[:8]}… {self.failures}"


class WatchLease(models.Model):
    """Which process watches one declared cluster, until when, what it reported, and its last error."""

    name = models.CharField(max_length=80, unique=True)
    holder = models.CharField(max_length=80, blank=True, default="")
    held_until = models.DateTimeField(null=True, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True, help_text="when the API last said anything")
    error = models.TextField(blank=True, default="")
    state = models.BinaryField(default=b"[]", help_text="what was reported and is not over, as JSON")

    def __str__(self) -> str:
        return self.name
