"""The Celery application. A task only starts work; what is to be done is a row in the record."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("incident_graph")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
