"""Django looks for an app's models here; they live with their package."""

from billing.ledger.models import Account, Transfer
from billing.ordering.models import (
    CommissionReservation,
    CommissionSampleJob,
    CommissionSheet,
    CommissionSignature,
    Quotation,
    QuotationLine,
)
from billing.pricing.models import PriceVersion, TestItemPrice
from billing.sandbox.models import SandboxRun
from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Award, Charge, NumberSeries, Quote, Statement, StatementLine
from billing.settlement.slip_models import InternalSlip
from billing.subsidy.draft_models import DraftStep, DraftWriter, ProgrammeDraft
from billing.subsidy.models import Programme, ProgrammeVersion

__all__ = [
    "Account",
    "Award",
    "BookingFee",
    "Charge",
    "CommissionReservation",
    "CommissionSampleJob",
    "CommissionSheet",
    "CommissionSignature",
    "DraftStep",
    "DraftWriter",
    "FeeRelief",
    "InternalSlip",
    "NumberSeries",
    "PriceVersion",
    "Programme",
    "ProgrammeDraft",
    "ProgrammeVersion",
    "Quotation",
    "QuotationLine",
    "Quote",
    "SandboxRun",
    "Statement",
    "StatementLine",
    "TestItemPrice",
    "Transfer",
]
