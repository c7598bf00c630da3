"""URLs of alert sources, with and without a trailing slash, as a redirect would lose the alert."""

from django.urls import path

from ingest.receive import door, door_of_api

ALERTS = "ingest/<str:kind>/<str:name>"
# What Prometheus, vmalert and the rulers of Thanos, Mimir and Cortex add to the address of an Alertmanager.
APIS = ("ingest/alertmanager/<str:name>/api/v1/alerts", "ingest/alertmanager/<str:name>/api/v2/alerts")

urlpatterns = [
    *(path(f"{ALERTS}{end}", door) for end in ("", "/")),
    *(path(f"{api}{end}", door_of_api) for api in APIS for end in ("", "/")),
]
