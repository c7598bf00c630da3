"""The pages' addresses."""

from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.i18n import set_language

from web.pages import causes, connections, deliveries, entities, incident, incident_list, outbox, sign_in, sources

urlpatterns = [
    path("", incident_list.page, name="incidents"),
    path("incidents/stamp/", incident_list.stamp, name="incidents-stamp"),
    path("incidents/<str:incident_id>/", incident.page, name="incident"),
    path("incidents/<str:incident_id>/stamp/", incident.stamp, name="incident-stamp"),
    path("incidents/<str:incident_id>/acknowledge/", incident.acknowledge, name="acknowledge"),
    path("incidents/<str:incident_id>/feedback/", incident.give_feedback, name="feedback"),
    path("entities/", entities.page, name="entity"),
    path("entities/merge/", entities.merge_into, name="merge-entities"),
    path("entities/take-apart/", entities.take_apart, name="take-apart"),
    path("causes/", causes.page, name="causes"),
    path("sources/", sources.page, name="sources"),
    path("sources/try/", sources.try_body, name="try-body"),
    path("connections/", connections.page, name="connections"),
    path("connections/<path:name>/check/", connections.check_now, name="check-connection"),
    path("outbox/", outbox.page, name="outbox"),
    path("outbox/again/", outbox.send_all_again, name="send-all-again"),
    path("outbox/<int:row_id>/again/", outbox.send_again, name="send-again"),
    path("deliveries/", deliveries.page, name="deliveries"),
    path("deliveries/<uuid:delivery_id>/", deliveries.one, name="delivery"),
    path("deliveries/<uuid:delivery_id>/replay/", deliveries.replay, name="replay-delivery"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("language/", set_language, name="set_language"),
]
