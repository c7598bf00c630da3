"""What a button of a page does: a POST of somebody who is signed in; every other way leads back to its page."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from web.pages.errors import not_done

View = Callable[..., HttpResponse]


def action(page: str, **named: str) -> Callable[[View], View]:
    """Of the page with that name; `named` gives, per argument of the page, the view's argument that it is.

    Who is not signed in any more gets to the page after signing in, not to the address of the button.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def acted(request: HttpRequest, **given: str) -> HttpResponse:
            back = reverse(page, kwargs={there: given[here] for there, here in named.items()})
            if request.method != "POST":
                return not_done(request, back)
            return view(request, **given) if request.user.is_authenticated else redirect_to_login(back)

        return acted

    return decorated
