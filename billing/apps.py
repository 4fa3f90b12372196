"""Prices, subsidies, limited money, statements."""

from django.apps import AppConfig


class BillingApp(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import access, messages  # noqa: F401  (register scopes and sentences)
