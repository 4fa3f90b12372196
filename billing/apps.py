"""Prices, subsidies, limited money, statements."""

from django.apps import AppConfig


class BillingApp(AppConfig):
    name = "billing"

    def ready(self) -> None:
        from billing import access, draft_messages, messages  # noqa: F401  (register scopes and sentences)
        from billing.bills import messages as bill_messages  # noqa: F401  (register sentences)
        from billing.bills import notices as bill_notices  # noqa: F401  (register events)
        from billing.bills import papers as bill_papers  # noqa: F401  (register kinds of papers)
        from billing.bills import ports as bill_ports
        from billing.claims import account as claim_account
        from billing.claims import messages as claim_messages  # noqa: F401  (register sentences)
        from billing.claims import notices as claim_notices  # noqa: F401  (register events)
        from billing.claims import paper_kinds as claim_papers  # noqa: F401  (register kinds of papers)
        from billing.claims import waiting_notices  # noqa: F401  (register events)
        from billing.dunning import notices as dunning_notices  # noqa: F401  (register events)
        from billing.dunning.services import terms
        from billing.erasure import messages as erasure_messages  # noqa: F401  (register sentences)
        from billing.firms import notices as income_notices  # noqa: F401  (register events)
        from billing.invoices import messages as invoice_messages  # noqa: F401  (register sentences)
        from billing.month import messages as month_messages  # noqa: F401  (register sentences)
        from billing.ordering import messages as order_messages  # noqa: F401  (register sentences)
        from billing.ordering import notices as order_notices  # noqa: F401  (register events)
        from billing.ordering import papers as order_papers  # noqa: F401  (register kinds of papers)
        from billing.papers import messages as paper_messages  # noqa: F401  (register sentences)
        from billing.payments.services import allocating, prepaying
        from billing.pricing import sample_prices
        from billing.receipts import messages as receipt_messages  # noqa: F401  (register sentences)
        from billing.receipts import papers as receipt_papers  # noqa: F401  (register kinds of papers)
        from billing.receipts import ports as receipt_ports
        from billing.settlement import customer_terms
        from billing.settlement import notices as statement_notices  # noqa: F401  (register events)
        from billing.settlement import papers as settlement_papers  # noqa: F401  (register kinds of papers)
        from billing.settlement.services import catalogue_facts, instrument_use, reservation_money, sample_money
        from billing.subsidy import end_notices  # noqa: F401  (register events)
        from billing.subsidy import notices as figure_notices  # noqa: F401  (register events)
        from booking import ports, sample_ports
        from instruments import catalogue_ports
        from instruments import ports as instrument_ports

        allocating.register_on_freed(prepaying.keep_again)
        bill_ports.register_on_issued(prepaying.capture)
        customer_terms.register(terms)
        receipt_ports.register_moves(claim_account.moves)
        ports.register_money(reservation_money.ReservationMoney())
        sample_ports.register_sample_money(sample_money.SampleMoney())
        instrument_ports.register_sample_prices(sample_prices.SamplePrices())
        catalogue_ports.register_instrument_facts(catalogue_facts.offers)
        catalogue_ports.register_resource_facts(catalogue_facts.test_offers)
        instrument_ports.register_use(instrument_use.InstrumentUse())
