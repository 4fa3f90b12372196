"""Prices, programmes, limited money and statements in the read-only admin."""

from billing.models import (
    Account,
    Award,
    Charge,
    PriceVersion,
    Programme,
    ProgrammeVersion,
    Quote,
    Statement,
    StatementLine,
    Transfer,
)
from billing.pricing.models import TestItemPrice
from billing.settlement.models import NumberSeries
from config.kernel.admin import show

show(
    Account,
    Award,
    Charge,
    NumberSeries,
    PriceVersion,
    Programme,
    ProgrammeVersion,
    Quote,
    Statement,
    StatementLine,
    TestItemPrice,
    Transfer,
)
