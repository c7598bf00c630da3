"""All addresses."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("ingest.urls")),
    path("", include("web.api.urls")),
    path("", include("web.urls")),
]
