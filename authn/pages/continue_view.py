"""The page behind a continue link: log in if need be, then go on at once."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from authn.models import User
from authn.pages import continuation
from authn.pages.continuation import Continuation
from authn.pages.forms import LoginForm
from authn.pages.views import LoginPage
from authn.principals import principal_for
from authn.web.prefetch import is_prefetch


class ContinueView(LoginPage):
    """`/sfp/api/auth/continue`: a log-in form, or a page that goes on by a POST of its own.

    The GET does nothing but show: a link that is unfurled in a chat, or hidden in another page,
    must not open anything. The POST of somebody who is logged in runs the action and answers a
    page that replaces itself by the address: a redirect would not do, because browsers apply
    `form-action` to every hop after a form, and an org goes on to hosts of its own.
    """

    going_to: Continuation

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        """Read the link first. Raises ContinuationRefused."""
        self.going_to = continuation.read(request.GET.get("action", ""), request.GET.get("params", ""))
        return super().dispatch(request, *arguments, **named)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show what will be opened, with a log-in form or a POST that sends itself."""
        if is_prefetch(request):
            return HttpResponse(status=204)
        if isinstance(request.user, User):
            return render(request, "continue.html", {"going_to": self.going_to})
        return self.show(request, LoginForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Log in, or go on."""
        if not isinstance(request.user, User):
            return super().post(request)
        link = self.going_to.run(principal_for(request.user, request))
        return render(request, "continued.html", {"going_to": self.going_to, "link": link})

    def show(self, request: HttpRequest, form: LoginForm, status: int = 200) -> HttpResponse:
        """Show the form below what will be opened."""
        return render(request, "continue_login.html", {"form": form, "going_to": self.going_to}, status=status)

    def destination(self, request: HttpRequest, user: User) -> str:
        """Go on with this very link."""
        return request.get_full_path()
