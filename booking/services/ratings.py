"""What customers think of a session or a sample job: written once by them, answered once by the lab, hidden by the operator in need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from booking.models import Reservation, SessionRating
from booking.rules.enquiries import Side
from booking.rules.samples import JobState
from booking.rules.states import ReservationState
from booking.services.enquiry_sides import require_on
from booking.services.refusing import BOOKING_ROLES
from booking.services.sample_writing import lock_job
from config.kernel.access import Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Refusal
from config.kernel.services import audit
from config.kernel.services.transactions import whole
from instruments.models import Instrument
from instruments.rules.registry_values import clean_text

COMMENT_LENGTH = ANSWER_LENGTH = 1000
REASON_LENGTH = 500
STARS = (1, 2, 3, 4, 5)


@whole
def rate(actor: Actor, reservation_id: int, stars: int, comment: str, now: datetime) -> SessionRating:
    """Rate a session whose use is agreed, for the customer organisation, once.

    Raises NotFound, Forbidden ``booking.not_yours``, Refusal ``rating.not_agreed``, ``rating.stars``, ``name.*`` (``comment``),
    Conflict ``rating.rated_already``.
    """
    found = get_visible(Reservation.objects.all(), actor, pk=reservation_id)
    if found.organisation_id not in actor.organisations(*BOOKING_ROLES):
        raise Forbidden.of("booking.not_yours")
    reservation = Reservation.objects.select_for_update(no_key=True).get(pk=found.pk)
    if reservation.state != ReservationState.AGREED:
        raise Refusal.of("rating.not_agreed")
    return _give(actor, SessionRating(reservation=reservation, instrument_id=reservation.instrument_id), stars, comment, now)


@whole
def rate_samples(actor: Actor, job_id: int, stars: int, comment: str, now: datetime) -> SessionRating:
    """Rate a sample job that is closed, for the customer organisation, once.

    Raises NotFound, Forbidden, Refusal ``rating.not_closed``, ``rating.stars``, ``name.*`` (``comment``), Conflict
    ``rating.rated_already``.
    """
    job = lock_job(actor, job_id)
    require_on(actor, Side.CUSTOMER, job.organisation_id, job.lab_id)
    if job.state != JobState.CLOSED:
        raise Refusal.of("rating.not_closed")
    return _give(actor, SessionRating(sample_job=job), stars, comment, now)


def _give(actor: Actor, rating: SessionRating, stars: int, comment: str, now: datetime) -> SessionRating:
    """Write a rating of what is locked and not rated yet."""
    of = {"reservation": rating.reservation_id, "sample_job": rating.sample_job_id}
    if SessionRating.objects.filter(
        **{name: pk for name, pk in of.items() if pk is not None}
    ).exists():  # nobody slips in between
        raise Conflict.of("rating.rated_already")
    if stars not in STARS:
        raise Refusal.of("rating.stars", "stars")
    text = clean_text(comment, COMMENT_LENGTH, "comment", lines=True)
    rating.stars, rating.comment = stars, text
    rating.rated_by_id, rating.rated_at = actor.person_id, now
    rating.save()
    audit.record(actor, "rating.give", rating, now, after={"stars": stars, "comment": text})
    return rating


@whole
def answer(actor: Actor, rating_id: int, text: str, now: datetime) -> SessionRating:
    """The lab answers a rating, once. Raises NotFound, Forbidden, Refusal ``rating.text_missing``, ``name.*``, Conflict
    ``rating.answered_already``.
    """
    rating = _locked(actor, rating_id)
    actor.require_in(_lab_of(rating), Role.LAB_MANAGER)
    if rating.answered_at is not None:
        raise Conflict.of("rating.answered_already")
    words = clean_text(text, ANSWER_LENGTH, "answer", lines=True)
    if not words:
        raise Refusal.of("rating.text_missing", "answer")
    rating.answer, rating.answered_by_id, rating.answered_at = words, actor.person_id, now
    rating.save(update_fields=["answer", "answered_by", "answered_at"])
    audit.record(actor, "rating.answer", rating, now, after={"answer": words})
    return rating


@whole
def hide(actor: Actor, rating_id: int, reason: str, now: datetime) -> SessionRating:
    """The operator takes a rating off the public page, with a reason that both sides read.

    Raises NotFound, Forbidden, Refusal ``rating.text_missing``, ``name.*``, Conflict ``rating.hidden_already``.
    """
    actor.require(Role.OPERATOR)
    rating = _locked(actor, rating_id)
    if rating.hidden_at is not None:
        raise Conflict.of("rating.hidden_already")
    words = clean_text(reason, REASON_LENGTH, "reason", lines=True)
    if not words:
        raise Refusal.of("rating.text_missing", "reason")
    rating.hidden_at, rating.hidden_by_id, rating.hidden_reason = now, actor.person_id, words
    rating.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
    audit.record(actor, "rating.hide", rating, now, after={"hidden": True}, reason=words)
    return rating


def _locked(actor: Actor, rating_id: int) -> SessionRating:
    found = get_visible(SessionRating.objects.all(), actor, pk=rating_id)
    rows = SessionRating.objects.select_for_update(of=("self",)).select_related("sample_job")
    return rows.get(pk=found.pk)


def _lab_of(rating: SessionRating) -> int:
    if rating.sample_job is not None:
        return rating.sample_job.lab_id
    return Instrument.objects.values_list("organisation_id", flat=True).get(pk=rating.instrument_id or 0)


@dataclass(frozen=True, slots=True)
class StandsAt:
    """The public page on which a rating stands: the id of an instrument, or of a test item; the other one is None."""

    instrument_id: int | None
    resource_id: int | None


def stands_at(actor: Actor, rating_id: int) -> StandsAt:
    """Where a rating stands. Raises NotFound."""
    rating = get_visible(SessionRating.objects.select_related("sample_job"), actor, pk=rating_id)
    return StandsAt(rating.instrument_id, rating.sample_job.resource_id if rating.sample_job is not None else None)
