"""Reservations and the use of instruments."""

from django.apps import AppConfig


class BookingApp(AppConfig):
    name = "booking"

    def ready(self) -> None:
        from booking import access, enquiry_messages, enquiry_notices, messages, notice_wording, usage_messages  # noqa: F401  (register sentences, events)  # noqa: F401  (register scopes, sentences, events)
        from booking.queries.availability import free_within
        from booking.services import availability, catalogue_facts, policies
        from instruments.catalogue_ports import register_instrument_facts, register_next_free
        from instruments.ports import register_calendar_listener, register_instrument_listener

        register_calendar_listener(availability.follow_calendars)
        register_instrument_listener(policies.follow_instruments)
        register_instrument_facts(catalogue_facts.approvals)
        register_next_free(free_within)
