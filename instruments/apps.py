"""Resources, their owners, people and organisations, calendars."""

from django.apps import AppConfig


class InstrumentsApp(AppConfig):
    name = "instruments"

    def ready(self) -> None:
        from instruments import (  # noqa: F401  (register scopes and sentences)
            access,
            closure_messages,
            messages,
            registry_messages,
            resource_messages,
            review_messages,
            standards_messages,
        )
        from instruments.ports import register_calendar_listener
        from instruments.services import catalogue, import_kinds, resource_import_kinds

        register_calendar_listener(catalogue.follow_calendars)
        for kind in (import_kinds.INSTRUMENTS, resource_import_kinds.GERMPLASM, resource_import_kinds.TEST_ITEMS):
            import_kinds.register(kind)
