"""The sign-in page, and its brake on guessing: by account name and by client address.

A browser that has signed in before carries a signed mark of its account: its attempts count by themselves, so that
nobody can keep the owner out by guessing wrong on purpose.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from incidents import audit, login_failures
from incidents.callers import client_address
from incidents.login_failures import Attempt, Subject

MARK, MARK_LIFE_S = "known-browser", 365 * 24 * 3600
INTRODUCTION, INTRODUCTION_LIFE_S = "introduced-browser", 15 * 60


class SignInForm(AuthenticationForm):
    """Name and password, looked at only when it is time; `wait_s` is set where it is not."""

    wait_s = 0

    def clean(self) -> dict[str, Any]:
        """The user, or the one answer for every refusal. Raises ValidationError."""
        name = self.cleaned_data.get("username")
        if not name or not self.cleaned_data.get("password"):
            return self.cleaned_data
        counted = subjects(self.request, name)
        attempt = login_failures.begin(counted, timezone.now())
        if not attempt.allowed:
            self.wait_s = attempt.wait_s
            raise ValidationError("too early", code="wait")
        try:
            fits = super().clean()
        except ValidationError:
            _note(self.request, name, attempt)
            raise
        login_failures.right(counted)
        return fits


class SignIn(LoginView):
    """`/sign-in/`"""

    template_name = "web/sign_in.html"
    form_class = SignInForm
    redirect_authenticated_user = True

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; an address that `manage.py known_browser` printed makes this browser a known one first."""
        name = _introduced(request.GET.get("known", ""))
        if not name:
            return super().get(request, *args, **kwargs)
        return _marked(redirect("sign-in"), name)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Signed in, and from now on a known browser."""
        answer = super().form_valid(form)
        name = form.get_user().get_username()
        audit.write(name, "sign in", detail={"address": str(client_address(self.request))})
        return _marked(answer, name)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """The page again; 429 where the wait is not over."""
        answer = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.wait_s:
            answer.status_code, answer.headers["Retry-After"] = 429, str(form.wait_s)
        return answer


def introduction(name: str) -> str:
    """The address, good for a quarter of an hour, by which one more browser of this account becomes a known one."""
    return f"{settings.PUBLIC_URL}{reverse('sign-in')}?{urlencode({'known': signing.dumps(name, salt=INTRODUCTION)})}"


def _introduced(text: str) -> str:
    try:
        return str(signing.loads(text, salt=INTRODUCTION, max_age=INTRODUCTION_LIFE_S)) if text else ""
    except signing.BadSignature:
        return ""


def _marked(answer: HttpResponse, name: str) -> HttpResponse:
    """With the mark of the account; it lets nobody in, it only counts for itself."""
    mark = f"{login_failures.account(name).key}.{secrets.token_urlsafe(16)}"
    answer.set_signed_cookie(
        MARK, mark, salt=MARK, max_age=MARK_LIFE_S, path=reverse("sign-in"), samesite="Lax", httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
    )  # fmt: skip
    return answer


def subjects(request: HttpRequest | None, name: str) -> Sequence[Subject]:
    """What an attempt at this account counts for."""
    account = login_failures.account(name)
    if request is None:
        return (account,)
    mark = request.get_signed_cookie(MARK, "", salt=MARK, max_age=MARK_LIFE_S) or ""
    if mark.partition(".")[0] == account.key:
        return (login_failures.browser(mark),)
    return (account, login_failures.address(client_address(request)))


def _note(request: HttpRequest | None, name: str, attempt: Attempt) -> None:
    """One line in the audit trail for each wait that began; what is no account's name may be a password."""
    if not attempt.wait_s or request is None:
        return
    known = name if User.objects.filter(username=name).exists() else "no such account"
    waits = {"failures": str(attempt.failures), "wait_s": str(attempt.wait_s)}
    audit.write(f"address {client_address(request)}", "sign-in slowed", known, waits)
