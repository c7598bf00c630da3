"""The doors' addresses, with and without a trailing slash: a redirect would lose the alert."""

from django.urls import path

from ingest import ticket_door
from ingest.receive import door

ALERTS, TICKETS = "ingest/<str:kind>/<str:name>", "tickets/<str:name>/webhook"

urlpatterns = [
    path(ALERTS, door),
    path(f"{ALERTS}/", door),
    path(TICKETS, ticket_door.door),
    path(f"{TICKETS}/", ticket_door.door),
    path(f"{TICKETS}/<str:path>", ticket_door.door),
    path(f"{TICKETS}/<str:path>/", ticket_door.door),
]
