"""The pages for log-in, log-out, password change and password links."""

import uuid

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from authn.browser.login import change_password, log_in_browser, log_out_browser
from authn.errors import LinkRefused, LoginRefused, TooManyTries
from authn.lockout import LoginThrottle
from authn.login import check_password
from authn.models import User
from authn.pages.forms import ChangePasswordForm, LoginForm, NewPasswordForm
from authn.pages.password_links import redeem, user_of_link
from authn.users import get_user
from authn.web.redirects import local_path

_secret = method_decorator(sensitive_post_parameters(), name="dispatch")


@_secret
class LoginPage(View):
    """`/login`: e-mail and password for a browser session, then a redirect to `next`."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form, or redirect a user who is already logged in."""
        if isinstance(request.user, User):
            return HttpResponseRedirect(self.destination(request, request.user))
        return self.show(request, LoginForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Log the user in, or show the form with the error."""
        form, throttle = LoginForm(request.POST), LoginThrottle()
        if not throttle.allow_request(request, self):
            return self._too_many_attempts(request, form, throttle.wait())
        if form.is_valid():
            try:
                user = check_password(**form.cleaned_data, request=request)
                log_in_browser(request, user)
            except (LoginRefused, TooManyTries) as error:
                form.add_error(None, refusal_text(error))
            else:
                return HttpResponseRedirect(self.destination(request, user))
        return self.show(request, form)

    def show(self, request: HttpRequest, form: LoginForm, status: int = 200) -> HttpResponse:
        """Show the form."""
        return render(request, "login.html", {"form": form, "next": local_path(_next(request))}, status=status)

    def destination(self, request: HttpRequest, user: User) -> str:
        """Return the URL to redirect to after the log-in."""
        return local_path(_next(request)) or reverse("admin:index" if user.is_owner else "home")

    def _too_many_attempts(self, request: HttpRequest, form: LoginForm, wait: float | None) -> HttpResponse:
        seconds = max(1, int(wait or 1))
        form.add_error(None, f"Too many log-in attempts from your address. Try again in {seconds} seconds.")
        response = self.show(request, form, status=429)
        response["Retry-After"] = str(seconds)
        return response


class LogoutPage(View):
    """`/logout`: a confirmation page, and the POST that ends the session."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the confirmation; following a link must not sign the user out."""
        return render(request, "logout.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        """End the log-in of this browser."""
        log_out_browser(request)
        messages.success(request, "You are logged out.")
        return redirect("login")


@_secret
class PasswordPage(LoginRequiredMixin, View):
    """`/password`: changes the user's password and ends the user's other log-ins."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        return render(request, "password.html", {"form": ChangePasswordForm(user=get_user(request))})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Change the password, or show the form with the errors."""
        user = get_user(request)
        form = ChangePasswordForm(request.POST, user=user)
        if form.is_valid():
            try:
                # Checked like a log-in: guesses in an unattended browser count towards the lockout.
                check_password(email=user.email, password=form.cleaned_data["current"], request=request)
            except (LoginRefused, TooManyTries) as error:
                wrong = "This is not your current password."
                form.add_error("current", wrong if isinstance(error, LoginRefused) else refusal_text(error))
            else:
                change_password(request, user, form.cleaned_data["new"])
                messages.success(request, "Your password is changed. You are logged out everywhere else.")
                return redirect("password")
        return render(request, "password.html", {"form": form})


@_secret
class SetPasswordPage(View):
    """`/set-password/...`: sets a password by a one-time link."""

    def dispatch(self, request: HttpRequest, *arguments: object, **named: object) -> HttpResponseBase:
        """Show an error page for a used, expired or forged link."""
        try:
            return super().dispatch(request, *arguments, **named)
        except LinkRefused as error:
            return render(request, "set_password.html", {"error": error}, status=410)

    def get(self, request: HttpRequest, user_id: uuid.UUID, token: str) -> HttpResponse:
        """Show the form. GET does not use up the link: chats and mail scanners follow links too."""
        user = user_of_link(user_id, token)
        return render(request, "set_password.html", {"form": NewPasswordForm(user=user), "link_user": user})

    def post(self, request: HttpRequest, user_id: uuid.UUID, token: str) -> HttpResponse:
        """Set the password and redirect to the log-in."""
        user = user_of_link(user_id, token)
        form = NewPasswordForm(request.POST, user=user)
        if not form.is_valid():
            return render(request, "set_password.html", {"form": form, "link_user": user})
        redeem(user_id, token, form.cleaned_data["new"], request=request)
        log_out_browser(request)  # Another user may be logged in here.
        messages.success(request, "Your password is set. Log in with it.")
        return redirect("login")


def refusal_text(error: LoginRefused | TooManyTries) -> str:
    """Return the message for a refused log-in, the same for unknown names and wrong passwords."""
    if isinstance(error, TooManyTries):
        minutes = max(1, round(error.retry_after / 60))
        unit = "minute" if minutes == 1 else "minutes"
        return (
            f"Too many wrong passwords were tried for this e-mail, so it is locked for {minutes} {unit}. "
            "Wait, then try again. If you forgot your password, ask an owner of this desk for a new "
            "password link: it lifts the lock at once."
        )
    return "Incorrect e-mail or password. Check both; an owner of this desk can give you a new password link."


def _next(request: HttpRequest) -> str:
    return str(request.POST.get("next") or request.GET.get("next") or "")
