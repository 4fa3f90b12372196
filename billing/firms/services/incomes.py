"""An owner declares what it earned from customers outside in a year; an officer of its region confirms it or does not."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max
from django.utils import timezone

from billing.firms import income_queries, notices
from billing.firms.income_models import OwnerIncome
from billing.firms.rules.incomes import REASON_LENGTH, checked, is_of_region
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.transactions import whole
from instruments.models import Membership, Organisation, OrganisationKind
from instruments.services.organisations import locked, require_person
from instruments.services.uploads import clean_document

DECLARERS = (Role.OWNER_FINANCE, Role.FIRM_ADMIN, Role.LAB_MANAGER)


@whole
def declare(
    actor: Actor, organisation_id: int, year: int, income_fen: int, note: str, evidence: bytes, now: datetime
) -> OwnerIncome:
    """Keep the figure of a year until an officer decides; of a year that has a figure it is the next version.

    Raises NotFound, Forbidden, Refusal as ``incomes.checked`` and ``uploads.clean_document``, ``income.only_owners``; Conflict
    ``income.waits_already``.
    """
    organisation = locked(actor, organisation_id)
    if organisation.kind != OrganisationKind.OWNER:
        raise Refusal.of("income.only_owners")
    if organisation.pk not in actor.organisations(*DECLARERS):
        raise Forbidden.of("access.role_needed", roles=sorted(DECLARERS))
    words = checked(year, income_fen, note, timezone.localdate(now))
    before = OwnerIncome.objects.filter(organisation=organisation, year=year)
    if before.filter(decided_at__isnull=True).exists():
        raise Conflict.of("income.waits_already", field="year", year=year)
    clean = clean_document(evidence)
    user_id = require_person(actor)
    stored = files.store(
        clean.content,
        file_name=f"income-{organisation.pk}-{year}.{clean.extension}",
        media_type=clean.media_type,
        user_id=user_id,
        now=now,
    )
    made = OwnerIncome.objects.create(
        organisation=organisation,
        year=year,
        position=(before.aggregate(last=Max("position"))["last"] or 0) + 1,
        income_fen=income_fen,
        known_fen=income_queries.known_income(organisation.pk, [year])[year],
        note=words,
        evidence=stored,
        declared_by_id=user_id,
        declared_at=now,
    )
    after = {"organisation_id": organisation.pk, "year": year, "income_fen": income_fen, "sha256": stored.sha256}
    audit.record(actor, "income.declare", made, now, after=after)
    notices.tell_declared(made, now)
    return made


@whole
def decide(actor: Actor, income_id: int, confirm: bool, reason: str, now: datetime) -> OwnerIncome:
    """Confirm or refuse (with a reason), once, by an officer of an office in whose region the owner lies.

    Raises NotFound, Forbidden (no officer, ``income.other_region``, ``income.own_organisation``), Conflict ``income.decided_already``,
    Refusal ``firm.reason_needed``, ``firm.reason_too_long``.
    """
    actor.require(Role.PROGRAMME_OFFICER)
    found = get_visible(OwnerIncome.objects.all(), actor, pk=income_id)
    row = OwnerIncome.objects.select_for_update(no_key=True, of=("self",)).select_related("organisation").get(pk=found.pk)
    if not may_decide(actor, row):
        raise Forbidden.of("income.other_region")
    own = Membership.objects.filter(organisation_id=row.organisation_id, user_id=require_person(actor)).exists()
    if own or row.declared_by_id == actor.user_id:
        raise Forbidden.of("income.own_organisation")
    if row.decided_at is not None:
        raise Conflict.of("income.decided_already")
    why = reason.replace("\x00", "").strip()
    if not confirm and not why:
        raise Refusal.of("firm.reason_needed", field="reason")
    if len(why) > REASON_LENGTH:
        raise Refusal.of("firm.reason_too_long", field="reason", maximum=REASON_LENGTH)
    row.decided_at, row.decided_by_id, row.confirmed, row.reason = now, actor.user_id, confirm, why
    row.save(update_fields=["decided_at", "decided_by", "confirmed", "reason"])
    after = {"confirmed": confirm, "organisation_id": row.organisation_id, "year": row.year, "income_fen": row.income_fen}
    audit.record(actor, "income.decide", row, now, after=after, reason=why)
    notices.tell_decided(row, now)
    return row


def may_decide(actor: Actor, row: OwnerIncome) -> bool:
    """Whether an officer's office is for the region of the owner."""
    offices = Organisation.objects.filter(pk__in=actor.organisations(Role.PROGRAMME_OFFICER))
    return is_of_region(row.organisation.region_code, offices.values_list("region_code", flat=True))


def evidence_for(actor: Actor, income_id: int) -> tuple[StoredFile, bytes]:
    """The scan with its bytes, for whoever may see the figure. Raises NotFound, Refusal ``files.*``."""
    row = get_visible(OwnerIncome.objects.select_related("evidence"), actor, pk=income_id)
    return row.evidence, files.read(row.evidence)
