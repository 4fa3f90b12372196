"""Prices, subsidies, limited money, statements."""

from django.apps import AppConfig


class BillingApp(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import access, messages  # noqa: F401  (register scopes and sentences)
        from billing.settlement.services import catalogue_facts, reservation_money
        from booking import ports
        from instruments.catalogue_ports import register_instrument_facts

        ports.register_money(reservation_money.ReservationMoney())
        register_instrument_facts(catalogue_facts.offers)
