"""Routes of the log-in and password pages."""

from django.urls import path

from authn.pages import views

urlpatterns = [
    path("login", views.LoginPage.as_view(), name="login"),
    path("logout", views.LogoutPage.as_view(), name="logout"),
    path("password", views.PasswordPage.as_view(), name="password"),
    path("set-password/<uuid:user_id>/<str:token>", views.SetPasswordPage.as_view(), name="set-password"),
]
