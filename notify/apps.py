"""Notifications as a Django app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class NotifyConfig(AppConfig):
    """Outbox, targets, and what ticket systems send back."""

    name = "notify"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The outbox listens to changes of incidents from the start."""
        autodiscover_modules("outbox")
