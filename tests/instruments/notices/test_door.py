"""The one door: who is told, what is written in the transaction, what is not."""

from __future__ import annotations

import re
from collections import Counter
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.db import transaction
from django.utils.translation import override
from procrastinate.contrib.django.models import ProcrastinateJob

from booking.models import Reservation
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.access import NOBODY, Role
from config.kernel.errors import Refusal
from config.kernel.services.silence import silence
from instruments.models import Delivery, Notice, NoticeSettings
from instruments.notice_events import event_name, events, groups, public_events, words_of
from instruments.queries import notices as queries
from instruments.services import notices
from instruments.services.notices import News, holders, person, tell

pytestmark = pytest.mark.django_db
ROOT = Path(settings.BASE_DIR)
ZONE = ZoneInfo("Asia/Shanghai")


def ask(cast: Any, during: Any, key: str = "k") -> int:
    wanted = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated")
    return reservations.reserve(cast.actor("lin"), wanted, cast.now, idempotency_key=key).reservation_id


def everything() -> tuple[int, int, int]:
    return Notice.objects.count(), Delivery.objects.count(), ProcrastinateJob.objects.filter(queue_name="mail").count()


def test_a_request_is_told_to_the_lab_and_its_approval_to_the_customer(cast, slot):
    pk = ask(cast, slot(9, 12))
    first = Notice.objects.get()
    transitions.approve(cast.actor("wang"), pk, cast.now)
    second = Notice.objects.exclude(pk=first.pk).get()
    assert (first.event, first.user, first.group, first.needs_action) == (
        "reservation.requested", cast.users["wang"], "lab", True,
    )  # fmt: skip
    assert (second.event, second.user, second.lab) == ("reservation.approved", cast.users["lin"], cast.lab)
    assert second.path == f"/bookings/{pk}/"
    assert everything() == (2, 2, 2)
    jobs = ProcrastinateJob.objects.filter(task_name="notices.deliver").order_by("id")
    assert [set(job.args) for job in jobs] == [{"delivery_id"}, {"delivery_id"}]


def test_what_is_rolled_back_tells_nobody(cast, slot):
    with pytest.raises(RuntimeError), transaction.atomic():
        ask(cast, slot(9, 12))
        assert everything() == (1, 1, 1)
        raise RuntimeError
    assert everything() == (0, 0, 0)


def test_a_refused_change_tells_nobody(cast, slot):
    pk = ask(cast, slot(9, 12))
    before = everything()
    with pytest.raises(Refusal):
        transitions.reject(cast.actor("wang"), pk, cast.now, " ")
    assert everything() == before


def test_a_cancellation_is_told_to_both_sides(cast, slot):
    pk = ask(cast, slot(9, 12))
    transitions.cancel(cast.actor("lin"), pk, cast.now, "we are ill")
    told = {(one.event, one.user.email) for one in Notice.objects.exclude(event="reservation.requested")}
    assert told == {("reservation.cancelled", "lin@example.org"), ("lab.reservation_cancelled", "wang@example.org")}
    with override("en"):
        words = words_of("reservation.cancelled", Notice.objects.get(event="reservation.cancelled").params)
    assert "Reason: we are ill" in words.lines


def test_who_may_not_log_in_is_not_told_and_nobody_twice(cast):
    cast.users["lin"].is_active = False
    cast.users["lin"].save()
    people = (
        person(cast.users["lin"].pk, cast.users["wang"].pk) | holders(Role.LAB_MANAGER, cast.lab.pk) | holders(Role.LAB_MANAGER)
    )
    assert tell(News("organisation.verified", {"organisation": "Kunlun"}), people, cast.now) == 1


def test_loading_the_past_tells_nobody(cast):
    with silence():
        assert tell(News("organisation.verified", {"organisation": "K"}), person(cast.users["lin"].pk), cast.now) == 0
        notices.mail_to("x@example.org", "account.mail", "Hello", "Text", cast.now)
    assert everything() == (0, 0, 0)


def test_the_jobs_are_those_that_the_library_makes(cast):
    later = cast.now + timedelta(hours=9)
    tell(News("organisation.verified", {"organisation": "Kunlun"}), person(cast.users["lin"].pk, cast.users["zhao"].pk), cast.now)
    told = Delivery.objects.order_by("pk")
    jobs = ProcrastinateJob.objects.order_by("pk")
    assert [job.args for job in jobs] == [{"delivery_id": one.pk} for one in told] != []

    def written() -> list[dict[str, Any]]:
        return list(jobs.values("queue_name", "task_name", "priority", "lock", "queueing_lock", "args", "status", "scheduled_at"))

    by_hand = written()
    ProcrastinateJob.objects.all().delete()
    notices.defer_deliveries([(one.pk, one.due_at) for one in told], cast.now)
    assert written() == by_hand
    ProcrastinateJob.objects.all().delete()
    NoticeSettings.objects.create(
        user=cast.users["lin"], time_zone="Asia/Shanghai", quiet_from=time(0), quiet_until=later.astimezone(ZONE).time()
    )
    tell(News("organisation.verified", {"organisation": "Kunlun"}), person(cast.users["lin"].pk), cast.now)
    assert [job.scheduled_at for job in jobs.all()] == [later] == [told.all().last().due_at]


def test_telling_costs_two_statements_for_one_person_and_for_many(cast, django_assert_num_queries):
    news = News("organisation.verified", {"organisation": "Kunlun"})
    with django_assert_num_queries(2):
        tell(news, person(cast.users["lin"].pk), cast.now)
    with django_assert_num_queries(2):
        tell(news, person(*(user.pk for user in cast.users.values())), cast.now)
    lin = cast.actor("lin")
    with django_assert_num_queries(1):
        assert queries.unread_count(lin) == 2


def test_notices_are_counted_marked_and_kept_apart(cast):
    lin, zhao = cast.actor("lin"), cast.actor("zhao")
    for _ in range(3):
        tell(News("organisation.verified", {"organisation": "K"}), person(lin.user_id, zhao.user_id), cast.now)
    of_zhao = queries.my_notices(zhao).first()
    assert notices.mark_read(lin, [of_zhao.pk, queries.my_notices(lin).first().pk], cast.now) == 1
    assert (queries.unread_count(lin), queries.unread_count(zhao)) == (2, 3)
    assert notices.mark_read(lin, None, cast.now + timedelta(hours=1)) == 2
    assert queries.unread_count(lin) == 0
    assert not queries.my_notices(NOBODY).exists()


def test_what_somebody_has_answered_waits_for_nobody_any_more(cast, slot):
    pk, other = ask(cast, slot(9, 12)), ask(cast, slot(13, 15), "k2")
    assert queries.unread_count(cast.actor("wang")) == 2
    transitions.approve(cast.actor("wang"), pk, cast.now)
    (left,) = queries.my_notices(cast.actor("wang"), queries.NoticeFilter("unread"))
    assert left.object_id == str(other)
    assert queries.unread_count(cast.actor("lin")) == 1


def test_what_somebody_has_answered_needs_nobody_whether_read_or_not(cast, slot):
    wang, needs_me = cast.actor("wang"), queries.NoticeFilter("action")
    pk, other = ask(cast, slot(9, 12)), ask(cast, slot(13, 15), "k2")
    notices.mark_read(wang, None, cast.now)
    assert queries.my_notices(wang, needs_me).count() == 2
    later = cast.now + timedelta(minutes=5)
    transitions.approve(wang, pk, later)
    (left,) = queries.my_notices(wang, needs_me)
    assert left.object_id == str(other)
    dealt_with = Notice.objects.get(user=cast.users["wang"], object_id=str(pk))
    assert (dealt_with.needs_action, dealt_with.read_at) == (False, cast.now)
    assert notices.settle(Reservation.objects.get(pk=pk), ["reservation.requested"], later) == 0


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_two_events_are_called_the_same(language):
    with override(language):
        names = Counter(event_name(code) for code in events())
    assert [name for name, times in names.items() if times > 1] == []


def test_the_document_lists_the_events_that_webhooks_may_ask_for():
    text = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if re.match(r"\| `\w+\.\w+`", line)]
    listed = [code for row in rows for code in re.findall(r"`(\w+\.\w+)`", row)]
    assert sorted(listed) == sorted(public_events())
    assert "waiting.offered" not in listed  # for one person alone


def test_the_bell_stops_counting_at_a_hundred(cast, monkeypatch):
    monkeypatch.setattr(queries, "MOST_COUNTED", 2)
    for _ in range(3):
        tell(News("organisation.verified", {"organisation": "K"}), person(cast.users["lin"].pk), cast.now)
    assert queries.unread_count(cast.actor("lin")) == 2


def test_every_event_has_a_name_a_group_and_an_icon_that_is_drawn():
    from frontend.icons import icon_svg

    for code, event in events().items():
        assert str(event.name), code
        assert event.group in groups()
        assert "<path" in icon_svg(event.icon)


PAST_THE_DOOR = re.compile(r"\bEmailMessage\b|\bEmailMultiAlternatives\b|\bsend_mail\b(?!\()|django\.core\.mail|smtplib")
DOOR = "instruments/services/notice_mail.py"


def past_the_door(text: str) -> list[str]:
    return PAST_THE_DOOR.findall(text)


def test_nobody_mails_past_the_door():
    apps = ("config", "instruments", "booking", "billing", "frontend")
    sources = [path for app in apps for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts]
    found = {
        str(path.relative_to(ROOT)): hits
        for path in sources
        if (hits := past_the_door(path.read_text(encoding="utf-8"))) and str(path.relative_to(ROOT)) != DOOR
    }
    assert {name for name in found if name not in ("config/settings.py", "frontend/accounts.py")} == set()
    assert past_the_door("from django.core.mail import EmailMessage")
    assert past_the_door((ROOT / DOOR).read_text(encoding="utf-8"))
