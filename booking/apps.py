"""Reservations and the use of instruments."""

from django.apps import AppConfig


class BookingApp(AppConfig):
    name = "booking"

    def ready(self) -> None:
        from booking import access, messages  # noqa: F401  (register scopes and sentences)
        from booking.services import catalogue_facts
        from instruments.catalogue_ports import register_instrument_facts

        register_instrument_facts(catalogue_facts.approvals)
