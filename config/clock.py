"""The Celery application of beat alone: it sends tasks by their names, so it loads none of what they need."""

from celery import Celery

app = Celery("incident_graph_clock")
app.config_from_object("django.conf:settings", namespace="CELERY")
