"""Licences: the one writer of them, whether they come from a course, a recognised proof, a list, or the lab's word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q

from booking.licence_queries import gaps_ahead, levels_held, without_licence
from booking.models import Enrolment, Licence, LicenceGap, RecognitionRequest, Reservation, TrainingCourse
from booking.rules.licensing import licences_needed
from booking.rules.training import (
    LICENCES,
    RECOGNITIONS,
    Level,
    LicenceAction,
    LicenceState,
    RecognitionAction,
    RecognitionState,
    months_after,
    step,
)
from booking.services import assisting, credit, training_news
from booking.services.context import policy_for
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Forbidden, NotFound, Reason, Refusal
from config.kernel.models import StoredFile
from config.kernel.services import audit, files
from config.kernel.services.parking import each_parked
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange
from instruments.models import Instrument, User
from instruments.rules.registry_values import clean_text
from instruments.services import uploads
from instruments.services.instrument_changes import require_manager
from instruments.services.people import one_at_a_time

REASON_LENGTH = 500
STATEMENT_LENGTH = 1000
REFERENCE_LENGTH = 300
REMIND_DAYS = 30
#: So far ahead a reservation is looked at for a licence that will have ended.
GAP_DAYS = 60
BATCH = 500
PARKED = "work on licence or reservation"


@dataclass(frozen=True, slots=True)
class Terms:
    """For what, at which level and how long. Neither instrument nor class: all of the lab's instruments."""

    level: str
    instrument_id: int | None = None
    class_code: str = ""
    valid_until: datetime | None = None
    unused_months: int | None = None


def grant_for_course(actor: Actor, enrolment: Enrolment, course: TrainingCourse, now: datetime) -> list[Licence]:
    """The licences of a passed course, one for each of its scopes; part of the caller's transaction."""
    until = None
    if course.validity_months is not None:
        until = months_after(now, course.validity_months, ZoneInfo(settings.TIME_ZONE))
    granted = [
        write(
            actor, course.organisation_id, enrolment.person_id,
            Terms(course.level, scope.instrument_id, scope.class_code, until, course.unused_months),
            "course", now, enrolment=enrolment,
        )
        for scope in course.scopes.order_by("pk")
    ]  # fmt: skip
    for licence in granted[:1]:  # a course gives points once, for however many instruments it is
        credit.note_licence(licence, actor, course.title, now)
    return granted


def write(actor: Actor, owner_id: int, person_id: int, terms: Terms, origin: str, now: datetime, **more: Any) -> Licence:
    """A new licence with its audit; part of the caller's transaction, which has checked everything."""
    licence = Licence.objects.create(
        organisation_id=owner_id,
        person_id=person_id,
        instrument_id=terms.instrument_id,
        class_code=terms.class_code,
        level=terms.level,
        origin=origin,
        granted_by_id=actor.person_id,
        valid_until=terms.valid_until,
        unused_months=terms.unused_months,
        changed_at=now,
        **({"granted_at": now} | more),
    )
    after = {
        "person": person_id, "instrument": terms.instrument_id, "class": terms.class_code, "level": terms.level, "origin": origin,
        "valid_until": terms.valid_until.isoformat() if terms.valid_until else None,
    }  # fmt: skip
    audit.record(actor, "licence.grant", licence, now, after=after)
    _close_gaps(Q(requested_by_id=person_id), now)
    return licence


@whole
def grant(
    actor: Actor, instrument_id: int, email: str, level: str, reference: str, until: datetime | None, now: datetime
) -> Licence:
    """The lab gives a licence for one instrument by its own word, with a reference to its reason.

    Raises NotFound, Forbidden, Refusal ``licence.*`` / ``name.*`` with every reason.
    """
    instrument = get_visible(Instrument.objects.all(), actor, pk=instrument_id)
    require_manager(actor, instrument.organisation_id)
    person = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    reasons = []
    if person is None:
        reasons.append(Reason("licence.person_unknown", {}, "email"))
    elif person.pk == actor.user_id:
        reasons.append(Reason("licence.own", {}, "email"))
    if level not in set(Level):
        reasons.append(Reason("training.level_unknown", {}, "level"))
    words = clean_text(reference, REFERENCE_LENGTH, "reference")
    if not words:
        reasons.append(Reason("licence.reference_missing", {}, "reference"))
    if until is not None and until <= now:
        reasons.append(Reason("licence.until_past", {}, "valid_until"))
    Refusal.raise_any(reasons)
    terms = Terms(level, instrument.pk, valid_until=until)
    licence = write(actor, instrument.organisation_id, person.pk if person else 0, terms, "manual", now, evidence_reference=words)
    credit.note_licence(licence, actor, words, now)
    training_news.licence_changed(licence, "granted", now)
    return licence


def suspend(actor: Actor, licence_id: int, reason: str, now: datetime) -> Licence:
    """Take it away for a while, with a reason. Raises NotFound, Forbidden, Refusal ``licence.reason_missing`` and so on."""
    return _change(actor, licence_id, LicenceAction.SUSPEND, reason, now)


def restore(actor: Actor, licence_id: int, now: datetime) -> Licence:
    """It holds again. Raises NotFound, Forbidden, Refusal ``training.illegal_step``."""
    return _change(actor, licence_id, LicenceAction.RESTORE, "", now)


def revoke(actor: Actor, licence_id: int, reason: str, now: datetime) -> Licence:
    """Take it away for good, with a reason. Raises as ``suspend``."""
    return _change(actor, licence_id, LicenceAction.REVOKE, reason, now)


@whole
def _change(actor: Actor, licence_id: int, action: LicenceAction, reason: str, now: datetime) -> Licence:
    rows = Licence.objects.select_for_update(of=("self",)).select_related("person", "organisation", "instrument")
    licence = get_visible(rows, actor, pk=licence_id)
    require_manager(actor, licence.organisation_id)
    words = clean_text(reason, REASON_LENGTH, "reason")
    if action is not LicenceAction.RESTORE and not words:
        raise Refusal.of("licence.reason_missing", "reason")
    before = LicenceState(licence.state)
    licence.state = step(LICENCES, before, action)
    licence.reason, licence.changed_at = words, now
    licence.save(update_fields=["state", "reason", "changed_at"])
    if action is LicenceAction.RESTORE:
        _close_gaps(Q(requested_by_id=licence.person_id), now)
    after = {"state": str(licence.state)}
    audit.record(actor, f"licence.{action}", licence, now, before={"state": str(before)}, after=after, reason=words)
    training_news.licence_changed(licence, str(action), now)
    return licence


# --- Recognition of what somebody can already -------------------------------------------------------------------------
@whole
def ask_recognition(
    actor: Actor, instrument_id: int, level: str, statement: str, evidence: bytes | None, now: datetime
) -> RecognitionRequest:
    """Ask the lab to take a certificate or long use as a licence; the evidence is a PDF, JPEG or PNG.

    Raises NotFound, Forbidden for nobody, Refusal ``licence.*`` / ``upload.*`` / ``name.*`` with every reason.
    """
    person_id = one_at_a_time(actor)
    instrument = get_visible(Instrument.objects.select_related("organisation"), actor, pk=instrument_id)
    reasons: list[Reason] = []
    words = ""
    try:
        words = clean_text(statement, STATEMENT_LENGTH, "statement", lines=True)
        if not words:
            reasons.append(Reason("licence.statement_missing", {}, "statement"))
    except Refusal as refusal:
        reasons += refusal.reasons
    if level not in set(Level):
        reasons.append(Reason("training.level_unknown", {}, "level"))
    if RecognitionRequest.objects.filter(instrument=instrument, person_id=person_id, state=RecognitionState.OPEN).exists():
        reasons.append(Reason("licence.asked_already", {}, ""))
    clean = _clean_evidence(evidence, reasons)
    Refusal.raise_any(reasons)
    name = f"evidence.{clean.extension}" if clean else "evidence"
    stored = files.store(
        clean.content if clean else b"", file_name=name, media_type=clean.media_type if clean else "", user_id=person_id, now=now
    )
    request = RecognitionRequest.objects.create(
        instrument=instrument, person_id=person_id, level=level, statement=words, evidence=stored, asked_at=now
    )
    audit.record(actor, "licence.ask", request, now, after={"instrument": instrument.pk, "level": level})
    training_news.recognition_asked(request, now)
    return request


def _clean_evidence(evidence: bytes | None, reasons: list[Reason]) -> uploads.CleanFile | None:
    if evidence is None:
        reasons.append(Reason("licence.evidence_missing", {}, "file"))
        return None
    try:
        return uploads.clean_document(evidence)
    except Refusal as refusal:
        reasons += refusal.reasons
        return None


@whole
def decide_recognition(
    actor: Actor, request_id: int, accept: bool, reason: str, until: datetime | None, now: datetime
) -> RecognitionRequest:
    """The lab accepts (then there is a licence, until ``until`` or for good) or refuses with a reason.

    Raises NotFound, Forbidden, Refusal ``licence.*``, ``training.illegal_step`` for one that is decided.
    """
    rows = RecognitionRequest.objects.select_for_update(of=("self",)).select_related("instrument__organisation", "person")
    request = get_visible(rows, actor, pk=request_id)
    require_manager(actor, request.instrument.organisation_id)
    if request.person_id == actor.user_id:
        raise Forbidden.of("licence.own")
    before = RecognitionState(request.state)
    after = step(RECOGNITIONS, before, RecognitionAction.ACCEPT if accept else RecognitionAction.REFUSE)
    words = clean_text(reason, REASON_LENGTH, "reason")
    if not accept and not words:
        raise Refusal.of("licence.reason_missing", "reason")
    if accept and until is not None and until <= now:
        raise Refusal.of("licence.until_past", "valid_until")
    if accept:
        terms = Terms(request.level, request.instrument_id, valid_until=until)
        owner_id = request.instrument.organisation_id
        request.licence = write(actor, owner_id, request.person_id, terms, "recognised", now, evidence_id=request.evidence_id)
        credit.note_licence(request.licence, actor, " ".join(request.statement.split()), now)
    request.state, request.reason = after, words
    request.decided_by_id, request.decided_at = actor.person_id, now
    request.save(update_fields=["state", "reason", "decided_by", "decided_at", "licence"])
    audit.record(actor, "licence.decide", request, now, before={"state": str(before)}, after={"state": str(after)}, reason=words)
    training_news.recognition_decided(request, now)
    return request


@whole
def withdraw_recognition(actor: Actor, request_id: int, now: datetime) -> RecognitionRequest:
    """The person no longer asks. Raises NotFound, Forbidden, Refusal ``training.illegal_step``."""
    request = get_visible(RecognitionRequest.objects.select_for_update(of=("self",)), actor, pk=request_id)
    if request.person_id != actor.user_id:
        raise Forbidden.of("licence.not_yours")
    before = RecognitionState(request.state)
    request.state = step(RECOGNITIONS, before, RecognitionAction.WITHDRAW)
    request.save(update_fields=["state"])
    training_news.recognition_settled(request, now)
    audit.record(actor, "licence.withdraw", request, now, before={"state": str(before)}, after={"state": str(request.state)})
    return request


def evidence_for(actor: Actor, licence_id: int) -> tuple[StoredFile, bytes]:
    """The proof behind a licence. Raises NotFound."""
    licence = get_visible(Licence.objects.select_related("evidence"), actor, pk=licence_id)
    if licence.evidence is None:
        raise NotFound.of("access.not_found", model="file")
    return licence.evidence, files.read(licence.evidence)


def recognition_evidence_for(actor: Actor, request_id: int) -> tuple[StoredFile, bytes]:
    """The proof that came with a request. Raises NotFound."""
    request = get_visible(RecognitionRequest.objects.select_related("evidence"), actor, pk=request_id)
    return request.evidence, files.read(request.evidence)


# --- Booking and coming -----------------------------------------------------------------------------------------------
def lacks_licence(reservation: Reservation, person_id: int, now: datetime) -> bool:
    """Whether a person would be there from now until the booked end without a licence that this needs, the one for off-hours too. No
    statement where none is needed."""
    instrument = reservation.instrument
    policy, zone = policy_for(instrument), ZoneInfo(instrument.site.time_zone)
    rest = TimeRange(now, max(reservation.ends_at, now + timedelta(microseconds=1)))
    needed = set(licences_needed(policy, reservation.service_mode, rest, zone, attended=False))
    if Level.OFF_HOURS in needed and assisting.of(reservation) is not None:
        needed.remove(Level.OFF_HOURS)
    return bool(needed) and not needed <= levels_held(person_id, instrument.pk, now)


def require_to_start(reservation: Reservation, actor: Actor, now: datetime) -> None:
    """Who starts a session at the instrument is who will be there, whoever it is booked for.

    Part of the transition's transaction. Raises Refusal ``licence.needed_to_start``.
    """
    if lacks_licence(reservation, actor.person_id, now):
        raise Refusal.of("licence.needed_to_start")


def require_for_check_in(reservation: Reservation, actor: Actor, now: datetime, override_reason: str = "") -> None:
    """The lab lets the person come for whom it is booked: refuse a session for which they hold no licence now, unless the lab says why it
    goes on (kept in the audit).

    Part of the transition's transaction. Raises Refusal ``licence.check_in_refused``.
    """
    if not lacks_licence(reservation, reservation.requested_by_id, now):
        return
    words = clean_text(override_reason, REASON_LENGTH, "override_reason")
    if not words:
        raise Refusal.of("licence.check_in_refused", "override_reason")
    actor.require_in(reservation.instrument.organisation_id, Role.LAB_MANAGER)
    audit.record(actor, "licence.override", reservation, now, reason=words)


# --- By time ----------------------------------------------------------------------------------------------------------
def remind_due(now: datetime) -> int:
    """Tell people whose licence ends within a month, once each; returns how many. Safe to repeat."""
    due = Licence.objects.filter(
        state=LicenceState.VALID, reminded_at=None, valid_until__gt=now, valid_until__lte=now + timedelta(days=REMIND_DAYS)
    )
    found = list(due.order_by("valid_until", "pk").values_list("pk", flat=True)[:BATCH])
    return each_parked(found, lambda pk: _remind(pk, now), PARKED)


def _remind(licence_id: int, now: datetime) -> bool:
    if Licence.objects.filter(pk=licence_id, reminded_at=None).update(reminded_at=now) != 1:
        return False
    licence = Licence.objects.select_related("person", "organisation", "instrument").get(pk=licence_id)
    training_news.licence_changed(licence, "ends", now)
    return True


def tell_gaps_due(now: datetime) -> int:
    """Tell both sides of approved reservations whose person will hold no licence by then, once each; returns how many. What was told is
    settled where they hold one by now, or booked another time: told anew should it be lost again."""
    _close_gaps(Q(), now)
    found = gaps_ahead(now, now + timedelta(days=GAP_DAYS), BATCH)
    return each_parked(found, lambda pk: _tell_gap(pk, now), PARKED)


def _tell_gap(reservation_id: int, now: datetime) -> bool:
    _gap, made = LicenceGap.objects.get_or_create(reservation_id=reservation_id, defaults={"told_at": now})
    if made:
        rows = Reservation.objects.select_related("instrument__organisation", "instrument__site", "requested_by")
        training_news.licence_gap(rows.get(pk=reservation_id), now)
    return made


def _close_gaps(which: Q, now: datetime) -> None:
    """What was told of missing licences of the reservations ``which`` is settled where one is held for them now."""
    told = list(Reservation.objects.filter(which, licence_gap__isnull=False, starts_at__gt=now).order_by("starts_at")[:BATCH])
    missing = without_licence(told, now)
    for reservation in told:
        if reservation.pk not in missing:
            training_news.licence_gap_closed(reservation, now)
            LicenceGap.objects.filter(reservation=reservation).delete()
