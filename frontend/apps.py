"""The pages."""

from django.apps import AppConfig


class FrontendApp(AppConfig):
    name = "frontend"

    def ready(self) -> None:
        from frontend import messages  # noqa: F401  (registers the sentences)
