"""The wiring app: commands and start-up checks."""

from django.apps import AppConfig


class ConfigApp(AppConfig):
    name = "config"
    label = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401  (registers the start-up checks)
