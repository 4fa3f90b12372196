"""Reservations and the use of instruments."""

from django.apps import AppConfig


class BookingApp(AppConfig):
    name = "booking"

    def ready(self) -> None:
        from booking import (  # noqa: F401  (register scopes, sentences, events)
            access,
            assisting_messages,
            assisting_notices,
            at_once_messages,
            enquiry_messages,
            enquiry_notices,
            import_messages,
            messages,
            notice_wording,
            sample_messages,
            sample_notices,
            series_messages,
            service_messages,
            sharing_messages,
            training_messages,
            training_notices,
            usage_messages,
        )
        from booking.queries.availability import bookable_within
        from booking.queries.classes import NAMED
        from booking.services import availability, catalogue_facts, leader_news, policies, retiring, session_faults
        from booking.services.booking_import import BOOKINGS
        from booking.services.licence_import import LICENCES
        from instruments.catalogue_ports import register_instrument_facts, register_next_free
        from instruments.ports import (
            register_calendar_listener,
            register_instrument_listener,
            register_leader_listener,
            register_problem_listener,
            register_retirement_guard,
        )
        from instruments.services import code_list_undo, import_kinds

        register_calendar_listener(availability.follow_calendars)
        register_instrument_listener(policies.follow_instruments)
        register_retirement_guard(retiring.reasons_against)
        register_leader_listener(leader_news.ask_new_leader)
        register_problem_listener(session_faults.tell_answer)
        register_instrument_facts(catalogue_facts.policies)
        register_next_free(bookable_within)
        code_list_undo.also_named_by("nrii", NAMED)
        import_kinds.register(LICENCES)
        import_kinds.register(BOOKINGS)
