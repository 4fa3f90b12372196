"""Who is told is worded by hand or by the ORM, and either way it is the same people."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from booking.services.notices import told_managers
from config.kernel.access import Role
from instruments.models import User
from instruments.services.notices import _told, holders, person

pytestmark = pytest.mark.django_db


def test_it_is_the_same_people_whoever_words_it(cast):
    wang, lin, zhao, he = (cast.users[name].pk for name in ("wang", "lin", "zhao", "he"))
    User.objects.filter(pk=he).update(is_active=False)
    managers, anywhere = holders(Role.LAB_MANAGER, cast.lab.pk), holders(Role.RESEARCHER)
    by_hand = {
        "named": (person(lin, zhao, None), {lin, zhao}),
        "nobody": (person(), set()),
        "one who may not log in": (person(he, lin), {lin}),
        "by role": (managers, {wang}),
        "by role anywhere": (anywhere, {lin}),
        "either": (managers | person(lin), {wang, lin}),
        "both": (managers & person(lin, wang), {wang}),
        "but for one": ((managers | person(lin)) & ~person(wang), {lin}),
        "but for nobody": (managers & ~person(), {wang}),
        "neither": (~(managers | ~person(lin, wang)), {lin}),
        "who is not away": (told_managers(cast.lab.pk, cast.now), {wang}),
    }
    by_the_orm = {
        "by a fact": (Q(email__startswith="lin"), {lin}),
        "by a query": (Q(pk__in=User.objects.filter(pk__in=[lin, he])), {lin}),
        "by a fact beside a role": (managers | Q(email__startswith="lin"), {wang, lin}),
        "one or the other": (managers ^ person(wang, lin), {lin}),
    }
    for cases, worded in ((by_hand, True), (by_the_orm, False)):
        for name, (to, expected) in cases.items():
            with CaptureQueriesContext(connection) as captured:
                assert {one.pk for one in _told(to)} == expected, name
            assert set(User.objects.filter(to, is_active=True).values_list("pk", flat=True)) == expected, name
            hand = all("instruments_user u " in one["sql"] for one in captured)
            assert hand is worded, name
