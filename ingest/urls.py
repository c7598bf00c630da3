"""URLs of alert sources, with and without a trailing slash, as a redirect would lose the alert."""

from django.urls import path

from ingest.receive import door

ALERTS = "ingest/<str:kind>/<str:name>"

urlpatterns = [path(ALERTS, door), path(f"{ALERTS}/", door)]
