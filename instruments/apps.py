"""Resources, their owners, people and organisations, calendars."""

from django.apps import AppConfig


class InstrumentsApp(AppConfig):
    name = "instruments"

    def ready(self) -> None:
        from instruments import (  # noqa: F401  (register scopes, sentences and events)
            access,
            closure_messages,
            facility_messages,
            messages,
            notice_messages,
            notice_wording,
            registry_messages,
            resource_messages,
            review_messages,
            spending_messages,
            standards_messages,
        )
        from instruments.ports import register_calendar_listener
        from instruments.services import catalogue, centre_import, code_list_import, import_kinds, resource_import_kinds

        register_calendar_listener(catalogue.follow_calendars)
        for kind in (import_kinds.INSTRUMENTS, centre_import.CENTRES, *resource_import_kinds.ALL, code_list_import.CODES):
            import_kinds.register(kind)
