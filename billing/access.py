"""What an actor may see of prices, programmes, limited money and statements.

Prices and published programmes with what is left in their pools are public. Figures of a session follow its reservation.
What an organisation is paid is seen by its administrator and its finance; officials who supervise or pay see all.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.models import (
    Account,
    AccountCodes,
    AccountStatement,
    Allocation,
    Award,
    AwardReversal,
    BankStatement,
    Bill,
    BillDispute,
    BillLine,
    BillProposal,
    BillVoid,
    BookCheck,
    BookingFee,
    CapFigure,
    Charge,
    Checkout,
    Claim,
    ClaimBatch,
    ClaimDeclaration,
    ClaimEvidence,
    ClaimLine,
    ClaimStep,
    ClaimSubmission,
    Clawback,
    ClosedPeriod,
    CommissionCharge,
    CommissionReservation,
    CommissionSampleJob,
    CommissionSheet,
    CommissionSignature,
    Counted,
    CreditImport,
    CreditListing,
    CreditNote,
    Deputy,
    Dispute,
    Draft,
    DraftLine,
    DraftRun,
    DraftStep,
    DraftWriter,
    Exemption,
    ExportItem,
    FeeRelief,
    FirmDeclaration,
    HandEntry,
    HeldBack,
    InternalSlip,
    InvoiceRequest,
    LedgerSeal,
    MonthExport,
    Objection,
    OpeningBalance,
    OpeningLoad,
    OpeningReversal,
    OwnerIncome,
    PaperCode,
    PaperFile,
    PartnerList,
    PartnerProvider,
    PartnerRegion,
    Payment,
    PaymentDifference,
    PaymentLine,
    PaymentList,
    Payout,
    PrepaidEntry,
    PrepaidTerms,
    PriceDraft,
    PriceFamily,
    PriceFamilyMember,
    PriceVersion,
    Programme,
    ProgrammeDraft,
    ProgrammeVersion,
    ProviderEvent,
    Publicity,
    PurchaseOrder,
    Quotation,
    QuotationLine,
    Quote,
    Receipt,
    RecheckAnswer,
    RecheckFinding,
    RecheckItem,
    RecheckSample,
    Refund,
    RefundRequest,
    Reminder,
    Repayment,
    SandboxRun,
    SessionExtra,
    SpendingLimit,
    Statement,
    StatementLine,
    StatementProposal,
    SubsidisedItem,
    SurplusRefund,
    TakenOnce,
    TestItemPrice,
    TopUp,
    Transfer,
    VatInvoice,
    VersionEnd,
    Voucher,
    VoucherAnnouncement,
    VoucherApplication,
    VoucherQuota,
    WriteOff,
    WriteOffProposal,
)
from billing.ordering.rules.sheets import SIGNED_STATES
from billing.pricing.subjects import PRICERS
from billing.settlement.rules.series import Series
from billing.subsidy.services import POOL
from booking.access import CUSTOMERS, OWNERS, SUPERVISORS, reservation_filter, sample_job_filter
from config.kernel.access import OFFICIALS, Actor, Role, register_scope
from instruments.access import ALL, instrument_filter, resource_filter

PAYEES = (Role.FIRM_ADMIN, Role.OWNER_FINANCE)


def payee_filter(actor: Actor, prefix: str = "") -> Q:
    """What is paid to ``payee`` behind ``prefix``."""
    return ALL if actor.has(*SUPERVISORS) else Q(**{f"{prefix}payee_id__in": actor.organisations(*PAYEES)})


def _price_versions(queryset: QuerySet[PriceVersion], actor: Actor) -> QuerySet[PriceVersion]:
    """Price lists as their instruments; what two sides agreed on as the quotation that says it."""
    return queryset.filter(instrument_filter(actor, "instrument__") | quotation_filter(actor, "agreed_line__quotation__"))


def _test_item_prices(queryset: QuerySet[TestItemPrice], actor: Actor) -> QuerySet[TestItemPrice]:
    return queryset.filter(resource_filter(actor, "test_item__resource__"))


def _families(queryset: QuerySet[PriceFamily], actor: Actor) -> QuerySet[PriceFamily]:
    return queryset.filter(organisation_id__in=actor.organisations(*PRICERS))


def _family_members(queryset: QuerySet[PriceFamilyMember], actor: Actor) -> QuerySet[PriceFamilyMember]:
    return queryset.filter(family__organisation_id__in=actor.organisations(*PRICERS))


def _price_drafts(queryset: QuerySet[PriceDraft], actor: Actor) -> QuerySet[PriceDraft]:
    """A price that is being written is the lab's own business."""
    own = actor.organisations(*PRICERS)
    mine = Q(instrument__organisation_id__in=own) | Q(test_item__resource__organisation_id__in=own)
    return queryset.filter(mine | Q(family__organisation_id__in=own))


def _programmes(queryset: QuerySet[Programme], actor: Actor) -> QuerySet[Programme]:
    published = ProgrammeVersion.objects.filter(programme_id=OuterRef("pk"), published_at__isnull=False)
    return queryset if actor.has(*OFFICIALS) else queryset.filter(Exists(published))


def _programme_versions(queryset: QuerySet[ProgrammeVersion], actor: Actor) -> QuerySet[ProgrammeVersion]:
    return queryset if actor.has(*OFFICIALS) else queryset.filter(published_at__isnull=False)


def _version_ends(queryset: QuerySet[VersionEnd], actor: Actor) -> QuerySet[VersionEnd]:
    """That a version ends, and why, is as public as the version; what is only proposed is the offices'."""
    return queryset if actor.has(*OFFICIALS) else queryset.filter(state=VersionEnd.State.SET)


def draft_filter(actor: Actor, prefix: str = "") -> Q:
    """A draft of a programme is read by the officials of the office that writes it."""
    return Q(**{f"{prefix}office_id__in": actor.organisations(*SUPERVISORS)})


def _drafts(queryset: QuerySet[ProgrammeDraft], actor: Actor) -> QuerySet[ProgrammeDraft]:
    return queryset.filter(draft_filter(actor))


def _sandbox_runs(queryset: QuerySet[SandboxRun], actor: Actor) -> QuerySet[SandboxRun]:
    """A trial of a programme names firms: it is read by the officials of the office that made it."""
    return queryset.filter(draft_filter(actor))


def _of_drafts(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """What happened to a draft and who wrote in it are seen with it."""
    return queryset.filter(draft_filter(actor, "draft__"))


def _accounts(queryset: QuerySet[Account], actor: Actor) -> QuerySet[Account]:
    """A programme's pool is as public as the programme; an organisation's accounts are its own."""
    if actor.has(*SUPERVISORS):
        return queryset
    published = ProgrammeVersion.objects.filter(programme_id=OuterRef("programme_id"), published_at__isnull=False)
    pool: Q = Q(kind=POOL) & Q(Exists(published))
    for owner_id in actor.organisations(Role.OWNER_FINANCE):
        pool |= Q(key__startswith=f"receivable:{owner_id}:")  # what customers owe it
    return queryset.filter(pool | Q(organisation_id__in=actor.organisations(*CUSTOMERS, *PAYEES)))


def _account_codes(queryset: QuerySet[AccountCodes], actor: Actor) -> QuerySet[AccountCodes]:
    """How an institution keeps its own books is read by its finance."""
    return queryset.filter(organisation_id__in=actor.organisations(Role.OWNER_FINANCE, Role.FINANCE))


def _declarations(queryset: QuerySet[FirmDeclaration], actor: Actor) -> QuerySet[FirmDeclaration]:
    """What a firm or an owner declares is read by its administrators, and by who verifies, supervises or pays."""
    if actor.has(*OFFICIALS):
        return queryset
    return queryset.filter(organisation_id__in=actor.organisations(Role.FIRM_ADMIN, Role.LAB_MANAGER))


def _incomes(queryset: QuerySet[OwnerIncome], actor: Actor) -> QuerySet[OwnerIncome]:
    """What an owner earned is read by its administrators and finance, and by who supervises or pays."""
    if actor.has(*SUPERVISORS):
        return queryset
    return queryset.filter(organisation_id__in=actor.organisations(Role.FIRM_ADMIN, *OWNERS))


def _credit(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Lists against others are for officials."""
    return queryset if actor.has(*OFFICIALS) else queryset.none()


def _public(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    return queryset


def _announcements(queryset: QuerySet[VoucherAnnouncement], actor: Actor) -> QuerySet[VoucherAnnouncement]:
    return queryset if actor.has(*OFFICIALS) else queryset.filter(published_at__isnull=False)


def _quotas(queryset: QuerySet[VoucherQuota], actor: Actor) -> QuerySet[VoucherQuota]:
    return queryset if actor.has(*OFFICIALS) else queryset.filter(announcement__published_at__isnull=False)


def _of_holder(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Applications and vouchers are read by the people who book for the firm, and by who supervises or pays."""
    return queryset if actor.has(*SUPERVISORS) else queryset.filter(organisation_id__in=actor.organisations(*CUSTOMERS))


def _supervised(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """The office's own business, and all codes of papers in one list: read by who supervises or pays. One paper is checked without
    this, by its code."""
    return queryset if actor.has(*SUPERVISORS) else queryset.none()


def _checks(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """That the books are what they were concerns who pays, who inspects and who runs the platform."""
    return queryset if actor.has(*SUPERVISORS, Role.OPERATOR) else queryset.none()


def _transfers(queryset: QuerySet[Transfer], actor: Actor) -> QuerySet[Transfer]:
    if actor.has(*SUPERVISORS):
        return queryset
    own = actor.organisations(*CUSTOMERS, *PAYEES)
    return queryset.filter(Q(debit__organisation_id__in=own) | Q(credit__organisation_id__in=own))


def assessed_filter(actor: Actor, prefix: str = "") -> Q:
    """A quote or a charge is seen with the reservation or the sample job that it is of."""
    return reservation_filter(actor, f"{prefix}reservation__") | sample_job_filter(actor, f"{prefix}sample_job__")


def _quotes(queryset: QuerySet[Quote], actor: Actor) -> QuerySet[Quote]:
    return queryset.filter(assessed_filter(actor))


def _charges(queryset: QuerySet[Charge], actor: Actor) -> QuerySet[Charge]:
    return queryset.filter(assessed_filter(actor))


def _reliefs(queryset: QuerySet[FeeRelief], actor: Actor) -> QuerySet[FeeRelief]:
    """Seen with the fee; whose use it was is not told with it."""
    return queryset.filter(reservation_filter(actor, "fee__reservation__"))


def _awards(queryset: QuerySet[Award], actor: Actor) -> QuerySet[Award]:
    return queryset.filter(assessed_filter(actor, "charge__") | payee_filter(actor))


def _statements(queryset: QuerySet[Statement], actor: Actor) -> QuerySet[Statement]:
    return queryset.filter(payee_filter(actor))


def _statement_lines(queryset: QuerySet[StatementLine], actor: Actor) -> QuerySet[StatementLine]:
    return queryset.filter(payee_filter(actor, "statement__"))


def _slips(queryset: QuerySet[InternalSlip], actor: Actor) -> QuerySet[InternalSlip]:
    """An internal slip is read by who used the instrument or sent the samples, the group's leader, the owner's administrators, lab and
    finance, and the inspector. Nobody is told what colleagues of another group spend."""
    if actor.has(Role.INSPECTOR):
        return queryset
    if actor.user_id is None:
        return queryset.none()
    own = actor.organisations()
    kept = Q(organisation_id__in=actor.organisations(Role.FIRM_ADMIN, *OWNERS))
    led = Q(group__leader_id=actor.user_id, organisation_id__in=own)
    used = Q()
    for path in ("charge__", "fee__", "relief__fee__"):
        used |= Q(**{f"{path}reservation__requested_by_id": actor.user_id})
    used |= Q(charge__sample_job__requested_by_id=actor.user_id)
    return queryset.filter(kept | led | used & Q(organisation_id__in=own))


def quotation_filter(actor: Actor, prefix: str = "") -> Q:
    """A quotation is read by the lab, and by the customer once it was sent."""
    customer = Q(**{f"{prefix}enquiry__organisation_id__in": actor.organisations(*CUSTOMERS), f"{prefix}sent_at__isnull": False})
    return customer | Q(**{f"{prefix}enquiry__lab_id__in": actor.organisations(*OWNERS)})


def _quotations(queryset: QuerySet[Quotation], actor: Actor) -> QuerySet[Quotation]:
    return queryset.filter(quotation_filter(actor))


def _quotation_lines(queryset: QuerySet[QuotationLine], actor: Actor) -> QuerySet[QuotationLine]:
    return queryset.filter(quotation_filter(actor, "quotation__"))


def commission_filter(actor: Actor, prefix: str = "") -> Q:
    """A commission sheet is read by its two sides, and by those who supervise or pay once both have signed: it is evidence then."""
    found = Q(**{f"{prefix}organisation_id__in": actor.organisations(*CUSTOMERS)})
    found |= Q(**{f"{prefix}lab_id__in": actor.organisations(*OWNERS)})
    if actor.has(*SUPERVISORS):
        found |= Q(**{f"{prefix}state__in": [state.value for state in SIGNED_STATES]})
    return found


def _commissions(queryset: QuerySet[CommissionSheet], actor: Actor) -> QuerySet[CommissionSheet]:
    return queryset.filter(commission_filter(actor))


def _of_commissions(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Signatures and reservations are seen with their sheet."""
    return queryset.filter(commission_filter(actor, "sheet__"))


def bill_filter(actor: Actor, prefix: str = "") -> Q:
    """A bill is read by who accounts for the owner, by the customer's administrators and finance, and by the inspector."""
    if actor.has(Role.INSPECTOR):
        return ALL
    paying = Q(**{f"{prefix}customer_id__in": actor.organisations(*PAYEES)})
    return paying | Q(**{f"{prefix}owner_id__in": actor.organisations(Role.OWNER_FINANCE)})


def _bills(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Bills, receipts and statements of account: papers between an owner and a customer."""
    return queryset.filter(bill_filter(actor))


def _account_statements(queryset: QuerySet[AccountStatement], actor: Actor) -> QuerySet[AccountStatement]:
    """Those of an office about its claw-backs, by its finance besides."""
    return queryset.filter(bill_filter(actor) | Q(owner_id__in=actor.organisations(Role.FINANCE)))


def _of_bills(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Lines, credit notes, voids, attempts to pay and what was paid are seen with their bill."""
    return queryset.filter(bill_filter(actor, "bill__"))


def _invoices(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """The invoice of a bill is seen with it, that of what an office buys with its settlement statement."""
    sold = Q(statement__isnull=False) & payee_filter(actor, "statement__")
    return queryset.filter(Q(bill__isnull=False) & bill_filter(actor, "bill__") | sold)


def _checkouts(queryset: QuerySet[Checkout], actor: Actor) -> QuerySet[Checkout]:
    """Attempts to pay a bill are seen with it, attempts to pay in advance by the two sides."""
    return queryset.filter(bill_filter(actor, "bill__") | bill_filter(actor))


def _reversals(queryset: QuerySet[AwardReversal], actor: Actor) -> QuerySet[AwardReversal]:
    """What goes back with a credit note is seen with its bill, what goes back for another cause with the award's payee."""
    other = payee_filter(actor, "award__") & Q(credit_note__isnull=True)
    return queryset.filter(bill_filter(actor, "credit_note__bill__") & Q(credit_note__isnull=False) | other)


def received_filter(actor: Actor, prefix: str = "") -> Q:
    """What came in at an owner is read by who accounts for it, and by the inspector: whoever else paid there is nobody's business."""
    if actor.has(Role.INSPECTOR):
        return ALL
    return Q(**{f"{prefix}owner_id__in": actor.organisations(Role.OWNER_FINANCE)})


def _received(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    return queryset.filter(received_filter(actor))


def _of_books(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """That an owner gave a bill up is for its books: the customer owes it all the same and is told nothing of it."""
    return queryset.filter(received_filter(actor, "bill__"))


def _of_payments(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    return queryset.filter(received_filter(actor, "payment__"))


def _of_reservations(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    return queryset.filter(reservation_filter(actor, "reservation__"))


def _provider_events(queryset: QuerySet[ProviderEvent], actor: Actor) -> QuerySet[ProviderEvent]:
    """What a provider told us names nobody; who runs the platform looks after it."""
    return queryset if actor.has(Role.OPERATOR, Role.INSPECTOR) else queryset.none()


def _claims(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """A claim, and what has to come back, is read by who claims for the payee, and by who supervises or pays."""
    return queryset.filter(payee_filter(actor))


def _of_claims(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Lines, history, evidence and what was handed in are seen with their claim."""
    return queryset.filter(payee_filter(actor, "claim__"))


def _of_clawbacks(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """What came back is seen with the notice that asked for it."""
    return queryset.filter(payee_filter(actor, "clawback__"))


def _of_repayments(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """What was sent back of it, too."""
    return queryset.filter(payee_filter(actor, "repayment__clawback__"))


def _of_office(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """Batches, payment lists, samples for re-check and who objected are the office's: they name other payees."""
    return queryset if actor.has(*SUPERVISORS) else queryset.none()


def _deputies(queryset: QuerySet[Deputy], actor: Actor) -> QuerySet[Deputy]:
    """Who stands in for whom is read at the office, and by the inspector."""
    if actor.has(Role.INSPECTOR):
        return queryset
    return queryset.filter(office_id__in=actor.organisations(Role.PROGRAMME_OFFICER, Role.FINANCE))


def month_filter(actor: Actor, prefix: str = "") -> Q:
    """A month of bills is seen by the finance of its owner, one of statements by that of the office whose programmes they are (of
    programmes that name none: of any office); both by the inspector."""
    if actor.has(Role.INSPECTOR):
        return ALL
    own = Q(**{f"{prefix}owner_id__in": actor.organisations(Role.OWNER_FINANCE)})
    if not actor.has(Role.FINANCE):
        return own
    offices = [None, *actor.organisations(Role.FINANCE)]
    return own | Q(**{f"{prefix}series__in": [Series(office_id=office_id).key for office_id in offices]})


def _months(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    return queryset.filter(month_filter(actor))


def _statement_proposals(queryset: QuerySet[StatementProposal], actor: Actor) -> QuerySet[StatementProposal]:
    """What is proposed is read by the finance of the office whose programme it is (of programmes that name none: of any office), and by the
    inspector."""
    if actor.has(Role.INSPECTOR):
        return queryset
    if not actor.has(Role.FINANCE):
        return queryset.none()
    issuer = "programme_version__programme__issuer"
    return queryset.filter(Q(**{f"{issuer}__isnull": True}) | Q(**{f"{issuer}__in": actor.organisations(Role.FINANCE)}))


def _held_back(queryset: QuerySet[HeldBack], actor: Actor) -> QuerySet[HeldBack]:
    """What is left out of a month is seen as the month is."""
    if actor.has(Role.INSPECTOR):
        return queryset
    seen = Q(owner_id__in=actor.organisations(Role.OWNER_FINANCE))
    if actor.has(Role.FINANCE):
        issuer = "award__programme_version__programme__issuer"
        none = Q(award__isnull=False, **{f"{issuer}__isnull": True})
        seen |= none | Q(**{f"{issuer}__in": actor.organisations(Role.FINANCE)})
    return queryset.filter(seen)


def _month_drafts(queryset: QuerySet[Draft], actor: Actor) -> QuerySet[Draft]:
    return queryset.filter(month_filter(actor, "run__"))


def _month_lines(queryset: QuerySet[DraftLine], actor: Actor) -> QuerySet[DraftLine]:
    return queryset.filter(month_filter(actor, "draft__run__"))


def _export_items(queryset: QuerySet[ExportItem], actor: Actor) -> QuerySet[ExportItem]:
    return queryset.filter(month_filter(actor, "export__"))


def _differences(queryset: QuerySet[PaymentDifference], actor: Actor) -> QuerySet[PaymentDifference]:
    """Where a provider and our books disagree is read by who runs the platform, and by who accounts for the owner."""
    if actor.has(Role.OPERATOR, Role.INSPECTOR):
        return queryset
    owners = actor.organisations(Role.OWNER_FINANCE)
    return queryset.filter(Q(checkout__bill__owner_id__in=owners) | Q(checkout__owner_id__in=owners))


def _prepaid(queryset: QuerySet[PrepaidEntry], actor: Actor) -> QuerySet[PrepaidEntry]:
    """Prepaid money is seen by its customer's administrators and finance, and by who reads the payment it came with."""
    own = Q(customer_id__in=actor.organisations(*PAYEES))
    return queryset.filter(own | received_filter(actor, "payment__"))


def _between(queryset: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
    """What an owner says about a customer: its finance, the customer's administrators and finance, the inspector."""
    return queryset.filter(bill_filter(actor))


def _spending_limits(queryset: QuerySet[SpendingLimit], actor: Actor) -> QuerySet[SpendingLimit]:
    """Who keeps an organisation's money reads all of its limits, a member the own ones."""
    kept = Q(organisation_id__in=actor.organisations(*PAYEES))
    return queryset.filter(kept | Q(member_id=actor.user_id, organisation_id__in=actor.organisations()))


def _purchase_orders(queryset: QuerySet[PurchaseOrder], actor: Actor) -> QuerySet[PurchaseOrder]:
    return queryset.filter(assessed_filter(actor))


_SCOPES: dict[Any, Any] = {
    Claim: _claims,
    ClaimBatch: _of_office,
    ClaimDeclaration: _of_claims,
    ClaimEvidence: _of_claims,
    ClaimLine: _of_claims,
    ClaimStep: _of_claims,
    ClaimSubmission: _of_claims,
    Clawback: _claims,
    Objection: _of_office,
    Repayment: _of_clawbacks,
    SurplusRefund: _of_repayments,
    RecheckAnswer: _of_office,
    RecheckFinding: _of_office,
    RecheckItem: _of_office,
    RecheckSample: _of_office,
    PaymentLine: _of_office,
    PaymentList: _of_office,
    Payout: _of_office,
    Publicity: _public,
    Allocation: _of_bills,
    AwardReversal: _reversals,
    BankStatement: _received,
    HandEntry: _received,
    Bill: _bills,
    BillDispute: _of_bills,
    BillLine: _of_bills,
    BillProposal: _received,
    WriteOff: _of_books,
    WriteOffProposal: _of_books,
    BillVoid: _of_bills,
    Checkout: _checkouts,
    ClosedPeriod: _months,
    CreditNote: _of_bills,
    Deputy: _deputies,
    Dispute: _of_payments,
    Draft: _month_drafts,
    DraftLine: _month_lines,
    DraftRun: _months,
    ExportItem: _export_items,
    HeldBack: _held_back,
    MonthExport: _months,
    Exemption: _between,
    Payment: _received,
    PaymentDifference: _differences,
    PrepaidEntry: _prepaid,
    PrepaidTerms: _between,
    ProviderEvent: _provider_events,
    PurchaseOrder: _purchase_orders,
    Refund: _of_payments,
    RefundRequest: _of_payments,
    Reminder: _between,
    Account: _accounts,
    AccountCodes: _account_codes,
    AccountStatement: _account_statements,
    Receipt: _bills,
    Award: _awards,
    BookCheck: _checks,
    BookingFee: _of_reservations,
    Charge: _charges,
    CommissionCharge: _of_commissions,
    CommissionReservation: _of_commissions,
    CommissionSampleJob: _of_commissions,
    CommissionSheet: _commissions,
    CommissionSignature: _of_commissions,
    CreditImport: _credit,
    CreditListing: _credit,
    DraftStep: _of_drafts,
    DraftWriter: _of_drafts,
    FeeRelief: _reliefs,
    FirmDeclaration: _declarations,
    InternalSlip: _slips,
    InvoiceRequest: _invoices,
    LedgerSeal: _supervised,
    OpeningBalance: _of_holder,
    OpeningLoad: _credit,
    PaperCode: _supervised,
    PaperFile: _supervised,
    OpeningReversal: _credit,
    OwnerIncome: _incomes,
    PartnerList: _public,
    PartnerProvider: _public,
    PartnerRegion: _public,
    PriceDraft: _price_drafts,
    PriceFamily: _families,
    PriceFamilyMember: _family_members,
    PriceVersion: _price_versions,
    Programme: _programmes,
    ProgrammeDraft: _drafts,
    ProgrammeVersion: _programme_versions,
    Quotation: _quotations,
    QuotationLine: _quotation_lines,
    Quote: _quotes,
    SandboxRun: _sandbox_runs,
    SessionExtra: _of_reservations,
    SpendingLimit: _spending_limits,
    Statement: _statements,
    StatementProposal: _statement_proposals,
    StatementLine: _statement_lines,
    SubsidisedItem: _of_holder,
    TakenOnce: _supervised,
    Counted: _supervised,
    TestItemPrice: _test_item_prices,
    CapFigure: _supervised,
    TopUp: _supervised,
    Transfer: _transfers,
    VatInvoice: _invoices,
    VersionEnd: _version_ends,
    Voucher: _of_holder,
    VoucherAnnouncement: _announcements,
    VoucherApplication: _of_holder,
    VoucherQuota: _quotas,
}
for _model, _scope in _SCOPES.items():
    register_scope(_model, _scope)
