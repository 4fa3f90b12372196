"""Courses, sessions, waiting lists, attendance and results."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.models import Enrolment, InstrumentPolicy, Licence, TrainingCourse
from booking.queries import licences as queries
from booking.services import policies, training
from booking.services.policies import Scope
from booking.services.training import CourseFields
from config.kernel.errors import Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from config.kernel.time_range import TimeRange

pytestmark = pytest.mark.django_db


def state(enrolment):
    return Enrolment.objects.get(pk=enrolment.pk).state


def test_a_course_makes_a_licence_necessary_where_it_says_so(cast, course):
    assert InstrumentPolicy.objects.get(instrument=cast.xrd).rules == {"licence_needed": True}
    assert [scope.instrument_id for scope in course.scopes.all()] == [cast.xrd.pk]


def test_the_need_is_one_word_more_in_the_rules_of_the_instrument_and_can_be_taken_back(cast, now):
    InstrumentPolicy.objects.create(instrument=cast.xrd, notice_minutes=5)
    wang = cast.actor("wang")
    training.require_licence(wang, cast.xrd.pk, True, now)
    policy = InstrumentPolicy.objects.get(instrument=cast.xrd)
    assert (policy.notice_minutes, policy.rules) == (5, {"licence_needed": True})
    training.require_licence(wang, cast.xrd.pk, False, now)
    assert InstrumentPolicy.objects.get(instrument=cast.xrd).rules == {}
    policies.say(wang, Scope(cast.lab.pk), {"licence_needed": True}, now)
    with pytest.raises(Refusal, match=r"training\.needed_by_other_layer"):
        training.require_licence(wang, cast.xrd.pk, False, now)
    with pytest.raises(Forbidden):
        training.require_licence(cast.actor("lin"), cast.xrd.pk, False, now)


def test_a_course_is_refused_with_every_reason_and_by_who_may_not(cast, now):
    fields = CourseFields(
        " ", "expert", validity_months=0, unused_months=999, pass_mark=101, instrument_ids=(987,), class_codes=("x",)
    )
    with pytest.raises(Refusal) as refused:
        training.create_course(cast.actor("wang"), cast.lab.pk, fields, now)
    assert [reason.field for reason in refused.value.reasons] == [
        "title", "level", "validity_months", "unused_months", "pass_mark", "class_codes", "instruments",
    ]  # fmt: skip
    for name in ("lin", "li", "he"):
        with pytest.raises(Forbidden):
            training.create_course(cast.actor(name), cast.lab.pk, CourseFields("A", "self"), now)
    assert not TrainingCourse.objects.exists()


def test_a_course_is_written_anew(cast, course, now):
    fields = CourseFields("Diffraction", "assisted", class_codes=("0103",), active=False)
    changed = training.change_course(cast.actor("wang"), course.pk, fields, now)
    assert [scope.class_code for scope in changed.scopes.all()] == ["0103"]
    with pytest.raises(NotFound):  # what is not offered is the lab's own business
        queries.course_for(cast.actor("lin"), course.pk)


def test_places_go_to_who_comes_first_and_a_place_given_back_to_who_waits_longest(cast, session, now):
    first, second = (training.enrol(cast.actor(name), session.pk, now) for name in ("lin", "zhao"))
    third = training.enrol(cast.actor("he"), session.pk, now + timedelta(minutes=1))
    fourth = training.enrol(cast.actor("li"), session.pk, now + timedelta(minutes=2))
    assert [one.state for one in (first, second, third, fourth)] == ["enrolled", "enrolled", "waiting", "waiting"]
    assert training.enrol(cast.actor("lin"), session.pk, now).pk == first.pk
    training.withdraw(cast.actor("lin"), first.pk, now)
    assert [state(one) for one in (first, third, fourth)] == ["withdrawn", "enrolled", "waiting"]
    training.withdraw(cast.actor("li"), fourth.pk, now)
    training.withdraw(cast.actor("zhao"), second.pk, now)
    assert [state(one) for one in (second, third, fourth)] == ["withdrawn", "enrolled", "withdrawn"]


def test_nobody_enrols_in_what_has_begun_or_is_not_held(cast, session, now):
    with pytest.raises(Refusal, match=r"training\.session_begun"):
        training.enrol(cast.actor("lin"), session.pk, session.starts_at)
    mine = training.enrol(cast.actor("lin"), session.pk, now)
    with pytest.raises(Refusal, match=r"training\.session_begun"):
        training.withdraw(cast.actor("lin"), mine.pk, session.starts_at)
    with pytest.raises(Refusal, match=r"training\.reason_missing"):
        training.call_off_session(cast.actor("wang"), session.pk, " ", now)
    training.call_off_session(cast.actor("wang"), session.pk, "Leak", now)
    assert state(mine) == "called_off"
    with pytest.raises(Refusal, match=r"training\.session_called_off"):
        training.enrol(cast.actor("lin"), session.pk, now)


def test_a_session_needs_a_place_a_future_and_a_number(cast, course, now):
    with pytest.raises(Refusal) as refused:
        training.plan_session(cast.actor("wang"), course.pk, TimeRange(now, now + timedelta(days=40)), "", 0, now)
    assert {reason.field for reason in refused.value.reasons} == {"place", "starts_at", "ends_at", "places"}


def test_a_passed_exam_grants_the_licence_for_as_long_as_the_course_says(cast, licensed, session):
    licence = licensed("lin")
    assert (licence.level, licence.instrument_id, licence.state) == ("self", cast.xrd.pk, "valid")
    assert licence.valid_until == session.ends_at.replace(year=session.ends_at.year + 1)
    assert licence.enrolment.score == 80 and licence.granted_by == cast.users["wang"]
    assert AuditEntry.objects.filter(action="licence.grant", object_id=str(licence.pk)).exists()


def test_a_failed_exam_grants_nothing_and_one_can_enrol_again(cast, session, now):
    mine = training.enrol(cast.actor("lin"), session.pk, now)
    with pytest.raises(Refusal, match=r"training\.session_not_begun"):
        training.record_attendance(cast.actor("wang"), mine.pk, True, now)
    with pytest.raises(Refusal, match=r"training\.illegal_step"):
        training.record_result(cast.actor("wang"), mine.pk, 90, "", session.ends_at)
    training.record_attendance(cast.actor("wang"), mine.pk, True, session.starts_at)
    for score in (-1, 101):
        with pytest.raises(Refusal, match=r"training\.number_out_of_range"):
            training.record_result(cast.actor("wang"), mine.pk, score, "", session.ends_at)
    training.record_result(cast.actor("wang"), mine.pk, 59, "Vacuum!", session.ends_at)
    assert state(mine) == "failed" and not Licence.objects.exists()


def test_only_the_lab_notes_who_came_and_nobody_examines_themselves(cast, session, now):
    mine = training.enrol(cast.actor("lin"), session.pk, now)
    own = training.enrol(cast.actor("wang"), session.pk, now)
    with pytest.raises(Forbidden):
        training.record_attendance(cast.actor("lin"), mine.pk, True, session.starts_at)
    with pytest.raises(NotFound):
        training.record_attendance(cast.actor("he"), mine.pk, True, session.starts_at)
    training.record_attendance(cast.actor("wang"), own.pk, True, session.starts_at)
    with pytest.raises(Forbidden, match=r"training\.own_result"):
        training.record_result(cast.actor("wang"), own.pk, 100, "", session.ends_at)


def test_the_page_of_the_instrument_tells_the_way(cast, course, session, now, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        way = queries.way_to_a_licence(cast.actor("lin"), cast.xrd, now)
    assert (way.needed, way.alone, [one.pk for one in way.courses]) == (True, False, [course.pk])
    mine = training.enrol(cast.actor("lin"), session.pk, now)
    way = queries.way_to_a_licence(cast.actor("lin"), cast.xrd, now)
    assert way.needed and way.mine == {session.pk: mine}
    assert [(one.taken, one.waiting) for one in way.courses[0].coming] == [(1, 0)]


@pytest.mark.parametrize(
    ("codes", "shown"), [(("01",), True), (("0103",), True), (("010301",), True), (("0104",), False), ((), True)]
)
def test_a_course_for_a_class_or_for_all_is_shown_where_it_counts(cast, now, codes, shown):
    training.create_course(cast.actor("wang"), cast.lab.pk, CourseFields("All", "self", class_codes=codes), now)
    assert bool(queries.courses_for(cast.actor("lin"), cast.xrd, now)) is shown
