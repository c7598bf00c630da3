"""The Celery application of beat. It sends tasks by their names, so it does not import them."""

from celery import Celery

app = Celery("incident_graph_clock")
app.config_from_object("django.conf:settings", namespace="CELERY")
