"""The doors' addresses, with and without a trailing slash: a redirect would lose the alert."""

from django.urls import path

from ingest.receive import door

urlpatterns = [path("<str:kind>/<str:name>", door), path("<str:kind>/<str:name>/", door)]
