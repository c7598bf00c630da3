"""The record as a Django app."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """The relational record of everything."""

    name = "incidents"
    default_auto_field = "django.db.models.BigAutoField"
