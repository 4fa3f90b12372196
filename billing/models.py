"""Django looks for an app's models here; they live with their package."""

from billing.bills.models import AwardReversal, Bill, BillLine, BillVoid, CreditNote
from billing.ledger.models import Account, Transfer
from billing.ordering.models import (
    CommissionReservation,
    CommissionSampleJob,
    CommissionSheet,
    CommissionSignature,
    Quotation,
    QuotationLine,
)
from billing.payments.models import (
    Allocation,
    BankStatement,
    Checkout,
    Dispute,
    Payment,
    ProviderEvent,
    Refund,
    RefundRequest,
)
from billing.pricing.models import PriceVersion, TestItemPrice
from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Award, Charge, NumberSeries, Quote, Statement, StatementLine
from billing.settlement.slip_models import InternalSlip
from billing.subsidy.models import Programme, ProgrammeVersion

__all__ = [
    "Account",
    "Allocation",
    "Award",
    "AwardReversal",
    "BankStatement",
    "Bill",
    "BillLine",
    "BillVoid",
    "BookingFee",
    "Charge",
    "Checkout",
    "CommissionReservation",
    "CommissionSampleJob",
    "CommissionSheet",
    "CommissionSignature",
    "CreditNote",
    "Dispute",
    "FeeRelief",
    "InternalSlip",
    "NumberSeries",
    "Payment",
    "PriceVersion",
    "Programme",
    "ProgrammeVersion",
    "ProviderEvent",
    "Quotation",
    "QuotationLine",
    "Quote",
    "Refund",
    "RefundRequest",
    "Statement",
    "StatementLine",
    "TestItemPrice",
    "Transfer",
]
