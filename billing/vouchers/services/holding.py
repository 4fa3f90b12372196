"""What happens to issued vouchers beside being used: given back by the firm, recognised from a partner region."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from billing.firms.partner_models import PartnerRegion, RecognitionMode
from billing.ledger import life
from billing.ledger import services as ledger
from billing.ledger.models import Account
from billing.ledger.services import AccountSpec, Source
from billing.subsidy.models import Programme, ProgrammeVersion
from billing.subsidy.rules.outcome import SettlementMode
from billing.subsidy.services import in_force
from billing.vouchers.models import Voucher
from billing.vouchers.rules.backing import VOUCHER, is_issued, voucher_key
from billing.vouchers.rules.terms import MOST_FEN
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.models import Organisation
from instruments.services.organisations import require_person
from instruments.services.uploads import clean_document


@whole
def give_back(actor: Actor, voucher_id: int, now: datetime) -> Voucher:
    """The firm returns what is not used; what is promised to bookings stays promised, and what of it comes free returns too.

    Raises NotFound, Forbidden, Conflict ``voucher.returned_already``.
    """
    found = get_visible(Voucher.objects.all(), actor, pk=voucher_id)
    if found.organisation_id not in actor.organisations(Role.FIRM_ADMIN):
        raise Forbidden.of("access.role_needed", roles=[Role.FIRM_ADMIN.value])
    row = Voucher.objects.select_for_update(no_key=True).get(pk=found.pk)
    if row.returned_at is not None:
        raise Conflict.of("voucher.returned_already")
    row.returned_at, row.returned_by_id = now, require_person(actor)
    row.save(update_fields=["returned_at", "returned_by"])
    life.end(row.account_id, timezone.localdate(now) - timedelta(days=1), "return", actor.user_id, now)
    audit.record(actor, "voucher.return", row, now, after={"number": row.number})
    return row


#: What a programme has to do for what was agreed with a region, and what is said of one that does otherwise.
_AGREED = {
    RecognitionMode.REDEEM: (SettlementMode.DEDUCTED_NOW, "voucher.agreed_redeem"),
    RecognitionMode.REFUND: (SettlementMode.REFUNDED_LATER, "voucher.agreed_refund"),
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A voucher of a partner region: its number there, what it is worth (fen) and its days there; the paper as ``evidence``."""

    origin_id: int
    number: str
    programme_code: str
    cap_id: str
    face_fen: int
    valid_from: date
    valid_to: date
    evidence: bytes


@whole
def recognise(actor: Actor, organisation_id: int, given: Recognised, now: datetime) -> Voucher:
    """Register a voucher that a partner region issued, so that it can be used here; its home region pays what is used.

    Raises Forbidden, NotFound, Refusal ``partner.not_now`` (``origin``), ``voucher.number_foreign`` and ``voucher.number_taken``
    (``number``), ``voucher.cap_not_issued``, ``voucher.cap_of_one_payer`` and ``voucher.agreed_redeem`` / ``voucher.agreed_refund`` where
    the programme settles another way than was agreed with the region (``cap_id``), ``voucher.amount_range``, ``firm.days_in_order``, as
    ``uploads.clean_document``.
    """
    actor.require(Role.PROGRAMME_OFFICER)
    organisation = get_visible(Organisation.objects.all(), actor, pk=organisation_id)
    origin = get_visible(PartnerRegion.objects.all(), actor, pk=given.origin_id)
    programme = get_visible(Programme.objects.all(), actor, code=given.programme_code)
    Refusal.raise_any(_faults(origin, programme, given, timezone.localdate(now)))
    clean = clean_document(given.evidence)
    user_id = require_person(actor)
    stored = files.store(
        clean.content, file_name=f"voucher.{clean.extension}", media_type=clean.media_type, user_id=user_id, now=now
    )
    key = voucher_key(given.cap_id, given.number)
    home = AccountSpec(f"partner:{origin.region_code}", "partner", None)
    spec = AccountSpec(key, VOUCHER, 0, programme.pk, organisation.pk)
    accounts = ledger.open_accounts([spec, home], now)
    source = Source("partner_region", origin.pk, "recognise", None, user_id)
    ledger.grant(accounts[home.key], accounts[key], given.face_fen, source, now)
    Account.objects.filter(pk=accounts[key].pk).update(ends_on=given.valid_to, returns_to=accounts[home.key])
    made = Voucher.objects.create(
        number=given.number,
        programme=programme,
        cap_id=given.cap_id,
        organisation=organisation,
        account=accounts[key],
        face_fen=given.face_fen,
        valid_from=given.valid_from,
        valid_to=given.valid_to,
        origin=origin,
        evidence=stored,
        issued_by_id=user_id,
        issued_at=now,
    )
    after = {"number": made.number, "face_fen": made.face_fen, "origin": origin.platform_id, "sha256": stored.sha256}
    audit.record(actor, "voucher.recognise", made, now, after=after)
    return made


def _faults(origin: PartnerRegion, programme: Programme, given: Recognised, today: date) -> list[Reason]:
    reasons = []
    if today < origin.valid_from or (origin.valid_to is not None and today > origin.valid_to):
        reasons.append(Reason("partner.not_now", {"name": origin.name}, "origin"))
    if not given.number.startswith(f"{origin.platform_id}/") or len(given.number) > 80:
        reasons.append(Reason("voucher.number_foreign", {"prefix": f"{origin.platform_id}/"}, "number"))
    elif Voucher.objects.filter(number=given.number).exists():
        reasons.append(Reason("voucher.number_taken", {}, "number"))
    versions = ProgrammeVersion.objects.filter(programme=programme, published_at__isnull=False).values_list("pk", flat=True)
    compiled = [in_force(pk).programme for pk in versions]
    issued = [(cap.id, each.mode) for each in compiled for cap in each.caps if is_issued(cap)]
    payers = {(cap.id, cap.payer) for each in compiled for cap in each.caps}
    modes = {mode for cap_id, mode in issued if cap_id == given.cap_id}
    if not modes:
        reasons.append(Reason("voucher.cap_not_issued", {"known": sorted({cap_id for cap_id, _mode in issued})}, "cap_id"))
    elif any(cap_id == given.cap_id and payer for cap_id, payer in payers):
        reasons.append(Reason("voucher.cap_of_one_payer", {}, "cap_id"))
    elif (agreed := _AGREED[RecognitionMode(origin.mode)])[0] not in modes:
        reasons.append(Reason(agreed[1], {"name": origin.name}, "cap_id"))
    if not 0 < given.face_fen <= MOST_FEN:
        reasons.append(Reason("voucher.amount_range", {}, "face_fen"))
    if given.valid_to < given.valid_from:
        reasons.append(Reason("firm.days_in_order", {}, "valid_to"))
    return reasons
