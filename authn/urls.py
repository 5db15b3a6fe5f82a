"""Routes of authn, below /sfp/api."""

from django.urls import path

from authn import views
from authn.pages.continue_view import ContinueView

urlpatterns = [
    path("auth/admin/login", views.AdminLoginView.as_view(), name="admin-login"),
    path("auth/refresh", views.TokenRefreshView.as_view(), name="token-refresh"),
    path("auth/callback", views.CallbackView.as_view(), name="callback"),
    path("auth/continue", ContinueView.as_view(), name="continue"),
    path("application-tokens", views.ApplicationTokensView.as_view(), name="application-tokens"),
    path("application-tokens/<str:token>", views.ApplicationTokenView.as_view(), name="application-token"),
]
