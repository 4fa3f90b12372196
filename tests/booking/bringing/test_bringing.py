"""A lab brings its bookings and past use along: previewed, written once, marked, told once, and taken back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger.models import Account, Transfer
from billing.settlement.fee_models import BookingFee
from billing.settlement.models import Charge, Quote
from billing.subsidy import services as subsidy
from booking.models import CreditEvent, ImportedBooking, Occupancy, Reservation, UsageSession
from booking.queries import utilisation
from booking.rules.use_period import Span, period_of
from booking.services import booking_import, reservations, sessions, transitions, usage_review
from booking.services.context import policy_for
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import ImportState, Instrument, Membership, Notice, Organisation, SavedMapping
from instruments.rules.reading_options import ReadingOptions
from instruments.services import import_runs
from instruments.services import notices as notices_door
from instruments.services.import_kinds import Order
from instruments.services.import_runs import Asked
from instruments.services.registry_encoding import decode
from tests.booking.bringing.conftest import HEAD, LIVE, PAST, fates, told
from tests.booking.usage.conftest import wrong
from tests.conftest import programme_document
from tests.instruments.registry.test_workbook import book

pytestmark = pytest.mark.django_db


def test_the_preview_writes_nothing_and_says_what_becomes_of_each_row(cast, preview):
    run = preview(LIVE + PAST)
    assert (run.state, fates(run), told(run)) == (ImportState.PREVIEW, ["created", "created"], [{"upcoming"}, {"past"}])
    assert not Reservation.objects.exists() and not Occupancy.objects.exists()


def test_a_booking_to_come_is_approved_and_takes_its_time(cast, take_in, slot):
    take_in(LIVE)
    one = Reservation.objects.get()
    assert (one.state, one.imported, one.during, one.organisation, one.requested_by) == (
        "approved", True, slot(9, 11), cast.firm, cast.users["lin"],
    )  # fmt: skip
    with pytest.raises(Conflict):
        request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(10, 12), "assisted")
        reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    assert wrong() == {}


def test_past_use_waits_for_the_customer_s_yes_and_nothing_is_charged(cast, take_in, now):
    take_in(PAST)
    session = UsageSession.objects.get()
    assert (session.late_entered, session.evidence, session.billable_minutes) == (True, "Log book 17", 0)
    assert session.reservation.state == "completed" and session.actual.seconds == 3 * 3600
    usage_review.agree(cast.actor("lin"), session.reservation_id, now)
    assert Charge.objects.get().gross_fen == 0
    assert wrong() == {}


def test_past_use_that_is_to_be_charged_is_charged_by_the_price_of_its_day_after_the_yes(cast, take_in, now):
    take_in(PAST.replace("17,", "17,yes"))
    assert not Charge.objects.exists()
    usage_review.agree(cast.actor("lin"), Reservation.objects.get().pk, now)
    assert Charge.objects.get().gross_fen == 3 * 40_000


def test_the_same_list_again_changes_nothing_and_one_that_grew_brings_only_what_is_new(cast, take_in, preview):
    take_in(LIVE + PAST)
    again = preview(LIVE + PAST)
    assert (fates(again), told(again)) == (["unchanged", "unchanged"], [{"known"}, {"known"}])
    more = take_in(LIVE + PAST + LIVE.replace("L1", "L2").replace(" 09:", " 12:").replace(" 11:", " 13:"))
    assert (fates(more), Reservation.objects.count()) == (["unchanged", "unchanged", "created"], 3)
    moved = preview(LIVE.replace(" 11:00", " 12:00"))
    assert (fates(moved), told(moved)) == (["refused"], [{"known_elsewhen"}])
    reasons = moved.rows.get().reasons[0]["params"]
    assert (reasons["said_ends_at"], reasons["ends_at"]) == ("2026-11-25T11:00:00+08:00", "2026-11-25T12:00:00+08:00")


def test_rows_without_a_number_are_known_by_what_they_say(cast, take_in, preview):
    take_in(LIVE.replace("L1", ""))
    assert fates(preview(LIVE.replace("L1", ""))) == ["unchanged"]
    assert fates(preview(LIVE.replace("L1", "") * 2)) == ["unchanged", "repeated"]


def test_rows_that_share_a_number_for_another_person_or_time_are_refused(preview):
    later = LIVE.replace(" 09:", " 12:").replace(" 11:", " 13:")
    run = preview(LIVE + later + LIVE.replace("lin@", "he@"))
    assert (fates(run)[1:], told(run)[1:]) == (["refused"] * 2, [{"number_twice"}] * 2)


def test_who_brings_a_list_does_not_bring_bookings_of_their_own(cast, preview):
    run = preview(LIVE.replace("lin@", "wang@"))
    assert told(run) == [{"own"}]


def test_what_takes_the_same_time_is_refused_before_anything_is_written(cast, preview, slot):
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(14, 16), "assisted")
    reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    within = LIVE + LIVE.replace("L1", "L2").replace(" 09:", " 10:")
    run = preview(within + LIVE.replace("L1", "L3").replace(" 09:", " 15:").replace(" 11:", " 17:"))
    assert told(run) == [{"collides"}, {"collides"}, {"taken"}]
    with pytest.raises(Conflict) as refused:
        import_runs.confirm(cast.actor("wang"), run.pk, cast.now)
    assert refused.value.reasons[0].code == "import.rows_refused"


def test_rows_that_name_nobody_nowhere_or_no_time_say_what_to_do(cast, preview):
    Membership.objects.create(user=cast.users["lin"], organisation=cast.other_firm, role="researcher", created_at=cast.now)
    run = preview(
        "1,stranger@example.org,X-ray diffractometer,2026-11-25 09:00,2026-11-25 11:00,,\n"
        "2,he@example.org,Unknown,soon,2026-11-25 11:00,,\n"
        "3,lin@example.org,X-ray diffractometer,2026-11-26 09:00,2026-11-26 11:00,,\n"
        "4,wu@example.org,X-ray diffractometer,2026-11-27 09:00,2026-11-27 11:00,,\n"
    )
    assert told(run) == [
        {"person_unknown"}, {"licence.instrument_unknown", "time_unreadable"}, {"customer_several"}, {"customer_none"},
    ]  # fmt: skip


def test_a_named_customer_is_one_of_the_person_s_own(cast, take_in, preview):
    head = "E-mail,Instrument,Start,End,Organisation\n"
    rows = "lin@example.org,X-ray diffractometer,2026-11-25 09:00,2026-11-25 11:00,{}\n"
    assert told(preview(rows.format("Lianhe"), head=head)) == [{"customer_unknown"}]
    take_in(rows.format(cast.firm.name), head=head)
    assert Reservation.objects.get().organisation == cast.firm


def test_an_instrument_without_a_price_on_that_day_is_said(cast, preview):
    assert told(preview(PAST.replace("2026-10-12", "2024-10-12"))) == [{"no_price"}]


def test_somebody_who_books_after_the_preview_brings_another_preview(cast, preview, slot):
    run = preview(LIVE)
    import_runs.confirm(cast.actor("wang"), run.pk, cast.now)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(10, 12), "assisted")
    reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    import_runs.work(run.pk, cast.now)
    run.refresh_from_db()
    assert (run.state, run.changed_since, told(run)) == (ImportState.PREVIEW, True, [{"taken"}])
    assert not ImportedBooking.objects.exists()


def test_the_database_has_the_last_word_where_the_judgement_was_wrong(cast, preview, slot, monkeypatch):
    monkeypatch.setattr(booking_import, "taken_positions", lambda rows, now: {})
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(10, 12), "assisted")
    reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    transitions.approve(cast.actor("wang"), Reservation.objects.get().pk, cast.now)
    run = preview(PAST + LIVE)
    import_runs.confirm(cast.actor("wang"), run.pk, cast.now)
    import_runs.work(run.pk, cast.now)
    run.refresh_from_db()
    assert (run.state, run.changed_since) == (ImportState.PREVIEW, True)
    assert Reservation.objects.count() == 1 and not ImportedBooking.objects.exists()


def test_a_booking_that_passes_between_preview_and_confirmation_brings_another_preview(cast, preview, now):
    run = preview(LIVE)
    later = now + timedelta(days=5)
    import_runs.confirm(cast.actor("wang"), run.pk, later)
    import_runs.work(run.pk, later)
    run.refresh_from_db()
    assert (run.state, run.changed_since, told(run)) == (ImportState.PREVIEW, True, [{"past"}])


def test_what_was_brought_along_counts_as_use_and_not_as_an_answer(cast, take_in, now):
    take_in(LIVE + PAST)
    october = utilisation.utilisation(cast.actor("wang"), cast.lab.pk, period_of(Span.MONTH, date(2026, 10, 1)), now)
    november = utilisation.utilisation(cast.actor("wang"), cast.lab.pk, period_of(Span.MONTH, now.date()), now)
    assert (october.figures.used_seconds, october.figures.external_seconds) == (3 * 3600, 3 * 3600)
    assert (november.answered, november.answer_minutes) == (0, None)


def test_a_suspended_organisation_gets_no_bookings(cast, preview):
    Organisation.objects.filter(pk=cast.firm.pk).update(status="suspended")
    assert told(preview(LIVE)) == [{"customer_none"}]


def test_each_person_is_told_once_with_the_list(cast, take_in):
    other = LIVE.replace("L1", "L2").replace("lin@", "he@").replace(" 09:", " 12:").replace(" 11:", " 13:")
    take_in(LIVE + PAST + other)
    found = {one.user_id: one.params["count"] for one in Notice.objects.all()}
    assert found == {cast.users["lin"].pk: 2, cast.users["he"].pk: 1}
    listed = Notice.objects.get(user=cast.users["lin"]).params["listed"]
    assert [one["price_fen"] for one in listed] == [None, 2 * 40_000]


def test_a_programme_that_does_not_say_so_gives_nothing_to_what_was_brought_along(cast, programmes, take_in):
    take_in(LIVE)
    outcomes = Quote.objects.latest("revision").result["outcomes"]
    assert {one["outcome"] for one in outcomes} == {"refused"}
    assert not Account.objects.filter(key__startswith="awarded:").exists()  # read as if empty, neither opened nor locked
    assert all("subsidy.unmet.imported" in {why["code"] for why in one["reasons"]} for one in outcomes)


def test_a_programme_that_says_so_covers_it_until_the_import_is_taken_back(cast, take_in, take_back, now):
    document = programme_document("DEMO-QH-V")
    document["imported_sessions"] = {"allowed": True, "clause": document["validity"]["clause"]}
    version = subsidy.draft_version(cast.actor("chen"), document, cast.now)
    subsidy.publish_version(cast.actor("sun"), version, cast.now)
    run = take_in(LIVE + PAST)
    live = Reservation.objects.get(starts_at__gt=now)
    (outcome,) = Quote.objects.filter(reservation=live).latest("revision").result["outcomes"]
    assert (outcome["outcome"], outcome["total_fen"]) == ("award", 2 * 40_000 * 4 // 10)
    holds = Transfer.objects.filter(kind="hold", ends__isnull=True)
    assert {one.debit.kind: one.amount_fen for one in holds.filter(source_id=live.pk)} == {"pool": 32_000, "firm_year": 32_000}
    past = Reservation.objects.get(starts_at__lt=now)
    assert set(holds.values_list("source_id", flat=True)) == {live.pk}, "what is not charged keeps nobody's subsidy"
    assert Quote.objects.filter(reservation=past).latest("revision").result["outcomes"] == []
    take_back(run)
    assert not holds.exists() and wrong() == {}


def test_a_whole_import_is_taken_back_and_may_come_again(take_in, take_back, preview):
    run = take_in(LIVE + PAST)
    assert take_back(run) == (2, 0)
    assert {one.state for one in Reservation.objects.all()} == {"cancelled"}
    assert not UsageSession.objects.exists() and not Occupancy.objects.filter(blocking=True).exists()
    assert wrong() == {}
    with pytest.raises(Conflict):
        take_back(run)
    assert fates(preview(LIVE + PAST)) == ["created", "created"]


def test_the_worker_takes_an_import_back_for_who_asked_and_not_for_who_may_not_any_more(cast, take_in, now):
    run = take_in(LIVE)
    import_runs.undo(cast.actor("wang"), run.pk, now)
    run.refresh_from_db()
    assert (run.state, Reservation.objects.get().state) == (ImportState.UNDOING, "approved")
    with pytest.raises(Conflict):
        import_runs.undo(cast.actor("wang"), run.pk, now)
    cast.users["wang"].memberships.all().delete()
    import_runs.work(run.pk, now)
    run.refresh_from_db()
    assert (run.state, run.problems[0]["code"]) == (ImportState.DONE, "access.role_needed")
    assert Reservation.objects.get().state == "approved"


def test_what_the_platform_cannot_take_back_stays_and_says_so(cast, take_in, take_back, now):
    run = take_in(LIVE)
    import_runs.undo(cast.actor("wang"), run.pk, now)
    import_runs.give_up(run.pk, now)
    run.refresh_from_db()
    assert (run.state, run.problems[0]["code"]) == (ImportState.DONE, "import.undo_gave_up")
    assert take_back(run) == (1, 0)
    assert (run.problems, Reservation.objects.get().state) == ([], "cancelled")


def test_an_import_that_brought_nothing_is_not_taken_back(cast, take_in, take_back):
    first, again = take_in(LIVE), take_in(LIVE)
    assert (fates(again), import_runs.may_undo(cast.actor("wang"), again)) == (["unchanged"], False)
    with pytest.raises(Conflict):
        take_back(again)
    assert take_back(first) == (1, 0)
    assert not import_runs.may_undo(cast.actor("wang"), first)


@pytest.mark.parametrize("touch", ["agreed", "cancelled", "moved on"])
def test_what_has_a_life_of_its_own_stays_when_an_import_is_taken_back(cast, take_in, take_back, now, touch):
    run = take_in(LIVE + PAST)
    live, past = Reservation.objects.order_by("-starts_at")
    if touch == "agreed":
        usage_review.agree(cast.actor("lin"), past.pk, now)
    elif touch == "cancelled":
        transitions.cancel(cast.actor("lin"), live.pk, now)
    else:
        now = live.starts_at + timedelta(minutes=1)
    stays, goes = (past, live) if touch == "agreed" else (live, past)
    before = Reservation.objects.get(pk=stays.pk).state
    assert take_back(run, at=now) == (1, 1)
    assert (Reservation.objects.get(pk=stays.pk).state, Reservation.objects.get(pk=goes.pk).state) == (before, "cancelled")
    assert [one.reservation_id for one in ImportedBooking.objects.filter(undone_at__isnull=True)] == [stays.pk]
    assert wrong() == {}


def test_an_import_of_which_nothing_is_as_it_came_is_not_taken_back(cast, take_in, take_back, now):
    run = take_in(PAST)
    usage_review.agree(cast.actor("lin"), Reservation.objects.get().pk, now)
    assert take_back(run) == (None, None)
    assert (run.state, run.problems[0]["code"]) == (ImportState.DONE, "booking_import.in_use")


def test_a_booking_that_was_brought_is_given_back_late_without_fee_or_mark_and_agreed_by_a_person_alone(cast, take_in, now):
    take_in(LIVE + LIVE.replace("L1", "L2").replace(" 09:", " 12:").replace(" 11:", " 13:"))
    used, left = Reservation.objects.order_by("starts_at")
    transitions.cancel(cast.actor("lin"), left.pk, left.starts_at - timedelta(minutes=1))
    assert not CreditEvent.objects.exists() and not BookingFee.objects.exists()
    transitions.check_in(cast.actor("wang"), used.pk, used.starts_at)
    transitions.check_out(cast.actor("wang"), used.pk, used.ends_at)
    for days in (6, 8, 20):
        usage_review.remind_due(used.ends_at + timedelta(days=days))
        assert usage_review.agree_due(used.ends_at + timedelta(days=days)) == 0
    usage_review.agree(cast.actor("lin"), used.pk, used.ends_at + timedelta(days=20))
    assert Charge.objects.get().gross_fen == 2 * 40_000


def test_webhooks_hear_of_each_booking_that_comes_and_goes(take_in, take_back, monkeypatch):
    heard = []
    monkeypatch.setattr(
        notices_door.webhooks,
        "queue",
        lambda event, about, at, _found: heard.extend((event, one["state"]) for one in about.values()),
    )
    run = take_in(LIVE + PAST)
    assert set(heard) == {("reservation.approved", "approved"), ("reservation.completed", "completed")}
    assert Notice.objects.count() == 1
    heard.clear()
    take_back(run)
    assert set(heard) == {("reservation.cancelled", "cancelled")}


def test_past_use_that_is_not_charged_stays_so_when_a_device_corrects_it(cast, take_in):
    take_in(PAST)
    session = UsageSession.objects.get()
    session.actual_ends_at += timedelta(hours=1)
    sessions.measure(session, policy_for(session.reservation.instrument))
    assert (session.billable_rule, session.billable, session.billable_minutes) == ("imported", None, 0)
    assert session.overrun_minutes == 60


def test_a_mapping_does_not_take_the_name_of_one_of_another_kind(cast, now):
    SavedMapping.objects.create(
        organisation=cast.lab, name="Old system", document={"kind": "licences"}, created_by=cast.users["wang"], updated_at=now
    )
    rows = b"Wer;Was;Ab;Bis\nlin@example.org;X-ray diffractometer;2026-11-25 09:00;2026-11-25 11:00\n"
    run = import_runs.start(cast.actor("wang"), Asked("bookings", "new", cast.lab.pk), rows, "l.csv", now)
    import_runs.work(run.pk, now)
    chosen = {"Wer": "email", "Was": "instrument", "Ab": "starts_at", "Bis": "ends_at"}
    with pytest.raises(Refusal) as refused:
        import_runs.choose_columns(cast.actor("wang"), run.pk, chosen, "Old system", now)
    assert [(one.code, one.field) for one in refused.value.reasons] == [("import.mapping_name_taken", "save_as")]
    assert SavedMapping.objects.get().document == {"kind": "licences"}


def test_only_the_lab_brings_its_list_and_takes_it_back(cast, take_in, now):
    with pytest.raises(Forbidden):
        import_runs.start(cast.actor("lin"), Asked("bookings", "booking_list", cast.lab.pk), b"x", "l.csv", now)
    run = take_in(LIVE)
    with pytest.raises(NotFound):
        import_runs.undo(cast.actor("lin"), run.pk, now)
    with pytest.raises(Forbidden):
        import_runs.undo(cast.actor("zhou"), run.pk, now)
    with pytest.raises(Conflict):
        import_runs.undo(cast.actor("wang"), _instruments_run(cast, now).pk, now)
    assert Reservation.objects.get().state == "approved"


def test_a_foreign_list_is_mapped_once_and_the_mapping_kept(cast, now):
    rows = b"Wer;Was;Ab;Bis\nlin@example.org;X-ray diffractometer;2026-11-25 09:00;2026-11-25 11:00\n"
    run = import_runs.start(cast.actor("wang"), Asked("bookings", "new", cast.lab.pk), rows, "l.csv", now)
    import_runs.work(run.pk, now)
    chosen = {"Wer": "email", "Was": "instrument", "Ab": "starts_at", "Bis": "ends_at"}
    import_runs.choose_columns(cast.actor("wang"), run.pk, chosen, "Old system", now)
    import_runs.work(run.pk, now)
    run.refresh_from_db()
    assert (run.state, fates(run)) == (ImportState.PREVIEW, ["created"])
    mapping = SavedMapping.objects.get()
    again = import_runs.start(
        cast.actor("wang"), Asked("bookings", "saved", cast.lab.pk, mapping.pk), rows, "l.csv", now
    )  # fmt: skip
    import_runs.work(again.pk, now)
    again.refresh_from_db()
    assert fates(again) == ["created"]


@pytest.mark.parametrize("start", ["Ab", "Start (on the wall)"])
def test_a_workbook_is_read_as_the_table_that_was_shown_when_its_columns_were_chosen(cast, now, start):
    known = ["Booking id", "E-mail", "Instrument"]
    rows = [["Wer", "Was", start, "Bis"], ["lin@example.org", "X-ray diffractometer", "2026-11-25 09:00", "2026-11-25 11:00"]]
    content = book(["Bookings of 2026"], *rows, Other=[known, ["1", "he@example.org", "Unknown"]])
    run = import_runs.start(cast.actor("wang"), Asked("bookings", "new", cast.lab.pk), content, "l.xlsx", now)
    import_runs.work(run.pk, now)
    run.refresh_from_db()
    assert run.facts["columns"] == rows[0]
    chosen = {"Wer": "email", "Was": "instrument", start: "starts_at", "Bis": "ends_at"}
    import_runs.choose_columns(cast.actor("wang"), run.pk, chosen, "", now)
    import_runs.work(run.pk, now)
    run.refresh_from_db()
    assert (run.problems, fates(run)) == ([], ["created"])


def test_the_report_tells_how_else_the_text_of_a_list_could_be_read(cast, now):
    content = (HEAD + LIVE.replace("L1", "L1 \u4eea\u5668")).encode("gbk")
    order = Order(content, "l.csv", "booking_list", None, cast.lab.pk, True, "", lambda done, total: None)
    report = booking_import.import_bookings(cast.actor("wang"), order, now)
    assert report.encoding == "gb18030" and report.other_encodings == decode(content).others != ()


def test_a_calendar_of_one_instrument_is_a_list_too(cast, preview, now):
    calendar = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nX-WR-CALNAME:X-ray diffractometer\r\n"
        "BEGIN:VEVENT\r\nUID:u1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261125T090000\r\nDTEND:20261125T110000\r\n"
        "SUMMARY:Salts (lin@example.org)\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:u2\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261126T090000\r\nDTEND:20261126T110000\r\n"
        "SUMMARY:Somebody\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    run = preview(calendar, head="", layout="booking_calendar", name="xrd.ics")
    assert told(run) == [{"upcoming"}, {"event_names_nobody"}]
    for each in (run, preview(LIVE)):  # both are meant in the zone that is chosen
        import_runs.read_again(cast.actor("wang"), each.pk, ReadingOptions(time_zone="Asia/Tokyo"), now)
        import_runs.work(each.pk, now)
        assert each.rows.earliest("line", "pk").name.endswith("08:00\u201310:00")


def test_a_weekly_event_comes_again_with_its_new_occurrences_alone(cast, preview, take_in, now):
    weekly = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nX-WR-CALNAME:X-ray diffractometer\r\n"
        "BEGIN:VEVENT\r\nUID:w1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261125T090000\r\nDTEND:20261125T110000\r\n"
        "RRULE:FREQ=WEEKLY;COUNT={}\r\nSUMMARY:Salts (lin@example.org)\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    calendar = {"head": "", "layout": "booking_calendar", "name": "xrd.ics"}
    take_in(weekly.format(2), **calendar)
    assert Reservation.objects.count() == 2
    run = preview(weekly.format(4), **calendar)
    assert fates(run) == ["unchanged", "unchanged", "created", "created"]
    assert [one.name[-22:] for one in run.rows.order_by("pk")][2:] == [
        "2026-12-09 09:00\u201311:00", "2026-12-16 09:00\u201311:00",
    ]  # fmt: skip


def test_many_rows_are_judged_with_as_many_statements_as_few(cast, preview, now):
    def rows(count):
        return "".join(
            f"{number},lin@example.org,X-ray diffractometer,2026-10-{1 + number // 10:02d} {8 + number % 10:02d}:00,"
            f"2026-10-{1 + number // 10:02d} {8 + number % 10:02d}:30,,\n"
            for number in range(count)
        )

    def statements(count):
        with CaptureQueriesContext(connection) as captured:
            assert set(fates(preview(rows(count)))) == {"created"}
        return len(captured)

    statements(1)
    assert statements(2) == statements(40)


def _instruments_run(cast, now):
    run = import_runs.start(
        cast.actor("wang"), Asked("instruments", "csv", cast.lab.pk), b"name,inner_id\nMicroscope,M-1\n", "i.csv", now
    )
    import_runs.work(run.pk, now)
    import_runs.confirm(cast.actor("wang"), run.pk, now)
    import_runs.work(run.pk, now)
    assert Instrument.objects.filter(name="Microscope").exists()
    return run


def test_what_was_left_lying_while_it_was_taken_back_goes_on_or_stays_as_it_was_written(cast, take_in, now):
    run = take_in(LIVE)
    wang = cast.actor("wang")
    for stays in (True, False):
        import_runs.undo(wang, run.pk, now)
        with connection.cursor() as cursor:  # its worker was killed five times
            cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = %s", [import_runs.TASK])
        if stays:
            import_runs.cancel(wang, run.pk, now)
            import_runs.work(run.pk, now)
            run.refresh_from_db()
            assert (run.state, Reservation.objects.get().state) == (ImportState.DONE, "approved")
            assert import_runs.may_undo(wang, run)
        else:
            import_runs.go_on(wang, run.pk, now)
            import_runs.work(run.pk, now)
            run.refresh_from_db()
            assert (run.facts["undone"], Reservation.objects.get().state) == (1, "cancelled")
    assert wrong() == {}


def test_more_rows_than_one_list_may_have_are_refused_before_anything_is_read(cast, monkeypatch, now):
    monkeypatch.setattr(booking_import, "MOST_ROWS", 1)
    content = (HEAD + LIVE + PAST).encode()
    order = Order(content, "bookings.csv", "booking_list", None, cast.lab.pk, True, "", lambda done, total: None)
    with pytest.raises(Refusal, match=r"booking_import\.too_many_rows"):
        booking_import.import_bookings(cast.actor("wang"), order, now)
    assert not Reservation.objects.exists()
