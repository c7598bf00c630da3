"""The API's addresses."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from web.api import enriching, health, outbox, outside, views

V1 = "api/v1/"
ONE = V1 + "incidents/<str:incident_id>/"

urlpatterns = [
    path(V1 + "incidents/", views.Incidents.as_view()),
    path(ONE, views.OneIncident.as_view()),
    path(ONE + "verdict/", views.OneVerdict.as_view()),
    path(ONE + "timeline/", views.Timeline.as_view()),
    path(ONE + "similar/", views.Similar.as_view()),
    path(ONE + "feedback/", views.GiveFeedback.as_view()),
    path(ONE + "acknowledge/", views.Acknowledge.as_view()),
    path(ONE + "bundle/", outside.SaveBundle.as_view()),
    path(ONE + "postmortem/", outside.Postmortem.as_view(), name="api-postmortem"),
    path(V1 + "tickets/enrich/", enriching.Enrich.as_view()),
    path(V1 + "causes/", views.Causes.as_view()),
    path(V1 + "checks/", views.Checks.as_view()),
    path(V1 + "changes/", views.Changes.as_view()),
    path(V1 + "deliveries/", views.Deliveries.as_view()),
    path(V1 + "deliveries/<uuid:delivery_id>/replay/", views.ReplayDelivery.as_view()),
    path(V1 + "outbox/", outbox.OutboxRows.as_view()),
    path(V1 + "outbox/redrive/", outbox.RedriveTarget.as_view()),
    path(V1 + "outbox/<int:row_id>/redrive/", outbox.RedriveRow.as_view()),
    path("api/schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs", health.docs, name="api-docs"),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
]
