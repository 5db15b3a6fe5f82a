"""The page of a continue link: logs the user in if necessary, then runs the action."""

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
    """`/sfp/api/auth/continue`: a log-in form, or a page that submits itself.

    GET only shows the link, because a link that is unfurled in a chat or embedded in another page must not
    open anything. POST by a logged-in user runs the action and returns a page that replaces itself with the
    URL. A redirect would fail: browsers apply `form-action` to every hop after a form, and an org redirects
    to other hosts.
    """

    continuation: Continuation

    def dispatch(self, request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
        """Parse the link first. Raises ContinuationRefused."""
        self.continuation = continuation.read(request.GET)
        return super().dispatch(request, *arguments, **named)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the action, with a log-in form or a form that submits itself."""
        if is_prefetch(request):
            return HttpResponse(status=204)
        if isinstance(request.user, User):
            return render(request, "continue.html", {"continuation": self.continuation})
        return self.show(request, LoginForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Log in, or run the action."""
        if not isinstance(request.user, User):
            return super().post(request)
        link = self.continuation.run(principal_for(request.user, request))
        return render(request, "continued.html", {"continuation": self.continuation, "link": link})

    def show(self, request: HttpRequest, form: LoginForm, status: int = 200) -> HttpResponse:
        """Show the form below the action."""
        context = {"form": form, "continuation": self.continuation}
        return render(request, "continue_login.html", context, status=status)

    def destination(self, request: HttpRequest, user: User) -> str:
        """Return this link."""
        return request.get_full_path()
