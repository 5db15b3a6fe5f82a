"""Routes of the pages of sandboxes, at the top of the desk's address."""

from django.urls import path

from sandboxes.home.views import HomePage, OpenByNamePage

urlpatterns = [
    path("", HomePage.as_view(), name="home"),
    path("open", OpenByNamePage.as_view(), name="open-by-name"),
]
