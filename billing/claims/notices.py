"""What a claim's payee and the office are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing.claims.models import Claim, Clawback, Objection
from billing.claims.repayment_models import Repayment, SurplusRefund
from billing.claims.rules.states import ClaimEvent
from billing.claims.services.telling import tell_office
from billing.settlement.models import Award
from config.kernel.access import Role
from instruments.notice_events import Event, Group, register_events, register_groups
from instruments.services.notices import News, holders, tell

OBJECTION, TO_SIGN, TO_RECORD = "claim.objection", "payment_list.to_sign", "payment_list.to_record"
FINDING = "claim.finding"
_LINES = (_("%(programme)s: %(total_fen)s"), _("Reason: %(reason)s"))
#: ``behalf``: for whom the reader stands in; nothing for whoever is told in their own right.
_OFFICE_LINES = (_("%(programme)s: %(total_fen)s"), _("You stand in for %(behalf)s."))
register_groups(
    {"claims": Group(_("Claims for subsidy"), _("What a claim needs, where it stands, and what comes back."), place=45)}
)
register_events(
    {
        "claim.opened": Event(
            "claims",
            _("Claim %(number)s can be handed in"),
            _LINES,
            "file-invoice",
            needs_action=True,
            name=_("Claim can be handed in"),
        ),
        "claim.sent_back": Event(
            "claims",
            _("Claim %(number)s has to be completed"),
            _LINES,
            "pencil",
            needs_action=True,
            name=_("Claim to be completed"),
        ),
        "claim.rejected": Event("claims", _("Claim %(number)s was rejected"), _LINES, "circle-x", name=_("Claim rejected")),
        "claim.approved": Event("claims", _("Claim %(number)s was approved"), _LINES, "circle-check", name=_("Claim approved")),
        "claim.paid": Event("claims", _("Claim %(number)s was paid"), _LINES, "cash", name=_("Claim paid")),
        "claim.payment_failed": Event(
            "claims",
            _("The payment of claim %(number)s did not arrive whole"),
            _LINES,
            "alert-triangle",
            name=_("Payment of a claim failed"),
        ),
        "claim.clawback": Event(
            "claims",
            _("Subsidy has to come back: %(number)s"),
            (*_LINES, _("Transfer it by %(due_on)s with %(reference)s as the purpose, or it is taken off the next claim.")),
            "receipt-refund",
            name=_("Subsidy has to come back"),
        ),
        "claim.clawback_later": Event(
            "claims",
            _("Subsidy has to come back: %(number)s"),
            (*_LINES, _("Nothing is to be paid while the claim is not approved.")),
            "receipt-refund",
            name=_("Subsidy has to come back once the claim is approved"),
        ),
        "claim.repaid": Event(
            "claims", _("What came back for %(number)s is received"), _LINES, "circle-check", name=_("Claw-back received")
        ),
        "claim.too_late": Event(
            "claims",
            _("Subsidy went back because it was not claimed in time: %(number)s"),
            (_("%(programme)s: %(total_fen)s"), _("The last day on which it could be claimed is over.")),
            "calendar",
            name=_("Subsidy not claimed in time"),
        ),
        "claim.surplus_refunded": Event(
            "claims",
            _("What was sent too much for %(number)s is on its way back"),
            _LINES,
            "cash",
            name=_("Sent too much for a claw-back, and sent back"),
        ),
        OBJECTION: Event(
            "claims",
            _("Somebody objects to claim %(number)s"),
            _OFFICE_LINES,
            "message-report",
            needs_action=True,
            name=_("Objection to a claim"),
        ),
        FINDING: Event(
            "claims",
            _("Of claim %(number)s too much was paid, as an inspector found"),
            (*_LINES, _("You stand in for %(behalf)s.")),
            "shield-check",
            needs_action=True,
            name=_("Paid too much, as an inspector found"),
        ),
        TO_SIGN: Event(
            "claims",
            _("Payment list %(number)s waits for a signature"),
            _OFFICE_LINES,
            "pencil",
            needs_action=True,
            name=_("Payment list to be signed"),
        ),
        TO_RECORD: Event(
            "claims",
            _("Payment list %(number)s is approved: write down what was paid"),
            _OFFICE_LINES,
            "cash",
            needs_action=True,
            is_gathered=True,
            name=_("Payment list to be recorded"),
        ),
    }
)
_OF_EVENT: Mapping[ClaimEvent, str] = {
    ClaimEvent.SEND_BACK: "claim.sent_back",
    ClaimEvent.REJECT: "claim.rejected",
    ClaimEvent.APPROVE: "claim.approved",
    ClaimEvent.PAY: "claim.paid",
    ClaimEvent.PAY_PART: "claim.payment_failed",
    ClaimEvent.PAY_FAIL: "claim.payment_failed",
}


def tell_payee(claim: Claim, event: ClaimEvent, reason: str, now: datetime) -> None:
    """Tell who claims for the payee what concerns them; nothing for steps inside the office."""
    if event is ClaimEvent.PAY_PART and not reason:
        return  # one of several payers has paid its share: told when the whole is paid, or something did not arrive
    if event in _OF_EVENT:
        _tell(_OF_EVENT[event], claim, claim.number, claim.total_fen, reason, now)


def tell_opened(claim: Claim, now: datetime) -> None:
    """The claim waits for its payee."""
    _tell("claim.opened", claim, claim.number, claim.total_fen, "", now)


def tell_clawback(clawback: Clawback, now: datetime) -> None:
    """Something has to come back."""
    if clawback.due_on is None:
        _tell_of("claim.clawback_later", clawback, clawback.total_fen, now, reason=clawback.reason)
        return
    also = {"due_on": clawback.due_on.isoformat(), "reference": clawback.reference, "reason": clawback.reason}
    _tell_of("claim.clawback", clawback, clawback.total_fen, now, **also)


def tell_repaid(repayment: Repayment, now: datetime) -> None:
    """Money for a notice has arrived."""
    _tell_of("claim.repaid", repayment.clawback, repayment.received_fen, now, reason="")


def tell_surplus_refunded(refund: SurplusRefund, now: datetime) -> None:
    """What came too much was sent back."""
    _tell_of("claim.surplus_refunded", refund.repayment.clawback, refund.amount_fen, now, reason=refund.reference)


def tell_too_late(award: Award, total_fen: int, now: datetime) -> None:
    """What somebody did not claim in time has gone back to its programme."""
    charge = award.charge
    served: Any = charge.reservation or charge.sample_job
    number = served.reference
    params = {"number": number, "programme": award.programme_version.programme.code, "total_fen": total_fen}
    _tell_payee(News("claim.too_late", params, "/claims/", served), award.payee_id, now)


def tell_objection(objection: Objection, now: datetime) -> None:
    """Somebody objects: the office answers."""
    claim = objection.claim
    params = {"number": claim.number, "programme": claim.batch.programme.code, "total_fen": claim.total_fen}
    news = News(OBJECTION, params, f"/claim-batches/{claim.batch_id}/", claim)
    tell_office(news, claim.batch.programme.issuer_id, (Role.PROGRAMME_OFFICER,), now)


def _tell_of(event: str, clawback: Clawback, total_fen: int, now: datetime, **also: str) -> None:
    params = {"number": clawback.number, "programme": clawback.claim.batch.programme.code, "total_fen": total_fen, **also}
    _tell_payee(News(event, params, f"/clawbacks/{clawback.pk}/", clawback), clawback.payee_id, now)


def _tell(event: str, claim: Claim, number: str, total_fen: int, reason: str, now: datetime) -> None:
    params = {"number": number, "programme": claim.batch.programme.code, "total_fen": total_fen, "reason": reason}
    _tell_payee(News(event, params, f"/claims/{claim.pk}/", claim), claim.payee_id, now)


def _tell_payee(news: News, payee_id: int, now: datetime) -> None:
    tell(news, holders(Role.FIRM_ADMIN, payee_id) | holders(Role.OWNER_FINANCE, payee_id), now)
