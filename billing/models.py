"""Django looks for an app's models here; they live with their package."""

from billing.ledger.models import Account, Transfer
from billing.pricing.models import PriceVersion, TestItemPrice
from billing.settlement.models import Award, Charge, NumberSeries, Quote, Statement, StatementLine
from billing.subsidy.models import Programme, ProgrammeVersion

__all__ = [
    "Account",
    "Award",
    "Charge",
    "NumberSeries",
    "PriceVersion",
    "Programme",
    "ProgrammeVersion",
    "Quote",
    "Statement",
    "StatementLine",
    "TestItemPrice",
    "Transfer",
]
