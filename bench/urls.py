"""The product's URLs, and a bare view that authenticates and inserts one row."""

import hashlib
import hmac

from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from incidents.models import Delivery, Source


@csrf_exempt
def bare(request: HttpRequest) -> JsonResponse:
    """What any Django view would do at least: look the sender up, compare the token, insert the body."""
    source = Source.objects.get(kind="alertmanager", name="bench")
    given = request.headers["Authorization"].removeprefix("Bearer ")
    if not hmac.compare_digest(hashlib.sha256(given.encode()).hexdigest(), source.token_hash):
        return JsonResponse({}, status=401)
    row = Delivery.objects.create(source=source, received_at=timezone.now(), body=request.body)
    return JsonResponse({"id": str(row.pk)}, status=202)


urlpatterns = [path("bare/", bare), path("", include("config.urls"))]
