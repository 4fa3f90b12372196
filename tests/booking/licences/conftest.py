"""A lab that teaches: a second manager, a course, a session tomorrow, and the instrument that needs a licence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.services import training
from booking.services.training import CourseFields
from config.kernel.access import Role
from config.kernel.time_range import TimeRange


@pytest.fixture
def gao(cast, now):
    """A second manager of the lab."""
    from instruments.models import Membership, User

    user = User.objects.create(email="gao@example.org", full_name="Gao", password="!", language="en")
    Membership.objects.create(user=user, organisation=cast.lab, role=Role.LAB_MANAGER, created_at=now)
    cast.users["gao"] = user
    return cast.actor("gao")


@pytest.fixture
def course(cast, now):
    fields = CourseFields("XRD alone", "self", validity_months=12, instrument_ids=(cast.xrd.pk,), require=True)
    return training.create_course(cast.actor("wang"), cast.lab.pk, fields, now)


@pytest.fixture
def session(cast, course, now):
    """Tomorrow, for two."""
    starts_at = now + timedelta(days=1)
    during = TimeRange(starts_at, starts_at + timedelta(hours=2))
    return training.plan_session(cast.actor("wang"), course.pk, during, "Room 3", 2, now)


@pytest.fixture
def licensed(cast, session, now):
    """``licensed("lin")``: a person who passed the course on the day of the session."""

    def make(name):
        enrolment = training.enrol(cast.actor(name), session.pk, now)
        training.record_attendance(cast.actor("wang"), enrolment.pk, True, session.starts_at)
        training.record_result(cast.actor("wang"), enrolment.pk, 80, "", session.ends_at)
        return cast.users[name].licences.get()

    return make
