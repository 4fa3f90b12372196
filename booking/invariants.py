"""What is always true of reservations and the time they take."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from django.db import connection

from booking.models import DayAvailability
from booking.models.busy_change import busy_name, sources_told
from booking.rules.samples import JOBS_IN_ORDER, NOT_TESTED, SAMPLES_IN_ORDER, TAKES_CAPACITY, WORKING, JobState
from booking.rules.states import BLOCKING_STATES, IN_REVIEW, Action, ReservationState, actions_from, next_state
from booking.services import availability, policies
from config.kernel.installed_guards import require_constraint
from config.kernel.invariants import Finding, register, register_sql

require_constraint("booking_occupancy", "occupancy_no_overlap")
require_constraint("booking_occupancy", "occupancy_half_open")

FIRST_STEP = ("", "request", ReservationState.REQUESTED.value)
#: Once a running session could be moved; history keeps what it was.
STEP_OF_BEFORE = (ReservationState.IN_USE.value, Action.MOVE.value, ReservationState.IN_USE.value)
WITH_SESSION = (ReservationState.IN_USE, *sorted(IN_REVIEW), ReservationState.AGREED)


def _legal_steps() -> list[tuple[str, str, str]]:
    """(from, action, to) of every step the transition table knows or knew, and the first one."""
    steps = [
        (state.value, action.value, next_state(state, action).value)
        for state in ReservationState
        for action in sorted(actions_from(state))
    ]
    return [FIRST_STEP, STEP_OF_BEFORE, *steps]


def states_are_replays() -> Finding:
    """Each reservation's state is what its history leads to, and each step of the history is legal."""
    legal = _legal_steps()
    rows = ", ".join(["(%s, %s, %s)"] * len(legal))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM booking_reservation")
        (count,) = cursor.fetchone()
        cursor.execute(
            f"""
            WITH legal (from_state, action, to_state) AS (VALUES {rows}),
            step AS (
                SELECT t.*, lag(to_state, 1, '') OVER (PARTITION BY reservation_id ORDER BY id) AS before,
                       lead(id) OVER (PARTITION BY reservation_id ORDER BY id) IS NULL AS is_last
                  FROM booking_reservationtransition t)
            SELECT format('reservation %%s: step %%s from "%%s" by %%s to "%%s" is not legal here (before it: "%%s")',
                          reservation_id, id, from_state, action, to_state, before)
              FROM step WHERE from_state <> before
                OR NOT EXISTS (SELECT 1 FROM legal l
                                WHERE (l.from_state, l.action, l.to_state) = (step.from_state, step.action, step.to_state))
            UNION ALL
            SELECT format('reservation %%s is "%%s" and its history says "%%s"', r.id, r.state, coalesce(s.to_state, 'nothing'))
              FROM booking_reservation r LEFT JOIN step s ON s.reservation_id = r.id AND s.is_last
             WHERE s.to_state IS DISTINCT FROM r.state""",  # noqa: S608  (only placeholders are put in)
            [value for step in legal for value in step],
        )
        return Finding(int(count), tuple(str(row[0]) for row in cursor.fetchall()))


register("booking.states_are_replays", states_are_replays)

register_sql(
    "booking.colleagues_have_agreed",
    counted="SELECT count(*) FROM booking_reservation WHERE booked_by_id IS NOT NULL",
    violations="""
        SELECT format('reservation %s: %s booked it for %s, who had not agreed', r.id, r.booked_by_id, r.requested_by_id)
          FROM booking_reservation r
         WHERE r.booked_by_id IS NOT NULL AND NOT EXISTS (
               SELECT FROM booking_bookingconsent c
                WHERE (c.organisation_id, c.giver_id, c.taker_id) = (r.organisation_id, r.requested_by_id, r.booked_by_id)
                  AND c.given_at <= r.created_at AND coalesce(c.ended_at, r.created_at) >= r.created_at)""",
)

register_sql(
    "booking.entered_with_a_yes",
    counted="SELECT count(*) FROM booking_labentry",
    violations="""
        SELECT format('reservation %s is "%s", its lab entered it, and its customer has not said yes', r.id, r.state)
          FROM booking_labentry e JOIN booking_reservation r ON r.id = e.reservation_id
         WHERE e.agreed_at IS NULL AND r.state NOT IN ('requested', 'rejected', 'cancelled', 'expired')""",
)

register_sql(
    "booking.nobody_approves_their_own",
    # What counts without a look of the lab has no actor; a list that is brought over, and a session that is entered later, are written down
    # with all their steps by who enters them, and the customer agrees to the use.
    counted="SELECT count(*) FROM booking_reservationtransition WHERE action = 'approve' AND actor_id IS NOT NULL",
    violations="""
        SELECT format('reservation %s was approved by %s, who had asked for it', r.id, t.actor_id)
          FROM booking_reservationtransition t JOIN booking_reservation r ON r.id = t.reservation_id
         WHERE t.action = 'approve' AND t.actor_id IN (r.requested_by_id, r.booked_by_id) AND NOT r.imported
           AND NOT EXISTS (SELECT FROM booking_usagesession s WHERE s.reservation_id = r.id AND s.late_entered)""",
)

register_sql(
    "booking.no_double_booking",
    counted="SELECT count(*) FROM booking_occupancy WHERE blocking",
    violations="""
        SELECT format('occupancy %s of calendar %s begins %s, and the calendar is taken until %s', id, calendar_id, lower(during),
                      taken_until)
          FROM (SELECT id, calendar_id, during, max(upper(during)) OVER (
                         PARTITION BY calendar_id ORDER BY lower(during), id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                       ) AS taken_until
                  FROM booking_occupancy WHERE blocking) o
         WHERE lower(during) < taken_until""",
)

register_sql(
    "booking.occupancies_follow_states",
    counted="SELECT count(*) FROM booking_reservation",
    violations=f"""
        SELECT format('reservation %s is "%s" and has %s occupancies, %s of them blocking, %s over its time',
                      r.id, r.state, o.total, o.blocking, o.covering)
          FROM booking_reservation r CROSS JOIN LATERAL (
               SELECT count(*) AS total, count(*) FILTER (WHERE blocking) AS blocking,
                      count(*) FILTER (WHERE during @> tstzrange(r.starts_at, r.ends_at)) AS covering
                 FROM booking_occupancy WHERE reservation_id = r.id AND source = 'reservation') o
         WHERE o.total <> 1 OR o.covering <> 1
            OR (r.state <> '{ReservationState.REQUESTED}'
                AND o.blocking <> (r.state IN ({", ".join(f"'{state}'" for state in sorted(BLOCKING_STATES))}))::int)""",  # noqa: S608
)

register_sql(
    "booking.assistance_follows_bookings",
    counted="SELECT count(*) FROM booking_occupancy WHERE source IN ('assistance', 'keeping')",
    violations="""
        SELECT format('occupancy %s of who assists in reservation %s does not follow what the booking takes, or lies on nobody''s calendar',
                      o.id, o.reservation_id)
          FROM booking_occupancy o
         WHERE o.source = 'assistance' AND NOT EXISTS (
               SELECT FROM booking_occupancy b JOIN booking_assistant a ON a.calendar_id = o.calendar_id
                WHERE b.reservation_id = o.reservation_id AND b.source = 'reservation'
                  AND b.during = o.during AND b.blocking = o.blocking)
         UNION ALL
        SELECT format('occupancy %s keeps somebody''s time beside %s and is not like it, or lies on nobody''s calendar', o.id, o.beside_id)
          FROM booking_occupancy o
         WHERE o.source = 'keeping' AND NOT EXISTS (
               SELECT FROM booking_occupancy h JOIN booking_assistant a ON a.calendar_id = o.calendar_id
                WHERE h.id = o.beside_id AND h.source IN ('hold', 'offer') AND h.during = o.during
                  AND (h.holder_id, h.expires_at) = (o.holder_id, o.expires_at))""",
)

register_sql(
    "booking.changes_are_a_chain",
    counted="SELECT count(*) FROM booking_reservationchange",
    violations="""
        WITH made AS (
            SELECT c.*, lead(from_starts_at) OVER w AS next_starts_at, lead(from_ends_at) OVER w AS next_ends_at
              FROM booking_reservationchange c WHERE state = 'made' WINDOW w AS (PARTITION BY reservation_id ORDER BY answered_at, id))
        SELECT format('change %s of reservation %s does not lead to the time that follows it', m.id, m.reservation_id)
          FROM made m JOIN booking_reservation r ON r.id = m.reservation_id
         WHERE (m.starts_at, m.ends_at) <> (coalesce(m.next_starts_at, r.starts_at), coalesce(m.next_ends_at, r.ends_at))
        UNION ALL
        SELECT format('occupancy %s keeps time for a change of reservation %s, and none is open', o.id, o.reservation_id)
          FROM booking_occupancy o
         WHERE o.source = 'change' AND NOT EXISTS (
               SELECT FROM booking_reservationchange c WHERE c.reservation_id = o.reservation_id AND c.state = 'open')""",
)

register_sql(
    "booking.sessions_follow_states",
    counted="SELECT count(*) FROM booking_usagesession",
    violations=f"""
        SELECT format('reservation %s is "%s" and %s', r.id, r.state,
                      CASE WHEN s.id IS NULL THEN 'has no session' WHEN s.agreed_at IS NULL THEN 'its session is not agreed'
                           ELSE 'its session is agreed' END)
          FROM booking_reservation r LEFT JOIN booking_usagesession s ON s.reservation_id = r.id
         WHERE (s.id IS NOT NULL) <> (r.state IN ({", ".join(f"'{state}'" for state in WITH_SESSION)}))
            OR (s.agreed_at IS NOT NULL) <> (r.state = '{ReservationState.AGREED}')""",  # noqa: S608
)

register_sql(
    "booking.sessions_keep_the_booked_time",
    counted="SELECT count(*) FROM booking_usagesession",
    violations="""
        SELECT format('session %s says booked %s to %s, its reservation %s says %s to %s', s.id, s.booked_starts_at, s.booked_ends_at,
                      r.id, r.starts_at, r.ends_at)
          FROM booking_usagesession s JOIN booking_reservation r ON r.id = s.reservation_id
         WHERE (s.booked_starts_at, s.booked_ends_at) <> (r.starts_at, r.ends_at)
         UNION ALL
        SELECT format('session %s ended and has no outcome, or has one and runs: "%s"', id, outcome)
          FROM booking_usagesession WHERE (actual_ends_at IS NULL) <> (outcome = 'pending')""",
)

register_sql(
    "booking.imported_ones_say_where_from",
    counted="SELECT count(*) FROM booking_importedbooking",
    violations="""
        SELECT format('reservation %s is %s imported and %s a list', r.id, CASE WHEN r.imported THEN '' ELSE 'not' END,
                      CASE WHEN b.id IS NULL THEN 'comes from no' ELSE 'comes from' END)
          FROM booking_reservation r FULL JOIN booking_importedbooking b ON b.reservation_id = r.id
         WHERE r.imported <> (b.id IS NOT NULL)
         UNION ALL
        SELECT format('reservation %s was taken back with its list and is "%s"', r.id, r.state)
          FROM booking_importedbooking b JOIN booking_reservation r ON r.id = b.reservation_id
         WHERE b.undone_at IS NOT NULL AND r.state <> 'cancelled'""",
)

register_sql(
    "booking.agreed_use_has_its_yes",
    counted="SELECT count(*) FROM booking_usagesession WHERE agreed_at IS NOT NULL",
    violations="""
        SELECT format('session %s is agreed by "%s": customer %s, lab %s, told %s', id, agreed_how, customer_agreed_at, lab_agreed_at,
                      reminded_at)
          FROM booking_usagesession
         WHERE (agreed_how IN ('both_sides', 'adjustment') AND (customer_agreed_at IS NULL OR lab_agreed_at IS NULL))
            OR (agreed_how = 'time' AND (late_entered OR reminded_at IS NULL OR reminded_at > agreed_at - interval '1 day'))""",
)

register_sql(
    "booking.wishes_and_disputes_follow_states",
    counted="SELECT (SELECT count(*) FROM booking_usageadjustment) + (SELECT count(*) FROM booking_usagedispute)",
    violations="""
        SELECT format('reservation %s is "%s", its wish "%s", its dispute %s', r.id, r.state, coalesce(a.state, 'none'),
                      CASE WHEN d.id IS NULL THEN 'none' WHEN d.decided_at IS NULL THEN 'open' ELSE 'decided' END)
          FROM booking_usagesession s JOIN booking_reservation r ON r.id = s.reservation_id
          LEFT JOIN booking_usageadjustment a ON a.session_id = s.id
          LEFT JOIN booking_usagedispute d ON d.session_id = s.id
         WHERE (r.state = 'adjusting') <> (coalesce(a.state, '') = 'open')
            OR (r.state = 'adjustment_refused' AND coalesce(a.state, '') <> 'refused')
            OR (r.state = 'disputed') <> (d.id IS NOT NULL AND d.decided_at IS NULL)
            OR (d.decided_at IS NOT NULL AND s.agreed_how <> 'decision')
         UNION ALL
        SELECT format('dispute %s was decided by %s, who had a part in it', d.id, d.decided_by_id)
          FROM booking_usagedispute d JOIN booking_usagesession s ON s.id = d.session_id
          LEFT JOIN booking_usageadjustment a ON a.session_id = s.id
         WHERE d.decided_by_id IN (s.checked_out_by_id, a.answered_by_id, d.opened_by_id)""",
)

register_sql(
    "booking.runs_are_of_their_instrument",
    counted="SELECT count(*) FROM booking_devicerun",
    violations="""
        SELECT format('run %s of instrument %s belongs to reservation %s of instrument %s', d.id, d.instrument_id, r.id, r.instrument_id)
          FROM booking_devicerun d JOIN booking_reservation r ON r.id = d.reservation_id WHERE r.instrument_id <> d.instrument_id
         UNION ALL
        SELECT format('event %s of instrument %s stands in run %s of instrument %s', e.id, e.instrument_id, d.id, d.instrument_id)
          FROM booking_deviceevent e JOIN booking_devicerun d ON d.id = e.run_id WHERE d.instrument_id <> e.instrument_id""",
)

register_sql(
    "booking.followed_times_have_an_event",
    counted="SELECT count(*) FROM booking_occupancy WHERE source = 'subscribed' AND upper(during) > now()",
    violations="""
        SELECT format('occupancy %s of calendar %s stands for no event of a calendar that is followed', o.id, o.calendar_id)
          FROM booking_occupancy o
         WHERE o.source = 'subscribed' AND upper(o.during) > now() AND NOT EXISTS (
               SELECT FROM booking_subscribedevent e JOIN booking_calendarsubscription s ON s.id = e.subscription_id AND s.enabled
                WHERE s.calendar_id = o.calendar_id AND tstzrange(e.starts_at, e.ends_at) @> o.during)""",
)

register_sql(
    "booking.busy_changes_say_what_is_taken",
    counted="SELECT count(*) FROM booking_busychange",
    violations=f"""
        SELECT format('busy time %s of calendar %s is told to be taken (%s) at %s', c.name, c.calendar_id, c.taken, c.during)
          FROM booking_busychange c
          LEFT JOIN (SELECT o.calendar_id, o.during, {busy_name("o")} AS name FROM booking_occupancy o
                      WHERE o.blocking AND {sources_told("o")}) t ON t.calendar_id = c.calendar_id AND t.name = c.name
         WHERE c.taken <> (t.name IS NOT NULL) OR (c.taken AND c.during <> t.during)""",  # noqa: S608  (constants only)
)

register_sql(
    "booking.ratings_are_of_agreed_sessions",
    counted="SELECT count(*) FROM booking_sessionrating",
    violations=f"""
        SELECT format('rating %s of reservation %s, which is "%s", stands at instrument %s', g.id, r.id, r.state, g.instrument_id)
          FROM booking_sessionrating g JOIN booking_reservation r ON r.id = g.reservation_id
         WHERE r.state <> '{ReservationState.AGREED}' OR r.instrument_id <> g.instrument_id
        UNION ALL
        SELECT format('rating %s is of sample job %s, which is "%s"', g.id, j.id, j.state)
          FROM booking_sessionrating g JOIN booking_samplejob j ON j.id = g.sample_job_id WHERE j.state <> '{JobState.CLOSED}'""",  # noqa: S608
)


def availability_is_current() -> Finding:
    """Every day of the read model is what opening hours and occupancies say."""
    return Finding(DayAvailability.objects.count(), tuple(str(one) for one in availability.verify()))


register("booking.availability_is_current", availability_is_current)

register_sql(
    "booking.enquiries_follow_their_messages",
    counted="SELECT count(*) FROM booking_enquiry",
    violations="""
        SELECT format('enquiry %s is "%s" and was last written in by "%s"', e.id, e.state, coalesce(m.side, 'nobody'))
          FROM booking_enquiry e LEFT JOIN LATERAL (
               SELECT side FROM booking_enquirymessage WHERE enquiry_id = e.id ORDER BY id DESC LIMIT 1) m ON true
         WHERE m.side IS NULL OR (e.state = 'open' AND m.side <> 'customer') OR (e.state = 'answered' AND m.side <> 'lab')""",
)


def policies_follow_layers() -> Finding:
    """The policy of each instrument is what the layers of its owner say, where any do."""
    wrong: list[str] = []
    count = 0
    for instrument, differs in policies.differences():
        count += 1
        if differs:
            wrong.append(f"the policy of instrument {instrument.pk} is not what its layers say: {', '.join(differs)}")
    return Finding(count, tuple(wrong))


register("booking.policies_follow_layers", policies_follow_layers)

register_sql(
    "booking.places_are_given_once",
    counted="SELECT count(*) FROM booking_coursesession",
    violations="""
        SELECT format('course session %s has %s places and %s people in them', s.id, s.places, count(e.id))
          FROM booking_coursesession s
          JOIN booking_enrolment e ON e.session_id = s.id AND e.state IN ('enrolled', 'attended', 'passed')
         GROUP BY s.id, s.places HAVING count(e.id) > s.places""",
)

register_sql(
    "booking.reversals_mirror_events",
    counted="SELECT count(*) FROM booking_creditevent",
    violations="""
        SELECT format('credit event %s takes back event %s and is not its mirror, or nothing gave reason to', r.id, e.id)
          FROM booking_creditevent r JOIN booking_creditevent e ON e.id = r.reverses_id
         WHERE (r.person_id, r.organisation_id, r.lab_points, r.platform_points)
               <> (e.person_id, e.organisation_id, -e.lab_points, -e.platform_points)
            OR NOT (EXISTS (SELECT FROM booking_creditappeal a WHERE a.event_id = e.id AND a.state = 'granted')
                    OR (e.kind = 'no_show' AND EXISTS (SELECT FROM booking_reservationtransition t
                                                        WHERE t.reservation_id = e.reservation_id AND t.action = 'come_late'))
                    OR (e.kind IN ('late', 'left_early', 'overtime', 'booked_over', 'used')
                        AND EXISTS (SELECT FROM booking_devicerun d
                                     WHERE d.reservation_id = e.reservation_id AND d.state = 'attached')))""",
)

register_sql(
    "booking.series_hold_together",
    counted="SELECT count(*) FROM booking_reservationseries",
    violations="""
        SELECT format('reservation %s is time %s of series %s and of another instrument, customer or person, or beyond its rule', r.id,
                      r.ordinal, s.id)
          FROM booking_reservation r JOIN booking_reservationseries s ON s.id = r.series_id
         WHERE (r.instrument_id, r.organisation_id, r.requested_by_id) <> (s.instrument_id, s.organisation_id, s.requested_by_id)
            OR r.ordinal > s.planned""",
)

register_sql(
    "booking.groups_are_of_one_customer",
    counted="SELECT count(*) FROM booking_reservationgroup",
    violations="""
        SELECT format('reservation %s was asked for together with others of another customer or person', r.id)
          FROM booking_reservation r JOIN booking_reservationgroup g ON g.id = r.group_id
         WHERE (r.organisation_id, r.requested_by_id) <> (g.organisation_id, g.requested_by_id)""",
)

register_sql(
    "booking.downtimes_take_their_own_time",
    counted="SELECT count(*) FROM booking_downtime",
    violations="""
        SELECT format('occupancy %s lies outside its downtime %s, or behind its end', o.id, d.id)
          FROM booking_occupancy o JOIN booking_downtime d ON d.id = o.downtime_id
          JOIN instruments_instrument i ON i.id = d.instrument_id
         WHERE (d.closed_at IS NULL AND o.calendar_id <> i.calendar_id) OR lower(o.during) < d.starts_at
            OR upper(o.during) > least(d.ends_at, coalesce(d.closed_at, d.ends_at))""",
)


def _names(states: Iterable[StrEnum]) -> str:
    """States as an array of the database, in their order where they have one."""
    return f"ARRAY[{', '.join(repr(state.value) for state in states)}]"


register_sql(
    "samples.no_day_is_promised_twice",
    counted="SELECT count(*) FROM booking_sampleday",
    violations="""
        SELECT format('test item %s on %s: %s samples are promised, %s a day can be measured', resource_id, day, sum(samples),
                      max(daily_capacity))
          FROM booking_sampleday GROUP BY resource_id, day
        HAVING count(*) = count(daily_capacity) AND sum(samples) > max(daily_capacity)""",
)

register_sql(
    "samples.days_are_for_all_samples",
    counted="SELECT count(*) FROM booking_samplejob",
    violations=f"""
        SELECT format('sample job %s ("%s"): %s samples, %s labels, %s on its days', j.id, j.state, j.sample_count, l.labels, d.days)
          FROM booking_samplejob j CROSS JOIN LATERAL (
               SELECT count(*) AS labels FROM booking_sample WHERE job_id = j.id) l CROSS JOIN LATERAL (
               SELECT coalesce(sum(samples), 0) AS days FROM booking_sampleday WHERE job_id = j.id) d
         WHERE l.labels <> j.sample_count
            OR CASE WHEN j.promised_on IS NULL OR NOT j.state = ANY({_names(TAKES_CAPACITY)}) THEN d.days <> 0
                    WHEN j.first_promised_on IS NULL THEN d.days NOT IN (0, j.sample_count)
                    ELSE d.days <> j.sample_count END""",  # noqa: S608  (names of our own states)
)

register_sql(
    "samples.jobs_follow_their_samples",
    counted=f"SELECT count(*) FROM booking_samplejob WHERE state = ANY({_names(WORKING)})",  # noqa: S608
    violations=f"""
        SELECT format('sample job %s is "%s" and its samples are at %s', j.id, j.state, s.least) FROM booking_samplejob j
         CROSS JOIN LATERAL (SELECT min(array_position({_names(SAMPLES_IN_ORDER)}, state::text)) AS least
                               FROM booking_sample WHERE job_id = j.id AND NOT state = ANY({_names(NOT_TESTED)})) s
         WHERE j.state = ANY({_names(WORKING)})
           AND s.least IS DISTINCT FROM array_position({_names(JOBS_IN_ORDER)}, j.state::text)""",  # noqa: S608
)
