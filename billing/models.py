"""Django looks for an app's models here; they live with their package."""

from billing.bills.models import AwardReversal, Bill, BillLine, BillVoid, CreditNote, WriteOff
from billing.bills.proposal_models import BillProposal, WriteOffProposal
from billing.claims.declared_models import ClaimDeclaration
from billing.claims.deputy_models import Deputy
from billing.claims.models import (
    Claim,
    ClaimBatch,
    ClaimEvidence,
    ClaimLine,
    ClaimStep,
    ClaimSubmission,
    Clawback,
    Objection,
    PaymentLine,
    PaymentList,
    Payout,
    Publicity,
)
from billing.claims.recheck_models import RecheckAnswer, RecheckFinding, RecheckItem, RecheckSample
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.dunning.models import BillDispute, Exemption, Reminder
from billing.firms.income_models import OwnerIncome
from billing.firms.models import CreditImport, CreditListing, FirmDeclaration
from billing.firms.partner_models import PartnerList, PartnerProvider, PartnerRegion
from billing.invoices.models import InvoiceRequest, VatInvoice
from billing.ledger.code_models import AccountCodes
from billing.ledger.models import Account, AccountState, LedgerSeal, Transfer
from billing.ledger.top_up_models import TopUp
from billing.month.models import Draft, DraftLine, DraftRun, ExportItem, MonthExport
from billing.ordering.models import (
    CommissionCharge,
    CommissionReservation,
    CommissionSampleJob,
    CommissionSheet,
    CommissionSignature,
    Quotation,
    QuotationLine,
)
from billing.papers.check_models import BookCheck
from billing.papers.models import PaperCode, PaperFile
from billing.payments.difference_models import PaymentDifference
from billing.payments.hand_models import HandEntry
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
from billing.payments.prepaid_models import PrepaidEntry
from billing.prepaid.models import PrepaidTerms, PurchaseOrder, SpendingLimit
from billing.pricing.models import PriceDraft, PriceFamily, PriceFamilyMember, PriceVersion, TestItemPrice
from billing.receipts.models import AccountStatement, Receipt
from billing.sandbox.models import SandboxRun
from billing.settlement.counted_models import Counted
from billing.settlement.extra_models import SessionExtra
from billing.settlement.fee_models import BookingFee, FeeRelief
from billing.settlement.models import Award, Charge, NumberSeries, Quote, Statement, StatementLine
from billing.settlement.once_models import TakenOnce
from billing.settlement.opening_models import OpeningBalance, OpeningLoad, OpeningReversal, SubsidisedItem
from billing.settlement.period_models import ClosedPeriod, HeldBack
from billing.settlement.proposal_models import StatementProposal
from billing.settlement.slip_models import InternalSlip
from billing.subsidy.draft_models import DraftStep, DraftWriter, ProgrammeDraft
from billing.subsidy.end_models import VersionEnd
from billing.subsidy.figure_models import CapFigure
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.vouchers.models import Voucher, VoucherAnnouncement, VoucherApplication, VoucherQuota

__all__ = [
    "Account",
    "AccountCodes",
    "AccountState",
    "AccountStatement",
    "Allocation",
    "Award",
    "AwardReversal",
    "BankStatement",
    "Bill",
    "BillDispute",
    "BillLine",
    "BillProposal",
    "BillVoid",
    "BookCheck",
    "BookingFee",
    "CapFigure",
    "Charge",
    "Checkout",
    "Claim",
    "ClaimBatch",
    "ClaimDeclaration",
    "ClaimEvidence",
    "ClaimLine",
    "ClaimStep",
    "ClaimSubmission",
    "Clawback",
    "ClosedPeriod",
    "CommissionCharge",
    "CommissionReservation",
    "CommissionSampleJob",
    "CommissionSheet",
    "CommissionSignature",
    "Counted",
    "CreditImport",
    "CreditListing",
    "CreditNote",
    "Deputy",
    "Dispute",
    "Draft",
    "DraftLine",
    "DraftRun",
    "DraftStep",
    "DraftWriter",
    "Exemption",
    "ExportItem",
    "FeeRelief",
    "FirmDeclaration",
    "HandEntry",
    "HeldBack",
    "InternalSlip",
    "InvoiceRequest",
    "LedgerSeal",
    "MonthExport",
    "NumberSeries",
    "Objection",
    "OpeningBalance",
    "OpeningLoad",
    "OpeningReversal",
    "OwnerIncome",
    "PaperCode",
    "PaperFile",
    "PartnerList",
    "PartnerProvider",
    "PartnerRegion",
    "Payment",
    "PaymentDifference",
    "PaymentLine",
    "PaymentList",
    "Payout",
    "PrepaidEntry",
    "PrepaidTerms",
    "PriceDraft",
    "PriceFamily",
    "PriceFamilyMember",
    "PriceVersion",
    "Programme",
    "ProgrammeDraft",
    "ProgrammeVersion",
    "ProviderEvent",
    "Publicity",
    "PurchaseOrder",
    "Quotation",
    "QuotationLine",
    "Quote",
    "Receipt",
    "RecheckAnswer",
    "RecheckFinding",
    "RecheckItem",
    "RecheckSample",
    "Refund",
    "RefundRequest",
    "Reminder",
    "Repayment",
    "SandboxRun",
    "SessionExtra",
    "SpendingLimit",
    "Statement",
    "StatementLine",
    "StatementProposal",
    "SubsidisedItem",
    "SurplusRefund",
    "TakenOnce",
    "TestItemPrice",
    "TopUp",
    "Transfer",
    "VatInvoice",
    "VersionEnd",
    "Voucher",
    "VoucherAnnouncement",
    "VoucherApplication",
    "VoucherQuota",
    "WriteOff",
    "WriteOffProposal",
]
