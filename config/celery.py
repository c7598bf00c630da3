"""The Celery application; tasks are nudges, the rows in the record are the messages."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("incident_graph")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
