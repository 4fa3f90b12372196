"""Asking a lab: two sides and nobody else, files by their content, promises in working days, mail in the same transaction."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils.translation import override
from PIL import Image

from billing.ordering.queries import may_quote
from billing.ordering.services import quotations
from billing.ordering.services.quotations import QuotationInput
from booking.models import Enquiry, EnquiryAttachment, EnquiryMessage
from booking.queries import enquiries as queries
from booking.services import enquiries, enquiry_files, reservations
from booking.services.enquiries import Question
from booking.services.enquiry_files import Attachment
from booking.services.reservations import ReservationRequest
from config.kernel.access import Role
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.invariants import registered
from config.kernel.models import AuditEntry
from instruments.models import Membership, Notice, Resource, ResourceRequest
from instruments.notice_events import words_of
from instruments.services import answer_time
from tests.booking.samples.conftest import Work, make_item

PDF = Attachment(b"%PDF-1.4 spectrum", "spectrum.pdf")


def codes(refusal) -> set[str]:
    return {reason.code for reason in refusal.value.reasons}


def mails() -> list[tuple[str, str, str]]:
    """(to, title, text and page) of what people were told."""
    told = []
    for notice in Notice.objects.select_related("user").order_by("pk"):
        with override(notice.user.language):
            words = words_of(notice.event, notice.params)
        told.append((notice.user.email, words.title, "\n".join((*words.lines, notice.path))))
    return told


def png(size=(8, 8)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#0e6f88").save(out, "PNG")
    return out.getvalue()


def test_a_question_waits_for_the_lab_with_its_promise_and_the_managers_get_a_mail(cast, ask):
    pk = ask()
    found = queries.enquiry_for(cast.actor("wang"), pk)
    assert (found.state, found.lab_id, found.organisation_id) == ("open", cast.lab.pk, cast.firm.pk)
    assert found.answer_due_at == cast.now + timedelta(days=1)  # Monday 09:00, one working day
    [(to, subject, text)] = mails()
    assert to == "wang@example.org" and "Gaoyuan Lithium asks: Wet salts" in subject
    assert "Can it measure wet salts?" in text and "2026" in text and f"/enquiries/{pk}/" in text


def test_an_answer_goes_back_to_who_asked_and_asking_on_waits_anew(cast, ask, write):
    pk = ask()
    later = cast.now + timedelta(hours=5)
    write("wang", pk, now=later)
    found = Enquiry.objects.get(pk=pk)
    assert (found.state, found.waiting_since, found.answer_due_at) == ("answered", None, None)
    assert mails()[-1][0] == "lin@example.org" and "Kunlun Institute answers" in mails()[-1][1]
    again = cast.now + timedelta(days=2)
    write("zhao", pk, "And 30 %?", now=again)  # a colleague goes on
    found.refresh_from_db()
    assert (found.state, found.waiting_since) == ("open", again)
    write("wang", pk, "No.", now=again)
    assert {to for to, _subject, _text in mails()[-2:]} == {"lin@example.org", "zhao@example.org"}


def test_what_waits_goes_on_waiting_since_its_first_unanswered_message(cast, ask, write):
    pk = ask()
    write("lin", pk, "It is urgent.", now=cast.now + timedelta(hours=20))
    found = queries.enquiry_for(cast.actor("wang"), pk)
    waiting = queries.waiting_of([found], cast.now + timedelta(hours=26))[found.pk]
    assert (waiting.since, waiting.age_minutes, waiting.promise_minutes, waiting.overdue) == (cast.now, 1560, 1440, True)


def test_a_closed_question_takes_no_answer_and_is_opened_by_asking(cast, ask, write):
    pk = ask()
    enquiries.close(cast.actor("wang"), pk, cast.now)
    with pytest.raises(Refusal) as refused:
        write("wang", pk)
    assert codes(refused) == {"enquiry.illegal_transition"}
    write("lin", pk, "One more thing.")
    assert Enquiry.objects.get(pk=pk).state == "open"


@pytest.mark.parametrize("who", ["he", "chen", "qian", "wu", "zhou"])
def test_others_find_no_thread_no_message_and_no_file(cast, ask, who):
    pk = ask(files=[PDF])
    actor, attachment = cast.actor(who), EnquiryAttachment.objects.get()
    assert list(queries.enquiries_visible(actor)) == []
    for attempt in (
        lambda: queries.enquiry_for(actor, pk),
        lambda: enquiries.write(actor, pk, "x", (), cast.now, idempotency_key="k"),
        lambda: enquiries.close(actor, pk, cast.now),
        lambda: enquiries.mark_seen(actor, pk),
        lambda: enquiry_files.attached_file(actor, attachment.pk),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_the_labs_finance_reads_and_does_not_answer(cast, ask):
    pk = ask()
    assert queries.enquiry_for(cast.actor("li"), pk).pk == pk
    assert not queries.may_write(cast.actor("li"), queries.enquiry_for(cast.actor("li"), pk))
    with pytest.raises(Forbidden):
        enquiries.write(cast.actor("li"), pk, "x", (), cast.now, idempotency_key="k")


def test_both_sides_load_the_files_as_they_came_and_pictures_without_their_metadata(cast, ask, write):
    table = Attachment("批号,锂\nQ-1,168.2\n".encode("gb18030"), "../../batch.csv")
    pk = ask(files=[PDF, table])
    write("wang", pk, "See the picture.", [Attachment(png() + b"appended", "photo.png")])
    for who in ("lin", "zhao", "wang", "li"):
        read = [enquiry_files.attached_file(cast.actor(who), each.pk) for each in EnquiryAttachment.objects.order_by("pk")]
        assert [stored.file_name for stored, _content in read] == ["spectrum.pdf", "batch.csv", "photo.png"]
        assert (read[0][1], read[1][1]) == (PDF.content, table.content)
        assert b"appended" not in read[2][1]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([Attachment(b"MZ\x90", "tool.exe")], "enquiry.file_type"),
        ([Attachment(b"<html>", "page.html")], "enquiry.file_type"),
        ([Attachment(b"\x00\x01", "data.csv")], "enquiry.file_type"),
        ([Attachment(b"no zip", "table.xlsx")], "enquiry.file_type"),
        ([Attachment(b"", "empty.pdf")], "upload.empty"),
        ([Attachment(b"%PDF" + b"x" * 2000, "big.pdf")], "upload.too_big"),
        ([PDF] * 6, "enquiry.too_many_files"),
    ],
)
def test_files_that_are_not_taken_leave_no_thread_behind(cast, ask, settings, files, code):
    settings.MAX_UPLOAD_BYTES = 1024
    with pytest.raises(Refusal) as refused:
        ask(files=files)
    assert codes(refused) == {code} and refused.value.reasons[0].field == "attachments"
    assert not Enquiry.objects.exists() and mails() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subject": "  "}, "enquiry.subject_missing"),
        ({"text": ""}, "enquiry.text_missing"),
        ({"text": "x" * 4001}, "name.too_long"),
        ({"subject": "a\u202eb"}, "name.direction_control"),
        ({"organisation_id": 0}, "enquiry.organisation_missing"),
        ({"instrument_id": None}, "enquiry.about_one_thing"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(cast, change, code):
    given = {"organisation_id": cast.firm.pk, "subject": "s", "text": "t", "instrument_id": cast.xrd.pk} | change
    with pytest.raises(Refusal) as refused:
        enquiries.ask(cast.actor("lin"), Question(**given), (), cast.now, idempotency_key="k")
    assert code in codes(refused)
    assert not Enquiry.objects.exists()


def test_every_fault_is_told_at_once(cast):
    with pytest.raises(Refusal) as refused:
        enquiries.ask(cast.actor("lin"), Question(0, "", "", cast.xrd.pk), (), cast.now, idempotency_key="k")
    assert codes(refused) == {"enquiry.organisation_missing", "enquiry.subject_missing", "enquiry.text_missing"}


def test_one_asks_for_ones_own_organisation_and_not_a_lab_that_one_manages(cast):
    with pytest.raises(Forbidden):
        enquiries.ask(cast.actor("lin"), Question(cast.other_firm.pk, "s", "t", cast.xrd.pk), (), cast.now, idempotency_key="k")
    Membership.objects.create(user=cast.users["wang"], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    with pytest.raises(Refusal) as refused:
        enquiries.ask(cast.actor("wang"), Question(cast.lab.pk, "s", "t", cast.xrd.pk), (), cast.now, idempotency_key="k")
    assert codes(refused) == {"enquiry.own_lab"}
    assert queries.asking_organisations(cast.actor("wang"), cast.lab.pk) == []


def test_somebody_of_the_house_asks_its_lab_and_a_manager_who_also_uses_it_answers(cast):
    for name in ("wu", "wang"):
        Membership.objects.create(user=cast.users[name], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    wu, wang = cast.actor("wu"), cast.actor("wang")
    assert queries.may_ask(wu, cast.lab.pk) and not queries.may_ask(wang, cast.lab.pk)
    assert queries.asking_organisations(wu, cast.lab.pk) == [cast.lab]
    pk = enquiries.ask(wu, Question(cast.lab.pk, "s", "t", cast.xrd.pk), (), cast.now, idempotency_key="k").pk
    assert {each.pk for each in queries.lab_enquiries(wang)} == {pk}
    found = queries.enquiry_for(wang, pk)
    assert queries.side_of(wang, found) == "lab" and queries.side_of(wu, found) == "customer"
    enquiries.write(wang, pk, "Yes.", (), cast.now, idempotency_key="a")
    found = queries.enquiry_for(wu, pk)
    assert found.state == "answered" and [each.side for each in found.messages.all()] == ["customer", "lab"]
    assert not may_quote(wang, found)
    offer = QuotationInput("Own", cast.now.date(), ())
    with pytest.raises(Refusal, match=r"quotation\.own_house"):
        quotations.draft(wang, pk, offer, cast.now, idempotency_key="q")


def test_the_same_call_twice_asks_once_and_another_under_its_key_is_refused(cast, ask, write):
    assert ask(key="a") == ask(key="a")
    with pytest.raises(Refusal) as refused:
        ask(key="a", text="Something else?")
    assert codes(refused) == {"idempotency.other_payload"}
    assert Enquiry.objects.count() == 1
    pk = Enquiry.objects.get().pk
    assert write("wang", pk, key="b").pk == write("wang", pk, key="b").pk
    assert EnquiryMessage.objects.count() == 2 and len(mails()) == 2


def test_a_test_item_and_a_request_for_it_can_be_asked_about(cast, ask):
    item = Resource.objects.create(
        kind="test_item", organisation=cast.lab, name="Li in brine", published=True, created_at=cast.now, updated_at=cast.now
    )
    request = ResourceRequest.objects.create(
        resource=item, organisation=cast.firm, requested_by=cast.users["lin"], state="requested", purpose="p",
        terms_accepted_at=cast.now, requested_at=cast.now,
    )  # fmt: skip
    assert Enquiry.objects.get(pk=ask(resource_id=item.pk)).lab_id == cast.lab.pk
    assert Enquiry.objects.get(pk=ask(resource_request_id=request.pk)).resource_request_id == request.pk
    with pytest.raises(NotFound):
        ask(who="he", resource_request_id=request.pk)


def test_unread_marks_are_ones_own_and_go_when_the_thread_is_read(cast, ask, write):
    pk = ask()
    lin, zhao, wang = cast.actor("lin"), cast.actor("zhao"), cast.actor("wang")
    assert [queries.unread_count(each) for each in (lin, zhao, wang)] == [0, 1, 1]
    enquiries.mark_seen(wang, pk)
    write("wang", pk)
    assert [queries.unread_count(each) for each in (lin, zhao, wang)] == [1, 1, 0]
    enquiries.mark_seen(lin, pk)
    enquiries.mark_seen(lin, pk)
    assert [queries.unread_count(each) for each in (lin, zhao, wang)] == [0, 1, 0]


def test_the_labs_list_begins_with_what_is_due_first(cast, ask, write):
    old, new, done = ask(now=cast.now - timedelta(days=3)), ask(), ask(who="he")
    write("wang", done)
    assert [row.pk for row in queries.lab_enquiries(cast.actor("wang"))] == [old, new, done]
    assert queries.waiting_count(cast.actor("wang")) == 2


def test_a_need_becomes_one_thread_for_each_lab_and_no_lab_sees_the_others(cast, post_need, second_lab, write):
    need, threads = queries.need_for(cast.actor("lin"), post_need())
    assert (need.asked, need.waiting, len(threads)) == (2, 2, 2)
    [to_bo] = queries.lab_enquiries(cast.actor("bo"))
    assert to_bo.lab_id == second_lab.pk
    write("bo", to_bo.pk, "We do.")
    need, threads = queries.need_for(cast.actor("zhao"), need.pk)
    assert (need.asked, need.waiting) == (2, 1)
    for who in ("wang", "bo", "he"):
        with pytest.raises(NotFound):
            queries.need_for(cast.actor(who), need.pk)
    other = next(row for row in threads if row.lab_id == cast.lab.pk)
    with pytest.raises(NotFound):
        queries.enquiry_for(cast.actor("bo"), other.pk)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"labs": ()}, "enquiry.labs_missing"),
        ({"region_code": "999999"}, "enquiry.region_unknown"),
        ({"region_code": "630122"}, "codes.division_replaced"),
        ({"labs": tuple(range(1, 13))}, "enquiry.too_many_labs"),
    ],
)
def test_a_need_that_cannot_be_posted_asks_nobody(cast, post_need, fields, code):
    with pytest.raises(Refusal) as refused:
        post_need(**fields)
    assert code in codes(refused) or isinstance(refused.value, NotFound)
    assert not Enquiry.objects.exists()


def test_a_need_goes_to_owners_only(cast, post_need):
    with pytest.raises(NotFound):
        post_need(labs=(cast.other_firm.pk,))


@pytest.mark.parametrize("who", ["lin", "wang"])
def test_a_question_that_is_closed_needs_nobody(cast, ask, who):
    pk = ask()
    asked = Notice.objects.filter(event="enquiry.asked", needs_action=True)
    assert asked.get().object_id == str(pk)
    enquiries.close(cast.actor(who), pk, cast.now)
    assert not asked.exists()


def test_a_lab_promises_by_itself_how_soon_it_answers(cast, ask):
    answer_time.set_answer_workdays(cast.actor("wang"), cast.lab.pk, 3, cast.now)
    friday = datetime(2026, 11, 27, 2, tzinfo=UTC)
    assert Enquiry.objects.get(pk=ask(now=friday)).answer_due_at == datetime(2026, 12, 2, 2, tzinfo=UTC)
    assert AuditEntry.objects.get(action="organisation.answer_workdays").after == {"answer_workdays": 3}
    for who, workdays, error in (("wang", 0, Refusal), ("wang", 31, Refusal), ("li", 2, Forbidden), ("he", 2, Forbidden)):
        with pytest.raises(error):
            answer_time.set_answer_workdays(cast.actor(who), cast.lab.pk, workdays, cast.now)


@pytest.mark.parametrize("workdays", [1, 5])
def test_a_question_is_overdue_by_the_promise_that_was_shown_not_by_the_one_of_today(cast, ask, workdays):
    """Raised or lowered while the thread is open: two working days were promised, from Monday on."""
    answer_time.set_answer_workdays(cast.actor("wang"), cast.lab.pk, 2, cast.now)
    pk = ask()
    answer_time.set_answer_workdays(cast.actor("wang"), cast.lab.pk, workdays, cast.now)
    due = cast.now + timedelta(days=2)
    for moment, overdue in ((due - timedelta(minutes=1), False), (due, True)):
        waiting = queries.waiting_of([Enquiry.objects.get(pk=pk)], moment)[pk]
        assert (waiting.due_at, waiting.promise_minutes, waiting.overdue) == (due, 2 * 1440, overdue)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE booking_enquirymessage SET text = 'x'",
        "DELETE FROM booking_enquiryattachment",
        "UPDATE booking_enquiry SET waiting_since = NULL",
        "UPDATE booking_enquiry SET instrument_id = NULL",
        "UPDATE booking_enquiry SET state = 'lost'",
    ],
)
def test_the_database_refuses_what_must_not_happen(cast, ask, statement):
    ask(files=[PDF])
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# --- About a booking or a sample job, by either side ------------------------------------------------------------------
def booked(cast, slot):
    """The id of a booking that Lin asked for."""
    asked = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 11), "self_operated")
    return reservations.reserve(cast.actor("lin"), asked, cast.now, idempotency_key="booked").reservation_id


@pytest.fixture(params=["reservation_id", "sample_job_id"])
def both(request, cast, programmes, slot):
    """What is of both sides, as a question names it."""
    of_booking = request.param == "reservation_id"
    return {request.param: booked(cast, slot) if of_booking else Work(cast, make_item(cast)).ask().pk}


def told(who, event):
    return Notice.objects.filter(user__email=f"{who}@example.org", event=event).count()


def test_the_customer_asks_about_what_it_booked_or_sent_and_a_colleague_may_too(cast, ask, write, both):
    pk = ask(who="zhao", **both)
    thread = Enquiry.objects.get(pk=pk)
    assert (thread.lab_id, thread.state, thread.waiting_since) == (cast.lab.pk, "open", cast.now)
    assert told("wang", "enquiry.asked") == 1 and told("lin", "enquiry.asked") == 0
    write("wang", pk)
    assert (told("zhao", "enquiry.answered"), told("lin", "enquiry.answered")) == (1, 1), "who asked for it hears of it too"


def test_the_lab_may_begin_and_who_asked_for_it_answers(cast, ask, write, both):
    pk = ask(who="wang", **both)
    thread = Enquiry.objects.get(pk=pk)
    assert (thread.state, thread.waiting_since, thread.organisation_id) == ("answered", None, cast.firm.pk)
    assert thread.messages.get().side == "lab"
    assert (told("lin", "enquiry.asked_by_lab"), told("zhao", "enquiry.asked_by_lab"), told("wang", "enquiry.asked")) == (1, 0, 0)
    write("lin", pk, "Dry, as powder.")
    assert Enquiry.objects.get(pk=pk).state == "open" and told("wang", "enquiry.asked") == 1
    write("wang", pk, "Good.")
    assert told("lin", "enquiry.answered") == 1 and told("lin", "enquiry.asked_by_lab") == 1
    assert registered()["booking.enquiries_follow_their_messages"]().violations == ()


def test_a_manager_whom_a_colleague_asks_about_her_own_job_answers_as_who_asked_for_it(cast, programmes, ask, write):
    for name in ("wu", "wang"):
        Membership.objects.create(user=cast.users[name], organisation=cast.lab, role=Role.RESEARCHER, created_at=cast.now)
    Membership.objects.create(user=cast.users["wu"], organisation=cast.lab, role=Role.LAB_MANAGER, created_at=cast.now)
    job = Work(cast, make_item(cast)).ask(who="wu", firm=cast.lab)
    pk = ask(who="wang", firm=cast.lab, sample_job_id=job.pk)
    assert told("wu", "enquiry.asked_by_lab") == 1
    found = queries.enquiry_for(cast.actor("wu"), pk)
    assert queries.side_of(cast.actor("wu"), found) == "customer" and queries.side_of(cast.actor("wang"), found) == "lab"
    write("wu", pk, "Dry, as powder.")
    assert Enquiry.objects.get(pk=pk).state == "open" and told("wang", "enquiry.asked") == 1
    write("wang", pk, "Good.")
    assert Enquiry.objects.get(pk=pk).state == "answered" and told("wu", "enquiry.answered") == 1
    assert registered()["booking.enquiries_follow_their_messages"]().violations == ()


def test_a_lab_begins_about_nothing_else(cast, ask):
    with pytest.raises(Forbidden):
        ask(who="wang")


@pytest.mark.parametrize("who", ["he", "zhou", "wu"])
def test_others_ask_nothing_about_what_is_not_theirs(cast, ask, both, who):
    with pytest.raises((NotFound, Forbidden)) as refused:
        ask(who=who, firm=cast.other_firm if who == "he" else cast.firm, **both)
    assert not Enquiry.objects.exists()
    if who == "he":
        assert isinstance(refused.value, NotFound)


def test_nobody_asks_in_the_name_of_another_customer_than_its_own(cast, ask, both):
    for who in ("lin", "wang"):
        with pytest.raises(NotFound):
            ask(who=who, firm=cast.other_firm, **both)


def test_the_labs_finance_reads_about_a_booking_and_does_not_begin(cast, ask, both):
    with pytest.raises(Forbidden):
        ask(who="li", **both)
    pk = ask(**both)
    assert queries.enquiry_for(cast.actor("li"), pk).pk == pk


def test_threads_about_one_booking_are_found_by_both_sides_and_by_nobody_else(cast, ask, both):
    first, second = ask(**both), ask(who="wang", **both)
    for who, side in (("lin", "customer"), ("wang", "lab"), ("li", None), ("he", None)):
        found = queries.asking_about(cast.actor(who), cast.firm.pk, cast.lab.pk, cast.users["lin"].pk, **both)
        assert {each.pk for each in found.threads} == (set() if who == "he" else {first, second})
        assert found.side == side
    own = (cast.lab.pk, cast.lab.pk)
    assert queries.asking_about(cast.actor("wang"), *own, cast.users["wang"].pk, **both).side is None
    assert queries.asking_about(cast.actor("wang"), *own, cast.users["li"].pk, **both).side == "lab"


def test_the_database_knows_that_a_thread_is_about_one_thing(cast, ask, both):
    pk = ask(**both)
    with pytest.raises(IntegrityError), transaction.atomic():
        Enquiry.objects.filter(pk=pk).update(instrument=cast.xrd)
