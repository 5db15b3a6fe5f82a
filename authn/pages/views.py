"""The pages by which people come in and go: log-in, sign-out, change of password, password by link."""

import uuid
from typing import Any

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
    """`/login`: e-mail and password for a session of this browser, then on to `next`."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form, or send on whoever is logged in already."""
        if isinstance(request.user, User):
            return HttpResponseRedirect(self.destination(request, request.user))
        return self.show(request, LoginForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Log a person in, or say why not."""
        form, throttle = LoginForm(request.POST), LoginThrottle()
        if not throttle.allow_request(request, self):
            return self._too_many_from_here(request, form, throttle.wait())
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
        """Return where to go after the log-in."""
        return local_path(_next(request)) or reverse("admin:index" if user.is_owner else "home")

    def _too_many_from_here(self, request: HttpRequest, form: LoginForm, wait: float | None) -> HttpResponse:
        seconds = max(1, int(wait or 1))
        form.add_error(None, f"Too many log-ins were tried from your address. Try again in {seconds} seconds.")
        answer = self.show(request, form, status=429)
        answer["Retry-After"] = str(seconds)
        return answer


class LogoutPage(View):
    """`/logout`: a page that asks, and the POST that ends the session."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask; a link alone must not sign anybody out."""
        return render(request, "logout.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        """End the log-in of this browser."""
        log_out_browser(request)
        messages.success(request, "You are signed out.")
        return redirect("login")


@_secret
class PasswordPage(LoginRequiredMixin, View):
    """`/password`: a person changes the own password. Other sessions and log-ins of the person end."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        return render(request, "password.html", {"form": ChangePasswordForm(person=get_user(request))})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Change the password, or say why not."""
        person = get_user(request)
        form = ChangePasswordForm(request.POST, person=person)
        if form.is_valid():
            try:
                # By the same door as a log-in, so that guesses at an open screen count as well.
                check_password(email=person.email, password=form.cleaned_data["present"], request=request)
            except (LoginRefused, TooManyTries) as error:
                wrong = "This is not your present password."
                form.add_error("present", wrong if isinstance(error, LoginRefused) else refusal_text(error))
            else:
                change_password(request, person, form.cleaned_data["new"])
                messages.success(request, "Your password is changed. You were signed out everywhere else.")
                return redirect("password")
        return render(request, "password.html", {"form": form})


@_secret
class SetPasswordPage(View):
    """`/set-password/...`: a person whom an owner gave a link sets a password by it, once."""

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponseBase:
        """Show what to do about a link that is spent, old or made up."""
        try:
            return super().dispatch(request, *arguments, **named)
        except LinkRefused as error:
            return render(request, "set_password.html", {"error": error}, status=410)

    def get(self, request: HttpRequest, user_id: uuid.UUID, token: str) -> HttpResponse:
        """Show the form. Looking does not spend the link: chats and mail scanners look too."""
        person = user_of_link(user_id, token)
        return render(request, "set_password.html", {"form": NewPasswordForm(person=person), "person": person})

    def post(self, request: HttpRequest, user_id: uuid.UUID, token: str) -> HttpResponse:
        """Set the password and lead to the log-in."""
        person = user_of_link(user_id, token)
        form = NewPasswordForm(request.POST, person=person)
        if not form.is_valid():
            return render(request, "set_password.html", {"form": form, "person": person})
        redeem(user_id, token, form.cleaned_data["new"], request=request)
        log_out_browser(request)  # Another person may have been logged in here.
        messages.success(request, "Your password is set. Log in with it.")
        return redirect("login")


def refusal_text(error: LoginRefused | TooManyTries) -> str:
    """Say to a person why a log-in was refused, and what to do; the same for unknown names and wrong passwords."""
    if isinstance(error, TooManyTries):
        minutes = max(1, round(error.retry_after / 60))
        unit = "minute" if minutes == 1 else "minutes"
        return (
            f"Too many wrong passwords were tried for this e-mail, so it is locked for {minutes} {unit}. "
            "Wait, then try again. If you do not know the password any more, ask an owner of this desk "
            "for a new password link: it lifts the lock at once."
        )
    return "E-mail and password do not fit. Check both; an owner of this desk can give you a new password link."


def _next(request: HttpRequest) -> str:
    return str(request.POST.get("next") or request.GET.get("next") or "")
