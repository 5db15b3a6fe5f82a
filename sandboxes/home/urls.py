"""Routes of the home page, at the root of PUBLIC_URL."""

from django.urls import path

from sandboxes.home.views import HomePage, OpenByNamePage

urlpatterns = [
    path("", HomePage.as_view(), name="home"),
    path("open", OpenByNamePage.as_view(), name="open-by-name"),
]
