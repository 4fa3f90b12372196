"""Resources, their owners, people and organisations, calendars."""

from django.apps import AppConfig


class InstrumentsApp(AppConfig):
    name = "instruments"

    def ready(self) -> None:
        from instruments import access, messages, registry_messages, standards_messages  # noqa: F401  (register scopes and sentences)
        from instruments.services import import_kinds

        import_kinds.register(import_kinds.INSTRUMENTS)
