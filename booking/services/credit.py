"""Credit points: events are noted once and never changed; a granted appeal is an event that takes another one back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.timezone import localtime

from booking.credit_queries import rules_of, rules_of_owner
from booking.models import CreditAppeal, CreditEvent, CreditRules, Licence, Reservation, UsageSession
from booking.rules.credit import (
    GAINED,
    MEASURED,
    MOST_POINTS,
    AppealAction,
    AppealState,
    CreditPolicy,
    EventKind,
    Scope,
    document_of,
    is_booked_over,
    next_appeal_at,
    next_appeal_state,
    policy_from,
    session_events,
)
from booking.rules.outcome import Outcome
from booking.rules.states import ReservationState
from booking.services import credit_news
from config.kernel.access import NOBODY, Actor, Role, get_visible
from config.kernel.errors import Conflict, Forbidden, Reason, Refusal
from config.kernel.services import audit
from config.kernel.services.parking import each_parked
from config.kernel.services.transactions import whole
from config.kernel.time_range import TimeRange
from instruments.models import User
from instruments.rules.registry_values import clean_text
from instruments.services.instrument_changes import owner_institution, require_manager

NOTE_LENGTH = 500
APPEAL_LENGTH = ANSWER_LENGTH = 1000
FEEDBACK_WITHIN = timedelta(hours=24)
#: Sessions that were agreed longer ago are not looked at again for missing feedback.
FEEDBACK_LOOKED_AT = timedelta(days=14)
BATCH = 500


@whole
def set_rules(actor: Actor, owner_id: int | None, document: Any, now: datetime) -> CreditRules | None:
    """Keep a lab's rules (None: the platform's, by its operator), or stop keeping points with no document.

    Events of before keep the points they had. Raises Forbidden, NotFound, Refusal ``credit.*`` / ``policy.*`` with every reason.
    """
    if owner_id is None:
        actor.require(Role.OPERATOR)
    else:
        require_manager(actor, owner_id)
        owner_institution(owner_id)
    _one_at_a_time(owner_id)
    kept = None if document is None else document_of(policy_from(document, Scope.PLATFORM if owner_id is None else Scope.LAB))
    stored = rules_of_owner(owner_id).select_for_update(of=("self",)).first()
    before = {"document": stored.document} if stored else {}
    if kept is None:
        if stored is not None:
            audit.record(actor, "credit.rules", stored, now, before=before)
            stored.delete()
        return None
    rules = stored or CreditRules(organisation_id=owner_id)
    rules.document, rules.changed_by_id, rules.changed_at = kept, actor.person_id, now
    rules.save()
    audit.record(actor, "credit.rules", rules, now, before=before, after={"document": rules.document})
    return rules


def _one_at_a_time(owner_id: int | None) -> None:
    """Whoever writes the same rules waits: two that write the first ones at once find the other's."""
    _one_at_a_time_named(f"credit.rules:{owner_id}")


def _one_at_a_time_named(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


# --- What the platform notes ------------------------------------------------------------------------------------------
def note_violation(reservation: Reservation, kind: EventKind, actor: Actor, now: datetime) -> CreditEvent | None:
    """Note what somebody did with a reservation, once for each kind, where the rules of the lab or the platform give points for it.

    Part of the caller's transaction, which has the reservation locked; ``reservation.instrument`` must be at hand.
    """
    return _note(reservation, kind, rules_of(reservation.instrument.organisation_id), actor, now)


def take_back(reservation: Reservation, kind: EventKind, actor: Actor, now: datetime) -> None:
    """Give back what was noted about a reservation, because it has turned out otherwise; part of the caller's transaction.

    The person hears of it, and nobody has to decide an appeal about it any more.
    """
    event = CreditEvent.objects.filter(reservation=reservation, kind=kind, reverses=None, reversal=None).first()
    if event is not None:
        _take_back(event, actor, "", now)
        audit.record(actor, "credit.take_back", event, now, after={"kind": str(kind), "reservation": reservation.pk})
        if kind not in GAINED:
            credit_news.taken_back(event, now)


def note_session(reservation: Reservation, session: UsageSession, actor: Actor, now: datetime) -> list[CreditEvent]:
    """Note what the measured time of a finished session says (late, left early, overtime, booked far over used, as booked); part of the
    caller's transaction.

    When the times were corrected, what they do not say any more is given back. What was given back once is not noted again.
    """
    rules = rules_of(reservation.instrument.organisation_id)
    booked, ended_at = TimeRange(session.booked_starts_at, session.booked_ends_at), session.actual_ends_at
    policies = [one for one in rules if one is not None]
    if not policies or ended_at is None:
        return []
    kinds = session_events(policies[0], booked, session.actual_starts_at, ended_at)  # the lab's own patience counts before
    if session.outcome == Outcome.FAULT:
        kinds = [kind for kind in kinds if kind is not EventKind.LEFT_EARLY]
    else:
        kinds = _with_booked_over(kinds, policies, booked, session.actual_starts_at, ended_at)
    kinds = kinds or [EventKind.USED]
    for kind in MEASURED:
        if kind not in kinds:
            take_back(reservation, kind, actor, now)
    return [event for kind in kinds if (event := _note(reservation, kind, rules, actor, now)) is not None]


def _with_booked_over(
    kinds: list[EventKind], policies: Sequence[CreditPolicy], booked: TimeRange, started_at: datetime, ended_at: datetime
) -> list[EventKind]:
    """Far more booked than used, where rules note that. Where all of them do, it stands for coming late and leaving early, which are the
    same time once more."""
    noting = [one for one in policies if one.notes(EventKind.BOOKED_OVER)]
    if not noting or not is_booked_over(noting[0], booked, started_at, ended_at):  # the lab's own figures count before
        return kinds
    same = (EventKind.LATE, EventKind.LEFT_EARLY) if noting == policies else ()
    return [*(kind for kind in kinds if kind not in same), EventKind.BOOKED_OVER]


def _note(
    reservation: Reservation,
    kind: EventKind,
    rules: tuple[CreditPolicy | None, CreditPolicy | None],
    actor: Actor,
    now: datetime,
) -> CreditEvent | None:
    if not any(one is not None and one.notes(kind) for one in rules):
        return None
    lab_points, platform_points = (0 if one is None else one.points_of(kind) for one in rules)
    event, made = CreditEvent.objects.get_or_create(
        reservation=reservation,
        kind=kind,
        reverses=None,
        defaults={
            "person_id": reservation.requested_by_id,
            "organisation_id": reservation.instrument.organisation_id,
            "instrument_id": reservation.instrument_id,
            "lab_points": lab_points,
            "platform_points": platform_points,
            "at": now,
            "made_by_id": actor.user_id,
        },
    )
    if not made:
        return None
    after = {"kind": str(kind), "reservation": reservation.pk, "lab_points": lab_points, "platform_points": platform_points}
    audit.record(actor, "credit.event", event, now, after=after)
    if kind not in GAINED:
        credit_news.noted(event, now)
    return event


def note_licence(licence: Licence, actor: Actor, words: str, now: datetime) -> CreditEvent | None:
    """Give what the rules give for a new licence; part of the caller's transaction, which tells the person of the licence itself.

    ``words`` say what it rests on: the course, or the lab's reference.
    """
    rules = rules_of(licence.organisation_id)
    lab_points, platform_points = (0 if one is None else one.points_of(EventKind.LICENCE) for one in rules)
    if not lab_points and not platform_points:
        return None
    event = CreditEvent.objects.create(
        person_id=licence.person_id,
        organisation_id=licence.organisation_id,
        instrument_id=licence.instrument_id,
        kind=EventKind.LICENCE,
        lab_points=lab_points,
        platform_points=platform_points,
        at=now,
        made_by_id=actor.person_id,
        note=words[:NOTE_LENGTH],
    )
    after = {"kind": "licence", "licence": licence.pk, "lab_points": lab_points, "platform_points": platform_points}
    audit.record(actor, "credit.event", event, now, after=after)
    return event


def note_missing_feedback_due(now: datetime) -> int:
    """Note sessions that nobody rated within a day of being agreed; returns how many. Safe to repeat."""
    due = UsageSession.objects.filter(
        agreed_at__lte=now - FEEDBACK_WITHIN,
        agreed_at__gt=now - FEEDBACK_LOOKED_AT,
        reservation__state=ReservationState.AGREED,
        reservation__rating=None,
    ).exclude(reservation__credit_events__kind=EventKind.NO_FEEDBACK)
    if not CreditRules.objects.filter(_notes_feedback(""), organisation=None).exists():
        due = due.filter(_notes_feedback("reservation__instrument__organisation__credit_rules__"))
    found = due.order_by("agreed_at", "pk").values_list("reservation_id", flat=True)[:BATCH]
    return each_parked(list(found), lambda pk: _note_feedback(pk, now), "feedback on reservation")


def _notes_feedback(path: str) -> Q:
    """Rules, reached by ``path``, that take points for missing feedback or count it."""
    counted = [{"kind": EventKind.NO_FEEDBACK.value}]
    return Q(**{f"{path}document__points__no_feedback__gt": 0}) | Q(**{f"{path}document__counts__contains": counted})


def _note_feedback(reservation_id: int, now: datetime) -> bool:
    rows = Reservation.objects.select_related("instrument").select_for_update(of=("self",), no_key=True)
    return note_violation(rows.get(pk=reservation_id), EventKind.NO_FEEDBACK, NOBODY, now) is not None


@whole
def note_manual(actor: Actor, owner_id: int, email: str, points: int, note: str, now: datetime) -> CreditEvent:
    """The lab gives or takes points by its own word, for a person it names by e-mail, with a reason that the person reads.

    Those of the platform move by the operator's word alone.

    Raises Forbidden, NotFound, Refusal ``credit.*`` / ``name.*`` with every reason.
    """
    require_manager(actor, owner_id)
    owner_institution(owner_id)
    words = clean_text(note, NOTE_LENGTH, "note")
    person = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    reasons = []
    if person is None:
        reasons.append(Reason("licence.person_unknown", {}, "email"))
    if not words:
        reasons.append(Reason("credit.note_missing", {}, "note"))
    if points == 0 or abs(points) > MOST_POINTS:
        reasons.append(Reason("credit.points_out_of_range", {"maximum": MOST_POINTS}, "points"))
    if person is not None and person.pk == actor.user_id:
        reasons.append(Reason("credit.own", {}, "email"))
    Refusal.raise_any(reasons)
    event = CreditEvent.objects.create(
        person_id=person.pk if person else 0,
        organisation_id=owner_id,
        kind=EventKind.MANUAL,
        lab_points=points,
        platform_points=points if actor.has(Role.OPERATOR) else 0,
        at=now,
        made_by_id=actor.person_id,
        note=words,
    )
    audit.record(actor, "credit.event", event, now, after={"kind": "manual", "points": points}, reason=words)
    credit_news.noted(event, now)
    return event


# --- Appeal -----------------------------------------------------------------------------------------------------------
@whole
def appeal(actor: Actor, event_id: int, text: str, now: datetime) -> CreditAppeal:
    """The person says why it should not count, once. Raises NotFound, Forbidden, Refusal ``credit.*``, Conflict ``credit.appealed``."""
    event = get_visible(CreditEvent.objects.select_related("organisation"), actor, pk=event_id)
    if event.person_id != actor.user_id:
        raise Forbidden.of("credit.not_yours")
    words = clean_text(text, APPEAL_LENGTH, "text", lines=True)
    if not words:
        raise Refusal.of("credit.appeal_text_missing", "text")
    given_back = CreditEvent.objects.filter(reverses=event).exists()
    gave = event.lab_points >= 0 and event.platform_points >= 0 and event.lab_points + event.platform_points > 0
    if given_back or event.reverses_id is not None or gave or event.kind in GAINED:
        raise Refusal.of("credit.nothing_to_appeal")
    _require_appeal_left(event, now)
    made, is_new = CreditAppeal.objects.get_or_create(event=event, defaults={"text": words, "made_at": now})
    if not is_new:
        raise Conflict.of("credit.appealed")
    audit.record(actor, "credit.appeal", made, now, after={"event": event.pk, "text": words})
    credit_news.appealed(made, now)
    return made


def _require_appeal_left(event: CreditEvent, now: datetime) -> None:
    """Raises Refusal ``credit.appeals_used_up``, with the day of the next one. Granted appeals do not count: the person was right."""
    rules = rules_of(event.organisation_id)
    if all(one is None or one.appeals_a_year is None for one in rules):
        return
    _one_at_a_time_named(f"credit.appeals:{event.organisation_id}:{event.person_id}")
    others = CreditAppeal.objects.filter(event__organisation_id=event.organisation_id, event__person_id=event.person_id)
    counted = others.exclude(event=event).exclude(state=AppealState.GRANTED).values_list("made_at", flat=True)
    next_at = next_appeal_at(rules, list(counted), now)
    if next_at is not None:
        raise Refusal.of("credit.appeals_used_up", "text", from_at=localtime(next_at).isoformat())


@whole
def decide_appeal(actor: Actor, appeal_id: int, grant: bool, answer: str, now: datetime) -> CreditAppeal:
    """A lab person who did not note the event, or the operator, decides; a granted one is taken back by a reversing event.

    Raises NotFound, Forbidden ``credit.second_person``, Refusal ``credit.answer_missing`` / ``credit.appeal_decided``.
    """
    found = get_visible(CreditAppeal.objects.all(), actor, pk=appeal_id)
    rows = CreditAppeal.objects.select_for_update(of=("self",)).select_related("event__person", "event__organisation")
    row = rows.get(pk=found.pk)
    event = row.event
    require_manager(actor, event.organisation_id)
    if actor.user_id in {event.made_by_id, event.person_id}:
        raise Forbidden.of("credit.second_person")
    words = clean_text(answer, ANSWER_LENGTH, "answer", lines=True)
    if not words:
        raise Refusal.of("credit.answer_missing", "answer")
    before = AppealState(row.state)
    row.state = next_appeal_state(before, AppealAction.GRANT if grant else AppealAction.REFUSE)
    row.decided_by_id, row.decided_at, row.answer = actor.person_id, now, words
    row.save(update_fields=["state", "decided_by", "decided_at", "answer"])
    after = {"state": str(row.state)}
    audit.record(actor, "credit.decide", row, now, before={"state": str(before)}, after=after, reason=words)
    if grant:
        _take_back(event, actor, words, now)
    credit_news.decided(row, now)
    return row


def _take_back(event: CreditEvent, actor: Actor, words: str, now: datetime) -> None:
    """Once: who came late after all and then wins the appeal about it gets the points back one time."""
    CreditEvent.objects.get_or_create(
        reverses=event,
        defaults={
            "person_id": event.person_id,
            "organisation_id": event.organisation_id,
            "instrument_id": event.instrument_id,
            "reservation_id": event.reservation_id,
            "kind": event.kind,
            "lab_points": -event.lab_points,
            "platform_points": -event.platform_points,
            "at": now,
            "made_by_id": actor.user_id,
            "note": words[:NOTE_LENGTH],
        },
    )
