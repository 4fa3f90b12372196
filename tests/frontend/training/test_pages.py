"""The pages of courses, licences and credit: what they show, what they do, and what they say when something is wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from booking.models import (
    AccessListEntry,
    CreditAppeal,
    CreditEvent,
    CreditRules,
    Enrolment,
    InstrumentPolicy,
    Licence,
    RecognitionRequest,
    Reservation,
    TrainingCourse,
)
from booking.services import credit, training, transitions
from tests.frontend.acting import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def way(cast):
    return reverse("instrument_licence", args=[cast.xrd.pk])


def proof():
    return SimpleUploadedFile("proof.pdf", b"%PDF-1.4 proof")


def test_the_way_to_a_licence_from_the_instruments_page_to_the_booking(cast, as_, way, session, clock):
    page = reverse("instrument_detail", args=[cast.xrd.pk])
    assert "How do I get to use it myself?" in words(as_().get(page))
    shown = words(as_("lin").get(way))
    assert "Who works alone here needs a licence" in shown and "2 places left" in shown
    done = as_("lin").post(reverse("course_enrol", args=[session.pk]), {"next": way}, follow=True)
    assert "You have a place" in words(done) and "1 place left" in words(done)
    enrolment = Enrolment.objects.get()
    clock.now = session.starts_at
    lab = as_("wang")
    lab.post(reverse("enrolment_attendance", args=[enrolment.pk]), {"came": "yes"})
    wrong = lab.post(reverse("enrolment_result", args=[enrolment.pk]), {"score": "101"})
    assert wrong.status_code == 422 and "from 0 to 100" in words(wrong)
    lab.post(reverse("enrolment_result", args=[enrolment.pk]), {"score": "77", "note": "Careful"})
    clock.now = session.ends_at
    assert "You can book it yourself" in words(as_("lin").get(page))
    record = words(as_("lin").get(reverse("my_record")))
    assert "77/100" in record and "Holds" in record
    assert "Holds" in words(lab.get(reverse("licence_list"), {"q": "lin@"}))


def test_a_proof_is_sent_with_its_problems_told_and_decided(cast, as_, way, course):
    empty = as_("lin").post(way, {"level": "self", "statement": ""})
    assert empty.status_code == 422 and not RecognitionRequest.objects.exists()
    assert as_("lin").post(way, {"level": "self", "statement": "Five years", "file": proof()}).status_code == 302
    request = RecognitionRequest.objects.get()
    lab = as_("wang")
    assert "Five years" in words(lab.get(reverse("licence_list")))
    decide = reverse("recognition_decide", args=[request.pk])
    assert "Give a reason" in words(lab.post(decide, {"decision": "refuse", "reason": ""}))
    assert "there is a licence now" in words(lab.post(decide, {"decision": "accept"}, follow=True))
    assert Licence.objects.get().origin == "recognised"
    file = lab.get(reverse("recognition_evidence", args=[request.pk]))
    assert "attachment" in file["Content-Disposition"]


def test_a_course_is_written_and_its_dates_planned_on_pages(cast, as_):
    lab = as_("wang")
    fields = {"organisation": cast.lab.pk, "title": "", "level": "self", "pass_mark": 60, "active": "on", "class_codes": "x"}
    assert lab.post(reverse("course_create"), fields).status_code == 422
    fields |= {"title": "Alone", "class_codes": "0103, 0104", "instruments": [cast.xrd.pk], "require": "on"}
    assert lab.post(reverse("course_create"), fields).status_code == 302
    course = TrainingCourse.objects.get()
    assert sorted(scope.class_code for scope in course.scopes.all()) == ["", "0103", "0104"]
    assert InstrumentPolicy.objects.get(instrument=cast.xrd).rules["licence_needed"]
    page = reverse("course_detail", args=[course.pk])
    when = {"starts_local": "2026-12-01T14:00", "ends_local": "2026-12-01T13:00", "place": "Room 1", "places": "5"}
    assert lab.post(page, when).status_code == 422
    assert lab.post(page, when | {"ends_local": "2026-12-01T16:00"}).status_code == 302
    session = course.sessions.get()
    assert session.starts_at.hour == 6  # 14:00 in Shanghai
    edit = reverse("course_edit", args=[course.pk])
    assert lab.get(edit).status_code == 200
    assert lab.post(edit, fields | {"title": "Alone, again"}).status_code == 302
    off = lab.post(reverse("course_session_call_off", args=[session.pk]), {"reason": ""})
    assert "Give a reason" in words(off)
    lab.post(reverse("course_session_call_off", args=[session.pk]), {"reason": "Leak"})
    assert "Leak" in words(lab.get(reverse("course_session", args=[session.pk])))
    lab.post(reverse("licence_need", args=[cast.xrd.pk]), {"needed": "no"})
    assert "licence_needed" not in InstrumentPolicy.objects.get(instrument=cast.xrd).rules


def test_licences_are_given_and_taken_on_the_labs_page(cast, as_):
    lab, grant = as_("wang"), reverse("licence_grant")
    fields = {"instrument": cast.xrd.pk, "email": "nobody@example.org", "level": "self", "reference": "ZS-1", "valid_until": ""}
    assert "Ask the person to sign up" in words(lab.post(grant, fields))
    lab.post(grant, fields | {"email": "lin@example.org", "valid_until": "2027-01-31"})
    licence = Licence.objects.get()
    act = reverse("licence_act", args=[licence.pk])
    assert "Give a reason" in words(lab.post(act, {"action": "suspend", "reason": ""}))
    for action, state in (("suspend", "suspended"), ("restore", "valid"), ("revoke", "revoked")):
        lab.post(act, {"action": action, "reason": "Leak"})
        licence.refresh_from_db()
        assert licence.state == state


def test_without_a_licence_both_sides_see_it_and_the_lab_says_why_it_goes_on(cast, as_, approved, clock, now):
    pk = approved(9, 11)
    training.require_licence(cast.actor("wang"), cast.xrd.pk, True, now)
    page = reverse("reservation_detail", args=[pk])
    assert "check-in is refused" in words(as_("lin").get(page))
    assert "Check-in needs a reason from you" in words(as_("wang").get(page))
    reservation = Reservation.objects.get(pk=pk)
    clock.now = reservation.starts_at
    lab, check_in = as_("wang"), reverse("session_check_in", args=[pk])
    assert "Why may they work without a licence?" in words(lab.get(reverse("sessions_today")))
    refused = lab.post(check_in, {"date": "2026-11-25"})
    assert refused.status_code == 422 and "holds no licence" in words(refused)
    refused = lab.post(check_in, {"date": "2026-11-25", "override_reason": "Beside <them>\u202e"})
    assert refused.status_code == 422 and 'value="Beside &lt;them&gt;\u202e"' in refused.content.decode()
    lab.post(check_in, {"date": "2026-11-25", "override_reason": "I stand beside them"})
    reservation.refresh_from_db()
    assert reservation.state == "in_use"


def test_requests_without_a_licence_are_marked_in_the_inbox(cast, as_, ask, now):
    ask(9, 11)
    training.require_licence(cast.actor("wang"), cast.xrd.pk, True, now)
    assert "No licence" in words(as_("wang").get(reverse("approval_inbox")))


RULES = {
    "start_points": "100", "window_days": "365", "late_minutes": "15", "early_minutes": "30", "overtime_minutes": "15",
    "points_no_show": "30", "threshold_1_below": "80", "threshold_1_kind": "no_booking", "threshold_1_days": "7",
}  # fmt: skip


def test_rules_are_written_shown_again_and_switched_off(cast, as_):
    lab, page = as_("wang"), reverse("credit_rules")
    wrong = lab.post(page, RULES | {"threshold_1_days": ""})
    assert wrong.status_code == 422 and "for how many days" in words(wrong)
    assert lab.post(page, RULES).status_code == 302
    document = CreditRules.objects.get().document
    assert document["thresholds"] == [{"below": 80, "kind": "no_booking", "days": 7}] and document["points"] == {"no_show": 30}
    assert 'value="80"' in lab.get(page).content.decode()
    assert lab.get(page, {"owner": cast.firm.pk}).status_code == 404
    lab.post(page, {"action": "stop"})
    assert not CreditRules.objects.exists()
    as_("zhou").post(page, RULES | {"threshold_1_kind": "account_inactive"})
    assert CreditRules.objects.get().organisation is None


def test_counts_and_gains_are_written_said_in_sentences_and_shown_again(cast, as_):
    lab, page = as_("wang"), reverse("credit_rules")
    count = {"count_1_kind": "no_show", "count_1_times": "3", "count_1_within_days": "90", "count_1_leads_to": "no_booking",
             "count_1_days": "14"}  # fmt: skip
    wrong = lab.post(page, RULES | count | {"count_1_within_days": ""})
    assert wrong.status_code == 422 and 'value="14"' in wrong.content.decode()
    typed = RULES | count | {"gains_used": "1", "most_points": "110", "appeals_a_year": "3"}
    assert lab.post(page, typed).status_code == 302
    document = CreditRules.objects.get().document
    assert document["counts"] == [{"kind": "no_show", "times": 3, "within_days": 90, "leads_to": "no_booking", "days": 14}]
    assert (document["gains"], document["most_points"], document["appeals_a_year"]) == ({"used": 1}, 110, 3)
    shown = words(lab.get(page))
    assert "Did not come: 3 times within 90 days: No bookings for some days. For example" in shown
    assert "Used as booked: +1 points" in shown and "may appeal 3 times within a year" in shown
    form = lab.get(page).context["form"]
    again = {bound.html_name: value for bound in form if (value := bound.value()) not in (None, "", False)}
    lab.post(page, again)
    assert CreditRules.objects.get().document == document


def test_an_event_is_appealed_and_decided_by_a_colleague(cast, as_, approved, gao, clock, now):
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "points": {"no_show": 30}}, now)
    pk = approved(9, 11)
    clock.now = Reservation.objects.get(pk=pk).ends_at + timedelta(hours=1)
    transitions.mark_no_show(cast.actor("wang"), pk, clock.now)
    event = CreditEvent.objects.get()
    lin = as_("lin")
    assert "70 of 100 points" in words(lin.get(reverse("my_record")))
    appeal = reverse("credit_appeal", args=[event.pk])
    assert "Say why it should not count" in words(lin.post(appeal, {"text": ""}))
    lin.post(appeal, {"text": "The door was locked"})
    made = CreditAppeal.objects.get()
    decide = reverse("appeal_decide", args=[made.pk])
    own = as_("wang").get(reverse("credit_lab"))
    assert "You noted this yourself" in words(own)
    assert as_("wang").post(decide, {"decision": "grant", "answer": "x"}).status_code == 403
    assert "Write an answer" in words(as_("gao").post(decide, {"decision": "grant", "answer": ""}))
    as_("gao").post(decide, {"decision": "grant", "answer": "It was"})
    record = words(lin.get(reverse("my_record")))
    assert "Given back" in record and "It was" in record and "100 of 100 points" in record


def test_points_and_lists_on_the_labs_page(cast, as_):
    lab = as_("wang")
    note = {"organisation": cast.lab.pk, "email": "lin@example.org", "points": "0", "note": "Spill"}
    assert "at least 1" in words(lab.post(reverse("credit_note"), note))
    assert "counts once there are rules" in words(lab.get(reverse("credit_lab")))
    lab.post(reverse("credit_note"), note | {"points": "-5"})
    assert CreditEvent.objects.get().lab_points == -5
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "points": {"no_show": 30}}, cast.now)
    shown = words(lab.get(reverse("credit_lab")))
    assert "by Wang" in shown and "counts once there are rules" not in shown
    put = {
        "organisation": cast.lab.pk,
        "verdict": "deny",
        "email": "",
        "customer": "",
        "instrument": "",
        "until": "",
        "reason": "Broken stage",
    }
    assert "either a person" in words(lab.post(reverse("access_list_put"), put))
    lab.post(reverse("access_list_put"), put | {"email": "lin@example.org", "until": "2026-12-31"})
    entry = AccessListEntry.objects.get()
    assert "Broken stage" in words(as_("lin").get(reverse("my_record")))
    lab.post(reverse("access_list_end", args=[entry.pk]))
    assert "Broken stage" not in words(as_("lin").get(reverse("my_record")))


def test_a_day_beyond_the_calendar_is_refused_on_its_field(cast, as_):
    lab = as_("wang")
    grant = {
        "instrument": cast.xrd.pk,
        "email": "lin@example.org",
        "level": "self",
        "reference": "Z",
        "valid_until": "9999-12-31",
    }
    put = {
        "organisation": cast.lab.pk,
        "verdict": "deny",
        "email": "lin@example.org",
        "reason": "Broken stage",
        "until": "9999-12-31",
    }
    for name, form, field in (("licence_grant", grant, "valid_until"), ("access_list_put", put, "until")):
        answer = lab.post(reverse(name), form)
        assert answer.status_code == 422 and f'value="{form[field]}"' in answer.content.decode()
        assert "The year must be between" in words(answer)
    assert not Licence.objects.exists() and not AccessListEntry.objects.exists()


def test_saving_the_form_keeps_every_threshold_that_the_api_stored(cast, as_, now):
    thresholds = [{"below": 90 - 10 * place, "kind": "no_booking", "days": 1 + place} for place in range(6)]
    credit.set_rules(cast.actor("wang"), cast.lab.pk, {"start_points": 100, "points": {}, "thresholds": thresholds}, now)
    lab, page = as_("wang"), reverse("credit_rules")
    form = lab.get(page).context["form"]
    typed = {bound.html_name: value for bound in form if (value := bound.value()) not in (None, "", False)}
    assert lab.post(page, typed).status_code == 302
    assert CreditRules.objects.get().document["thresholds"] == thresholds
