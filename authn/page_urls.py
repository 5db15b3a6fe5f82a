"""Routes of the pages for people, at the top of the desk's address."""

from django.urls import path

from authn import pages

urlpatterns = [
    path("login", pages.LoginPage.as_view(), name="login"),
    path("logout", pages.LogoutPage.as_view(), name="logout"),
    path("password", pages.PasswordPage.as_view(), name="password"),
    path("set-password/<uuid:user_id>/<str:token>", pages.SetPasswordPage.as_view(), name="set-password"),
]
