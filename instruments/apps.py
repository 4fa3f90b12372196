"""Resources, their owners, people and organisations, calendars."""

from django.apps import AppConfig


class InstrumentsApp(AppConfig):
    name = "instruments"

    def ready(self) -> None:
        from instruments import access, closure_messages, messages, registry_messages, resource_messages  # noqa: F401  (register scopes and sentences)
