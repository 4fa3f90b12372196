"""Applications: handed in by a firm, reviewed by an officer, issued or refused by another one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection
from django.utils import timezone

from billing.firms import loading
from billing.firms.rules.profile import party
from billing.ledger import services as ledger
from billing.ledger.models import Account, AccountState
from billing.ledger.services import AccountSpec, Source
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.facts import Facts, Party, facts_document
from billing.subsidy.services import in_force
from billing.vouchers.models import ApplicationState, Voucher, VoucherAnnouncement, VoucherApplication, VoucherQuota
from billing.vouchers.rules.backing import VOUCHER, voucher_key
from billing.vouchers.rules.terms import Area, last_day, unmet_by, voucher_number
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Reason, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.transactions import constraint_name, whole
from instruments.models import Organisation, OrganisationKind
from instruments.services.organisations import locked_for_administration, require_person
from instruments.services.uploads import clean_document

REVIEWERS = (Role.PROGRAMME_OFFICER,)
ISSUERS = (Role.PROGRAMME_OFFICER, Role.FINANCE)
PURPOSE_LENGTH, REASON_LENGTH = 2000, 1000
ONCE = "voucher_application_once"


@dataclass(frozen=True, slots=True)
class Application:
    """What a firm asks: from which quota, how much (fen; of a voucher with a face value nothing else), what for, with its evidence."""

    quota_id: int
    asked_fen: int
    purpose: str
    evidence: bytes


@whole
def apply(actor: Actor, announcement_id: int, organisation_id: int, given: Application, now: datetime) -> VoucherApplication:
    """Hand in an application within the window.

    Raises NotFound, Forbidden, Refusal ``voucher.only_firms``, ``voucher.window_closed``, ``voucher.quota_unknown``,
    ``voucher.not_in_area``, ``voucher.asked_range``, ``voucher.purpose_needed``, as ``uploads.clean_document``, every unmet condition
    (``voucher.not_eligible`` before them), Conflict ``voucher.applied_already``.
    """
    found = get_visible(VoucherAnnouncement.objects.filter(published_at__isnull=False), actor, pk=announcement_id)
    organisation = locked_for_administration(actor, organisation_id)
    if organisation.kind not in (OrganisationKind.FIRM, OrganisationKind.TEAM):
        raise Refusal.of("voucher.only_firms")
    today = timezone.localdate(now)
    if not found.opens_on <= today <= found.closes_on:
        raise Refusal.of("voucher.window_closed", opens_on=found.opens_on.isoformat(), closes_on=found.closes_on.isoformat())
    applicant = applicant_on(organisation, today)
    quota = _checked(found, given, applicant)
    refuse_ineligible(found, applicant, today)
    clean = clean_document(given.evidence)
    user_id = require_person(actor)
    name = f"application-{found.pk}-{organisation.pk}.{clean.extension}"
    stored = files.store(clean.content, file_name=name, media_type=clean.media_type, user_id=user_id, now=now)
    try:
        made = VoucherApplication.objects.create(
            announcement=found,
            quota=quota,
            organisation=organisation,
            asked_fen=given.asked_fen,
            purpose=given.purpose.strip(),
            evidence=stored,
            facts=facts_document(Facts(applicant=applicant)),
            applied_by_id=user_id,
            applied_at=now,
        )
    except IntegrityError as error:
        if constraint_name(error) != ONCE:
            raise
        raise Conflict.of("voucher.applied_already") from error
    audit.record(actor, "voucher.apply", made, now, after={"asked_fen": made.asked_fen, "sha256": stored.sha256})
    return made


def applicant_on(organisation: Organisation, on: date) -> Party:
    """The verified facts of an applicant on a day."""
    return _applicants_on([organisation.pk], on)[0]


def _applicants_on(organisation_ids: Collection[int], on: date) -> list[Party]:
    known, keys = loading.known(organisation_ids)
    return [party(known, keys[pk], None, on) for pk in organisation_ids]


def is_open_to(announcement: VoucherAnnouncement, organisation_ids: Collection[int], on: date) -> bool:
    """Whether one of these organisations lies, by its facts of a day, in one of the announcement's areas."""
    applicants = _applicants_on(organisation_ids, on)
    return any(_takes(quota, applicant) for quota in announcement.quotas.all() for applicant in applicants)


def _takes(quota: VoucherQuota, applicant: Party) -> bool:
    return Area(quota.zone, quota.code_prefix, 1).takes(applicant.region_code, applicant.policy_zones)


def refuse_ineligible(announcement: VoucherAnnouncement, applicant: Party, on: date) -> None:
    """Raises Refusal ``voucher.not_eligible`` with every condition of the programme that the applicant does not meet on a day."""
    rows = ProgrammeVersion.objects.filter(programme_id=announcement.programme_id, published_at__isnull=False)
    version = rows.filter(valid__contains=on).first() or rows.order_by("-valid").first()
    if version is None:
        raise Refusal.of("voucher.not_published")
    unmet = unmet_by(in_force(version.pk).programme, applicant, on)
    if unmet:
        raise Refusal(Reason("voucher.not_eligible"), *(Reason(each.code, each.params) for each in unmet))


def _checked(found: VoucherAnnouncement, given: Application, applicant: Party) -> VoucherQuota:
    reasons = []
    quota = found.quotas.filter(pk=given.quota_id).first()
    if quota is None:
        reasons.append(Reason("voucher.quota_unknown", {}, "quota"))
    elif not _takes(quota, applicant):
        reasons.append(Reason("voucher.not_in_area", {}, "quota"))
    low = found.face_fen or 1
    if not low <= given.asked_fen <= found.most_fen:
        reasons.append(Reason("voucher.asked_range", {"low_fen": low, "most_fen": found.most_fen}, "asked_fen"))
    if not 1 <= len(given.purpose.strip()) <= PURPOSE_LENGTH:
        reasons.append(Reason("voucher.purpose_needed", {"maximum": PURPOSE_LENGTH}, "purpose"))
    Refusal.raise_any(reasons)
    assert quota is not None
    return quota


@whole
def withdraw(actor: Actor, application_id: int, now: datetime) -> VoucherApplication:
    """The firm takes back what was not decided yet. Raises NotFound, Forbidden, Conflict ``voucher.decided_already``."""
    found = get_visible(VoucherApplication.objects.all(), actor, pk=application_id)
    actor.require_in(found.organisation_id, Role.FIRM_ADMIN)
    row = _locked(actor, application_id)
    row.state = ApplicationState.WITHDRAWN
    row.save(update_fields=["state"])
    audit.record(actor, "voucher.withdraw", row, now)
    return row


@whole
def review(actor: Actor, application_id: int, recommended_fen: int, note: str, now: datetime) -> VoucherApplication:
    """Recommend an amount, for another person to issue.

    Raises NotFound, Forbidden, Conflict ``voucher.decided_already``, Refusal ``voucher.own_application``,
    ``voucher.reviewed_already``, ``voucher.asked_range``, ``ledger.reason_too_long``.
    """
    actor.require(*REVIEWERS)
    row = _locked(actor, application_id)
    if row.state != ApplicationState.APPLIED:
        raise Conflict.of("voucher.reviewed_already")
    _refuse_own(actor, row)
    if not 0 < recommended_fen <= row.asked_fen or (row.announcement.face_fen or recommended_fen) != recommended_fen:
        low = row.announcement.face_fen or 1
        raise Refusal.of("voucher.asked_range", field="recommended_fen", low_fen=low, most_fen=row.asked_fen)
    row.state, row.recommended_fen, row.review_note = ApplicationState.REVIEWED, recommended_fen, _text(note)
    row.reviewed_by_id, row.reviewed_at = actor.user_id, now
    row.save(update_fields=["state", "recommended_fen", "review_note", "reviewed_by", "reviewed_at"])
    audit.record(actor, "voucher.review", row, now, after={"recommended_fen": recommended_fen}, reason=row.review_note)
    return row


@whole
def refuse(actor: Actor, application_id: int, reason: str, now: datetime) -> VoucherApplication:
    """Refuse at either step, with a reason. Raises as ``review``, Refusal ``ledger.reason_needed``."""
    actor.require(*ISSUERS)
    row = _locked(actor, application_id)
    _refuse_own(actor, row)
    why = _text(reason)
    if not why:
        raise Refusal.of("firm.reason_needed", field="reason")
    row.state, row.reason, row.decided_by_id, row.decided_at = ApplicationState.REFUSED, why, actor.user_id, now
    row.facts_decided = facts_document(Facts(applicant=applicant_on(row.organisation, timezone.localdate(now))))
    row.save(update_fields=["state", "reason", "decided_by", "decided_at", "facts_decided"])
    audit.record(actor, "voucher.refuse", row, now, reason=why)
    return row


@whole
def issue(actor: Actor, application_id: int, now: datetime) -> Voucher:
    """Issue what was recommended, from the quota: by somebody who neither applied nor reviewed, if the firm is still eligible.

    Raises NotFound, Forbidden, Conflict ``voucher.decided_already``, ``voucher.quota_used_up`` (left_fen),
    ``voucher.quota_suspended``, Refusal ``voucher.not_reviewed``, ``voucher.own_review``, ``voucher.own_application``,
    ``voucher.not_eligible``, ``voucher.over``.
    """
    actor.require(*ISSUERS)
    row = _locked(actor, application_id)
    if row.state != ApplicationState.REVIEWED or row.recommended_fen is None:
        raise Refusal.of("voucher.not_reviewed")
    if row.reviewed_by_id == actor.user_id:
        raise Refusal.of("voucher.own_review")
    _refuse_own(actor, row)
    found, today = row.announcement, timezone.localdate(now)
    if today > found.last_on:
        raise Refusal.of("voucher.over", last_on=found.last_on.isoformat())
    applicant = applicant_on(row.organisation, today)
    refuse_ineligible(found, applicant, today)
    row.state, row.decided_by_id, row.decided_at = ApplicationState.ISSUED, actor.user_id, now
    row.facts_decided = facts_document(Facts(applicant=applicant))
    row.save(update_fields=["state", "decided_by", "decided_at", "facts_decided"])
    made = _make(row, require_person(actor), today, now)
    audit.record(actor, "voucher.issue", made, now, after={"number": made.number, "face_fen": made.face_fen})
    return made


def _make(row: VoucherApplication, issuer_id: int, today: date, now: datetime) -> Voucher:
    found, amount = row.announcement, row.recommended_fen or 0
    quota = _locked_quota(row.quota)
    if quota.state != AccountState.OPEN:
        raise Conflict.of("voucher.quota_suspended")
    number = next_number(found.programme.code, today)
    key = voucher_key(found.cap_id, number)
    spec = AccountSpec(key, VOUCHER, 0, found.programme_id, row.organisation_id)
    account = ledger.open_accounts([spec], now)[key]
    source = Source("voucher_application", row.pk, "issue", None, issuer_id)
    try:
        ledger.grant(quota, account, amount, source, now)
    except Conflict as conflict:
        raise Conflict.of("voucher.quota_used_up", left_fen=quota.left_fen) from conflict
    ends_on = last_day(today, found.life_days, found.last_on)
    Account.objects.filter(pk=account.pk).update(ends_on=ends_on, returns_to=quota)
    return Voucher.objects.create(
        number=number,
        programme_id=found.programme_id,
        cap_id=found.cap_id,
        organisation_id=row.organisation_id,
        application=row,
        account=account,
        face_fen=amount,
        valid_from=today,
        valid_to=ends_on,
        issued_by_id=issuer_id,
        issued_at=now,
    )


def _locked_quota(quota: VoucherQuota) -> Account:
    """The quota's account, locked before the voucher's, which does not exist yet."""
    account = Account.objects.get(quota=quota)
    return ledger.lock([account])[account.key]


def next_number(programme_code: str, on: date) -> str:
    """The next number of a programme and year; its row stays locked until the voucher is committed or nothing happened."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_numberseries (key, last) VALUES (%s, 1)"
            " ON CONFLICT (key) DO UPDATE SET last = billing_numberseries.last + 1 RETURNING last",
            [f"voucher:{programme_code}:{on.year}"],
        )
        (place,) = cursor.fetchone()
    return voucher_number(settings.PLATFORM_ID, programme_code, on.year, place)


def evidence_for(actor: Actor, application_id: int) -> tuple[StoredFile, bytes]:
    """The evidence with its bytes, for whoever may see the application. Raises NotFound, Refusal ``files.*``."""
    row = get_visible(VoucherApplication.objects.select_related("evidence"), actor, pk=application_id)
    return row.evidence, files.read(row.evidence)


def _locked(actor: Actor, application_id: int) -> VoucherApplication:
    found = get_visible(VoucherApplication.objects.all(), actor, pk=application_id)
    rows: Any = VoucherApplication.objects.select_for_update(of=("self",), no_key=True)
    row: VoucherApplication = rows.select_related("announcement__programme", "organisation", "quota").get(pk=found.pk)
    if row.state in (ApplicationState.ISSUED, ApplicationState.REFUSED, ApplicationState.WITHDRAWN):
        raise Conflict.of("voucher.decided_already")
    return row


def _refuse_own(actor: Actor, row: VoucherApplication) -> None:
    if row.applied_by_id == actor.user_id or row.organisation_id in actor.organisations():
        raise Refusal.of("voucher.own_application")


def _text(note: str) -> str:
    text = note.strip()
    if len(text) > REASON_LENGTH:
        raise Refusal.of("ledger.reason_too_long", field="reason", maximum=REASON_LENGTH)
    return text
