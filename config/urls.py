"""All URLs, from the rooms that serve them."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("ingest.urls")),
    path("", include("notify.urls")),
    path("", include("web.api.urls")),
    path("", include("web.urls")),
]

handler400 = "web.pages.errors.not_understood"
handler404 = "web.pages.errors.not_found"
handler500 = "web.pages.errors.failed"
