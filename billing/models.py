"""Django looks for an app's models here; they live with their package."""

from billing.bills.models import AwardReversal, Bill, BillLine, BillVoid, CreditNote
from billing.firms.models import CreditImport, CreditListing, FirmDeclaration
from billing.firms.partner_models import PartnerList, PartnerProvider, PartnerRegion
from billing.ledger.models import Account, AccountState, LedgerSeal, Transfer
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
from billing.pricing.models import PriceDraft, PriceFamily, PriceFamilyMember, PriceVersion, TestItemPrice
from billing.sandbox.models import SandboxRun
from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Award, Charge, NumberSeries, Quote, Statement, StatementLine
from billing.settlement.opening_models import OpeningBalance, OpeningLoad, OpeningReversal, SubsidisedItem
from billing.settlement.slip_models import InternalSlip
from billing.subsidy.draft_models import DraftStep, DraftWriter, ProgrammeDraft
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.vouchers.models import Voucher, VoucherAnnouncement, VoucherApplication, VoucherQuota

__all__ = [
    "Account",
    "AccountState",
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
    "CreditImport",
    "CreditListing",
    "CreditNote",
    "Dispute",
    "DraftStep",
    "DraftWriter",
    "FeeRelief",
    "FirmDeclaration",
    "InternalSlip",
    "LedgerSeal",
    "NumberSeries",
    "OpeningBalance",
    "OpeningLoad",
    "OpeningReversal",
    "PartnerList",
    "PartnerProvider",
    "PartnerRegion",
    "Payment",
    "PriceDraft",
    "PriceFamily",
    "PriceFamilyMember",
    "PriceVersion",
    "Programme",
    "ProgrammeDraft",
    "ProgrammeVersion",
    "ProviderEvent",
    "Quotation",
    "QuotationLine",
    "Quote",
    "Refund",
    "RefundRequest",
    "SandboxRun",
    "Statement",
    "StatementLine",
    "SubsidisedItem",
    "TestItemPrice",
    "Transfer",
    "Voucher",
    "VoucherAnnouncement",
    "VoucherApplication",
    "VoucherQuota",
]
