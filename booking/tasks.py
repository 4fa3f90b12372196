"""Background work of booking; everything here is safe to repeat."""

from __future__ import annotations

from django.utils import timezone
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from booking.services import (
    availability,
    busy_changes,
    changes,
    credit,
    decision_rows,
    decisions,
    device_events,
    device_matching,
    downtimes,
    escalation,
    holds,
    licences,
    maintenance_plans,
    sample_lapses,
    sample_overdue,
    sample_reports,
    subscription_refresh,
    subscriptions,
    time_alerts,
    transitions,
    usage_review,
    use_escalation,
    waiting,
)
from config.kernel import invariants
from config.kernel.services.heartbeat import CHECKED, beat


@app.periodic(cron="*/5 * * * *")
@app.task(name="booking.handle_due", queueing_lock="booking.handle_due")
def handle_due(timestamp: int) -> None:
    """Lapse unanswered requests and proposals, and close missed reservations; before that, what could not begin is nobody's fault."""
    now = timezone.now()
    released, over, settled = downtimes.release_due(now), downtimes.close_due(now), downtimes.settle_due(now)
    downs = {"released": released, "over": over, "settled": settled}
    expired, missed = transitions.expire_due(now), transitions.mark_no_shows_due(now)
    beat(
        "booking.handle_due",
        now,
        expired=expired,
        missed=missed,
        lapsed=changes.lapse_due(now),
        told=decisions.tell_due(now),
        **downs,
    )


@app.periodic(cron="41 * * * *")
@app.task(name="booking.check_invariants", queueing_lock="booking.check_invariants")
def check_invariants(timestamp: int) -> None:
    """Look whether everything that must be true of bookings and sample jobs is; the health page says what was found."""
    checked, broken = invariants.check("booking.", "samples.")
    beat(CHECKED, timezone.now(), checked=checked, broken=broken)


@app.periodic(cron="*/5 * * * *")
@app.task(name="booking.escalate", queueing_lock="booking.escalate")
def escalate_overdue(timestamp: int) -> None:
    """Tell of requests, wishes for other times and disputes that wait longer than their lab promised, and of results that are late."""
    now = timezone.now()
    samples = {"samples_told": sample_overdue.escalate_due(now), "late_told": sample_overdue.tell_late(now)}
    beat("booking.escalate", now, told=escalation.escalate_due(now), use_told=use_escalation.escalate_due(now), **samples)


@app.periodic(cron="17 * * * *")
@app.task(name="booking.close_sample_jobs", queueing_lock="booking.close_sample_jobs")
def close_sample_jobs(timestamp: int) -> None:
    """Close sample jobs to whose report nobody objected; end those that nobody goes on with, after a word about it."""
    now = timezone.now()
    ended, reminded = sample_lapses.end_due(now), sample_lapses.remind_due(now)
    beat("booking.close_sample_jobs", now, closed=sample_reports.close_due(now), ended=ended, reminded=reminded)


@app.task(name=decision_rows.TASK)
def tell_decision(decision_id: int) -> None:
    """Tell of a decision that cannot be taken back any more."""
    decisions.tell(decision_id, timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="booking.follow_devices", queueing_lock="booking.follow_devices")
def follow_devices(timestamp: int) -> None:
    """End sessions that a device started and stopped, and look at devices that fell silent."""
    now = timezone.now()
    beat("booking.follow_devices", now, ended=device_matching.end_left(now), silent=device_events.reconsider_silent(now))


@app.periodic(cron="7 * * * *")
@app.task(name="booking.agree_usage", queueing_lock="booking.agree_usage")
def agree_usage(timestamp: int) -> None:
    """Tell both sides before time agrees, and agree what nobody objected to."""
    now = timezone.now()
    agreed = usage_review.agree_due(now)
    beat("booking.agree_usage", now, agreed=agreed, reminded=usage_review.remind_due(now))


@app.task(name=subscriptions.TASK)
def refresh_subscription(subscription_id: int) -> None:
    """Read one subscribed calendar."""
    subscription_refresh.refresh(subscription_id, timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="booking.refresh_subscriptions", queueing_lock="booking.refresh_subscriptions")
def refresh_subscriptions(timestamp: int) -> None:
    """Queue every subscription that is due, and give events the time that has become free."""
    now = timezone.now()
    due = subscription_refresh.due_ids(now)
    for subscription_id in due:
        subscriptions.defer_refresh(subscription_id)
    settled = subscription_refresh.settle_crowded(now)
    beat("booking.refresh_subscriptions", now, due=len(due), settled=settled)


@app.task(name=availability.TASK, lock=availability.TASK, retry=RetryStrategy(max_attempts=6, exponential_wait=3))
def calculate_availability(timestamp: int) -> None:
    """Compute the days of calendars whose opening hours changed: asked for by what changed many of them."""
    availability.calculate_waiting(timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="booking.availability_due", lock=availability.TASK, queueing_lock="booking.availability_due")
def availability_due(timestamp: int) -> None:
    """What a lost job left to calculate."""
    now = timezone.now()
    beat("booking.availability_due", now, calendars=availability.calculate_waiting(now))


@app.periodic(cron="20 16,22 * * *")
@app.task(name="booking.roll_availability", lock=availability.TASK, queueing_lock="booking.roll_availability")
def roll_availability(timestamp: int) -> None:
    """Every night (shortly after midnight in China, and again in the early morning): the days that are over go, the new last day
    comes, and a day that was wrong is put right. Changes of busy times that nobody is told of any more are forgotten."""
    now = timezone.now()
    beat("booking.roll_availability", now, rows=availability.rebuild_all(now), forgotten=busy_changes.forget(now))


@app.periodic(cron="*/10 * * * *")
@app.task(name="booking.time_alerts", queueing_lock="booking.time_alerts")
def answer_time_alerts(timestamp: int) -> None:
    """Write to those who wait for a time that is free now."""
    now = timezone.now()
    beat("booking.time_alerts", now, answered=time_alerts.answer_due(now))


@app.periodic(cron="* * * * *")
@app.task(name="booking.offer_free_time", queueing_lock="booking.offer_free_time")
def offer_free_time(timestamp: int) -> None:
    """Holds that have expired go, and what is free is offered to those who wait for it."""
    now = timezone.now()
    beat("booking.offer_free_time", now, expired=holds.release_expired(now), offered=waiting.offer_free_time(now))


@app.periodic(cron="15 * * * *")
@app.task(name="booking.licences_due", queueing_lock="booking.licences_due")
def licences_due(timestamp: int) -> None:
    """Licences that end soon, reservations whose licence will have ended, and sessions that nobody gave feedback on."""
    now = timezone.now()
    reminded, gaps = licences.remind_due(now), licences.tell_gaps_due(now)
    beat("booking.licences_due", now, reminded=reminded, gaps=gaps, feedback=credit.note_missing_feedback_due(now))


@app.periodic(cron="40 * * * *")
@app.task(name="booking.maintenance_due", queueing_lock="booking.maintenance_due")
def maintenance_due(timestamp: int) -> None:
    """Remind labs of maintenance that is due soon."""
    now = timezone.now()
    beat("booking.maintenance_due", now, reminded=maintenance_plans.remind_due(now))
