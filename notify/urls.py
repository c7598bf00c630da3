"""The doors of ticket systems, with and without a trailing slash: a redirect would lose the event."""

from django.urls import path

from notify import webhook

TICKETS = "tickets/<str:name>/webhook"

urlpatterns = [
    path(TICKETS, webhook.door),
    path(f"{TICKETS}/", webhook.door),
    path(f"{TICKETS}/<str:path>", webhook.door),
    path(f"{TICKETS}/<str:path>/", webhook.door),
]
