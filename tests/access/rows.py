"""Who sees which row of the models whose rows are made by ``tests.access.world``: by the side to which a row belongs.

The addresses of the platform are in ``matrix``; this is what every list, report and API on top of these models is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.access.matrix import CUSTOMERS, EVERYBODY, NOBODY, OFFICIALS, OWNERS, PERSONS, SUPERVISORS, Roles, only


@dataclass(frozen=True)
class Rows:
    """``side``: path to the lab, the customer or the office to whose side a row belongs; empty: it belongs to the platform, and ``ours``
    see it. ``ours``, ``theirs``: who sees it. ``where``: some only."""

    side: str
    ours: Roles
    theirs: Roles
    where: Mapping[str, Any] = field(default_factory=dict)


FOREIGN = only("foreign")
ORDERS = (CUSTOMERS | OWNERS, FOREIGN)
BOOKINGS = (CUSTOMERS | OWNERS | SUPERVISORS, SUPERVISORS | FOREIGN)
RECORDS = (only("researcher", "lab_manager", "inspector", "operator"), only("foreign", "inspector", "operator"))
OF_THE_PLATFORM = only("inspector", "operator")
ON_THE_PLATFORMS_LIST = (only("researcher") | OF_THE_PLATFORM, FOREIGN | OF_THE_PLATFORM)
KEPT = (only("lab_manager", "operator"), only("operator"))
PRICES = (OWNERS, NOBODY)
RUNNING = (only("lab_manager"), NOBODY)
OPEN = (EVERYBODY, EVERYBODY)
WITH_ACCOUNT = (PERSONS, PERSONS)
ASKER = (only("researcher"), FOREIGN)


def _quotations(to: str) -> tuple[Rows, ...]:
    """Nobody but the lab reads a draft."""
    draft = {f"{to}state": "draft"}
    sent = {f"{to}state__in": ("sent", "accepted")}
    side = f"{to}enquiry__lab_id"
    return Rows(side, OWNERS, NOBODY, draft), Rows(side, *ORDERS, sent)


def _commissions(to: str) -> tuple[Rows, ...]:
    """Who supervises reads what is agreed."""
    open_, signed = {f"{to}state__in": ("draft", "issued")}, {f"{to}state": "in_force"}
    return Rows(f"{to}lab_id", *ORDERS, open_), Rows(f"{to}lab_id", *BOOKINGS, signed)


def _announced(to: str) -> tuple[Rows, ...]:
    """Officials read what is not announced yet."""
    return Rows("", *OPEN, {f"{to}published_at__isnull": False}), Rows("", *TO_OFFICIALS, {f"{to}published_at__isnull": True})


GROUPS = (CUSTOMERS | only("inspector"), FOREIGN | only("inspector"))
SLIPS = (OWNERS | only("inspector"), only("inspector"))

OF_THE_OFFICE = (SUPERVISORS, NOBODY)
BILLS = (only("firm_admin", "owner_finance", "inspector"), only("inspector", "foreign"))
RECEIVED = (only("owner_finance", "inspector"), only("inspector"))
CLAIMED = (only("owner_finance") | SUPERVISORS, SUPERVISORS | FOREIGN)
HELD = (CUSTOMERS | SUPERVISORS, SUPERVISORS | FOREIGN)
DECLARED = (only("firm_admin") | OFFICIALS, OFFICIALS | FOREIGN)
REVIEWED = (only("lab_manager") | OF_THE_PLATFORM, OF_THE_PLATFORM)
TO_OFFICIALS = (OFFICIALS, NOBODY)

ROWS: dict[str, tuple[Rows, ...]] = {
    "billing.draftstep": (Rows("draft__office_id", *OF_THE_OFFICE),),
    "billing.draftwriter": (Rows("draft__office_id", *OF_THE_OFFICE),),
    "billing.programmedraft": (Rows("office_id", *OF_THE_OFFICE),),
    "billing.sandboxrun": (Rows("office_id", *OF_THE_OFFICE),),
    **{
        f"billing.{model}": (Rows(f"{to}owner_id", *RECEIVED),)
        for model, to in (
            ("closedperiod", ""),
            ("draft", "run__"),
            ("draftline", "draft__run__"),
            ("draftrun", ""),
            ("exportitem", "export__"),
            ("heldback", ""),
            ("monthexport", ""),
        )
    },
    "billing.allocation": (Rows("bill__customer_id", *BILLS),),
    "billing.awardreversal": (Rows("credit_note__bill__customer_id", *BILLS),),
    "billing.bankstatement": (Rows("owner_id", *RECEIVED),),
    "billing.bill": (Rows("customer_id", *BILLS),),
    "billing.billproposal": (Rows("owner_id", *RECEIVED),),
    "billing.billdispute": (Rows("bill__customer_id", *BILLS),),
    "billing.exemption": (Rows("customer_id", *BILLS),),
    "billing.paymentdifference": (
        Rows("checkout__bill__customer_id", only("owner_finance", "operator", "inspector"), only("operator", "inspector")),
    ),
    "billing.prepaidentry": (Rows("customer_id", *BILLS),),
    "billing.prepaidterms": (Rows("customer_id", *BILLS),),
    "billing.accountcodes": (Rows("organisation_id", only("owner_finance"), NOBODY),),
    "billing.purchaseorder": (
        Rows("reservation__organisation_id", *BOOKINGS, {"sample_job": None}),
        Rows("sample_job__organisation_id", *BOOKINGS, {"reservation": None}),
    ),
    "billing.reminder": (Rows("customer_id", *BILLS),),
    "billing.spendinglimit": (Rows("organisation_id", CUSTOMERS, FOREIGN),),
    "billing.billline": (Rows("bill__customer_id", *BILLS),),
    "billing.billvoid": (Rows("bill__customer_id", *BILLS),),
    "billing.checkout": (Rows("bill__customer_id", *BILLS),),
    "billing.claim": (Rows("payee_id", *CLAIMED),),
    "billing.repayment": (Rows("clawback__payee_id", *CLAIMED),),
    "billing.surplusrefund": (Rows("repayment__clawback__payee_id", *CLAIMED),),
    "billing.claimbatch": (Rows("", *OF_THE_OFFICE),),
    "billing.claimdeclaration": (Rows("claim__payee_id", *CLAIMED),),
    "billing.claimevidence": (Rows("claim__payee_id", *CLAIMED),),
    "billing.claimline": (Rows("claim__payee_id", *CLAIMED),),
    "billing.claimstep": (Rows("claim__payee_id", *CLAIMED),),
    "billing.claimsubmission": (Rows("claim__payee_id", *CLAIMED),),
    "billing.clawback": (Rows("payee_id", *CLAIMED),),
    "billing.deputy": (Rows("office_id", only("programme_officer", "finance", "inspector"), only("inspector")),),
    "billing.statementproposal": (Rows("", only("finance", "inspector"), NOBODY),),
    "billing.objection": (Rows("", *OF_THE_OFFICE),),
    "billing.paymentline": (Rows("", *OF_THE_OFFICE),),
    "billing.paymentlist": (Rows("", *OF_THE_OFFICE),),
    "billing.payout": (Rows("", *OF_THE_OFFICE),),
    "billing.recheckanswer": (Rows("", *OF_THE_OFFICE),),
    "billing.recheckfinding": (Rows("", *OF_THE_OFFICE),),
    "billing.recheckitem": (Rows("", *OF_THE_OFFICE),),
    "billing.rechecksample": (Rows("", *OF_THE_OFFICE),),
    "billing.publicity": (Rows("", *OPEN),),
    "billing.creditimport": (Rows("", *TO_OFFICIALS),),
    "billing.creditlisting": (Rows("", *TO_OFFICIALS),),
    "billing.creditnote": (Rows("bill__customer_id", *BILLS),),
    "billing.dispute": (Rows("payment__owner_id", *RECEIVED),),
    "billing.firmdeclaration": (Rows("organisation_id", *DECLARED),),
    "billing.ownerincome": (Rows("organisation_id", only("owner_finance", "lab_manager") | SUPERVISORS, SUPERVISORS),),
    "billing.bookcheck": (Rows("", *TO_OFFICIALS),),
    "billing.invoicerequest": (Rows("bill__customer_id", *BILLS),),
    "billing.vatinvoice": (Rows("bill__customer_id", *BILLS),),
    "billing.receipt": (Rows("customer_id", *BILLS),),
    "billing.accountstatement": (Rows("customer_id", *BILLS),),
    "billing.ledgerseal": (Rows("", *OF_THE_OFFICE),),
    "billing.papercode": (Rows("", *OF_THE_OFFICE),),
    "billing.paperfile": (Rows("", *OF_THE_OFFICE),),
    "billing.openingbalance": (Rows("organisation_id", *HELD),),
    "billing.openingload": (Rows("", *TO_OFFICIALS),),
    "billing.openingreversal": (Rows("", *TO_OFFICIALS),),
    "billing.partnerlist": (Rows("", *OPEN),),
    "billing.partnerprovider": (Rows("", *OPEN),),
    "billing.partnerregion": (Rows("", *OPEN),),
    "billing.handentry": (Rows("owner_id", *RECEIVED),),
    "billing.payment": (Rows("owner_id", *RECEIVED),),
    "billing.providerevent": (Rows("", OF_THE_PLATFORM, NOBODY),),
    "billing.refund": (Rows("payment__owner_id", *RECEIVED),),
    "billing.refundrequest": (Rows("payment__owner_id", *RECEIVED),),
    "billing.writeoff": (Rows("bill__owner_id", *RECEIVED),),
    "billing.writeoffproposal": (Rows("bill__owner_id", *RECEIVED),),
    "billing.subsidiseditem": (Rows("organisation_id", *HELD),),
    "billing.sessionextra": (Rows("reservation__organisation_id", *BOOKINGS),),
    "billing.takenonce": (Rows("", *OF_THE_OFFICE),),
    "billing.counted": (Rows("", *OF_THE_OFFICE),),
    "billing.topup": (Rows("", *OF_THE_OFFICE),),
    "billing.capfigure": (Rows("", *OF_THE_OFFICE),),
    "billing.versionend": (Rows("", *TO_OFFICIALS),),
    "billing.voucher": (Rows("organisation_id", *HELD),),
    "billing.voucherannouncement": _announced(""),
    "billing.voucherapplication": (Rows("organisation_id", *HELD),),
    "billing.voucherquota": _announced("announcement__"),
    "billing.bookingfee": (Rows("reservation__organisation_id", *BOOKINGS),),
    "billing.commissionsamplejob": _commissions("sheet__"),
    "billing.feerelief": (Rows("fee__reservation__organisation_id", *BOOKINGS),),
    "booking.bookingconsent": (Rows("organisation_id", only("researcher", "firm_admin"), FOREIGN),),
    "booking.downtime": (Rows("instrument__organisation_id", *RUNNING),),
    "booking.downtimeeffect": (Rows("downtime__instrument__organisation_id", *RUNNING),),
    "booking.labentry": (Rows("reservation__organisation_id", *BOOKINGS),),
    "booking.importedbooking": (Rows("reservation__organisation_id", *BOOKINGS),),
    "booking.assistant": (Rows("instruments__instrument__organisation_id", *KEPT),),
    "booking.instrumentassistant": (Rows("instrument__organisation_id", *KEPT),),
    "booking.maintenanceplan": (Rows("instrument__organisation_id", *RUNNING),),
    "booking.sampleday": (Rows("job__organisation_id", *BOOKINGS),),
    "booking.sampleparcel": (Rows("job__organisation_id", *BOOKINGS),),
    "billing.pricedraft": (Rows("instrument__organisation_id", *PRICES),),
    "billing.pricefamily": (Rows("organisation_id", *PRICES),),
    "billing.pricefamilymember": (Rows("family__organisation_id", *PRICES),),
    "billing.internalslip": (Rows("organisation_id", *SLIPS),),
    "booking.leaderapproval": (Rows("reservation__organisation_id", *BOOKINGS),),
    "instruments.fundcard": (Rows("organisation_id", *GROUPS),),
    "instruments.groupmember": (Rows("group__organisation_id", *GROUPS),),
    "instruments.resourcechange": (Rows("resource__organisation_id", *REVIEWED),),
    "instruments.researchgroup": (Rows("organisation_id", *GROUPS),),
    "instruments.spendingrules": (Rows("organisation_id", OWNERS | OFFICIALS, OFFICIALS),),
    "billing.commissionreservation": _commissions("sheet__"),
    "billing.commissionsheet": _commissions(""),
    "billing.commissioncharge": (Rows("sheet__lab_id", *BOOKINGS),),
    "billing.commissionsignature": (Rows("sheet__lab_id", *BOOKINGS),),
    "billing.quotation": _quotations(""),
    "billing.quotationline": _quotations("quotation__"),
    "booking.accesslistentry": (
        Rows("organisation_id", *RECORDS),
        Rows("person__memberships__organisation_id", *ON_THE_PLATFORMS_LIST, {"organisation": None, "customer": None}),
        Rows("customer_id", CUSTOMERS | OF_THE_PLATFORM, FOREIGN | OF_THE_PLATFORM, {"organisation": None, "person": None}),
    ),
    "booking.checkinpoint": (Rows("instrument__organisation_id", *RUNNING),),
    "booking.closeout": (
        Rows("reservation__organisation_id", *BOOKINGS, {"sample_job": None}),
        Rows("sample_job__organisation_id", *BOOKINGS, {"reservation": None}),
    ),
    "booking.coursescope": (
        Rows("course__organisation_id", *OPEN, {"course__active": True}),
        Rows("course__organisation_id", *KEPT, {"course__active": False}),
    ),
    "booking.coursesession": (Rows("course__organisation_id", *OPEN),),
    "booking.creditappeal": (Rows("event__organisation_id", *RECORDS),),
    "booking.creditevent": (Rows("organisation_id", *RECORDS),),
    "booking.creditrules": (Rows("organisation_id", *WITH_ACCOUNT), Rows("", *WITH_ACCOUNT, {"organisation": None})),
    "booking.delegation": (Rows("organisation_id", *RUNNING),),
    "booking.deviceevent": (Rows("instrument__organisation_id", *RUNNING),),
    "booking.devicekey": (Rows("organisation_id", *RUNNING),),
    "booking.devicerun": (Rows("instrument__organisation_id", *RUNNING),),
    "booking.sample": (Rows("job__organisation_id", *BOOKINGS),),
    "booking.sampleextra": (Rows("job__organisation_id", *BOOKINGS),),
    "booking.samplejob": (Rows("organisation_id", *BOOKINGS),),
    "booking.samplereport": (Rows("job__organisation_id", *ORDERS),),
    "booking.samplesteptaken": (Rows("job__organisation_id", *BOOKINGS),),
    "booking.enquiry": (Rows("organisation_id", *ORDERS),),
    "booking.enquiryattachment": (Rows("message__enquiry__organisation_id", *ORDERS),),
    "booking.enquirymessage": (Rows("enquiry__organisation_id", *ORDERS),),
    "booking.enquiryseen": (Rows("enquiry__organisation_id", *ASKER),),
    "booking.enrolment": (Rows("session__course__organisation_id", *RECORDS),),
    "booking.licence": (Rows("organisation_id", *RECORDS),),
    "booking.licencegap": (Rows("reservation__organisation_id", *BOOKINGS),),
    "booking.need": (Rows("organisation_id", CUSTOMERS, FOREIGN),),
    "booking.policylayer": (Rows("organisation_id", OWNERS, NOBODY),),
    "booking.recognitionrequest": (Rows("instrument__organisation_id", *RECORDS),),
    "booking.rejectreason": (Rows("organisation_id", *RUNNING),),
    "booking.requestdecision": (Rows("reservation__organisation_id", *RUNNING),),
    "booking.reservationchange": (Rows("reservation__organisation_id", *BOOKINGS),),
    "booking.reservationgroup": (Rows("organisation_id", *BOOKINGS),),
    "booking.reservationseries": (Rows("organisation_id", *BOOKINGS),),
    "booking.suggestedtime": (Rows("change__reservation__organisation_id", *BOOKINGS),),
    "booking.trainingcourse": (
        Rows("organisation_id", *OPEN, {"active": True}),
        Rows("organisation_id", *KEPT, {"active": False}),
    ),
    "booking.usageadjustment": (Rows("session__reservation__organisation_id", *BOOKINGS),),
    "booking.usagedispute": (Rows("session__reservation__organisation_id", *BOOKINGS),),
    "booking.waitentry": (Rows("organisation_id", only("researcher", "lab_manager"), FOREIGN),),
}
