"""The pages."""

from django.apps import AppConfig


class FrontendApp(AppConfig):
    name = "frontend"
