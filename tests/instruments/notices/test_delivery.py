"""Sending over SMTP: once, again after failures, never a text in a log."""

from __future__ import annotations

import logging
from datetime import time, timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from config.kernel.errors import Conflict, NotFound, Refusal
from instruments.models import Delivery, Notice
from instruments.queries import notices as queries
from instruments.rules.notice_times import MAIL_DELAYS
from instruments.services import notice_delivery, notice_log, notices
from instruments.services.notices import News, person, tell
from tests.instruments.notices.conftest import send_all

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_a_mail_arrives_with_text_and_html_and_is_sent_once(cast, sink, told):
    one = told()
    assert notice_delivery.deliver(one.pk, cast.now) == "sent"
    assert notice_delivery.deliver(one.pk, cast.now) == ""
    (mail,) = sink.taken
    assert (mail["To"], mail["Subject"]) == ("lin@example.org", "You are now in Kunlun")
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]
    html = mail.get_body(("html",)).get_content()
    assert 'lang="en"' in html and "src=" not in html and "url(" not in html
    assert "/organisations/" in mail.get_body(("plain",)).get_content()
    one.refresh_from_db()
    assert (one.state, one.sent_at, one.content, one.attempts) == ("sent", cast.now, None, 1)


def test_everybody_reads_their_own_language(cast, sink, told):
    cast.users["lin"].language = "zh-hans"
    cast.users["lin"].save()
    told()
    send_all(cast.now)
    assert "Kunlun" in sink.taken[0]["Subject"] and not sink.taken[0]["Subject"].isascii()
    assert 'lang="zh-CN"' in sink.taken[0].get_body(("html",)).get_content()


def test_a_name_cannot_add_a_header(cast, sink, told):
    told(organisation="Kunlun\r\nBcc: everybody@example.org\r\n\r\nBody\u2028x\x07")
    assert send_all(cast.now) == ["sent"]
    (mail,) = sink.taken
    assert mail["Bcc"] is None
    assert mail["Subject"] == "You are now in Kunlun Bcc: everybody@example.org Body x"


def test_html_in_a_name_is_text(cast, sink, told):
    told(organisation="<script>alert(1)</script><img src=x>")
    send_all(cast.now)
    html = sink.taken[0].get_body(("html",)).get_content()
    assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html


def test_a_mail_says_how_to_end_such_mails_in_one_click(cast, sink, told):
    told()
    send_all(cast.now)
    (mail,) = sink.taken
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].strip().startswith("<http://127.0.0.1:8000/notices/unsubscribe/")


def test_a_server_that_is_down_is_tried_again_for_a_day_and_then_it_is_a_dead_letter(cast, sink, told, caplog):
    one = told(organisation="Geheim")
    sink.answers = ["451 4.3.0 busy"] * 20
    moment, seen = cast.now, []
    with caplog.at_level(logging.DEBUG):
        for _ in range(len(MAIL_DELAYS) + 1):
            seen.append(notice_delivery.deliver(one.pk, moment))
            one.refresh_from_db()
            assert notice_delivery.deliver(one.pk, moment) == ""  # not before its time
            moment = max(moment, one.due_at)
    assert seen == ["waiting"] * len(MAIL_DELAYS) + ["failed"]
    assert (one.state, one.error, one.attempts) == ("failed", "SMTPDataError 451", len(MAIL_DELAYS) + 1)
    ours = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("mail.")
    )  # the sink talks too
    assert "given up" in ours and "Geheim" not in ours and "lin@example.org" not in ours
    scheduled = ProcrastinateJob.objects.filter(task_name="notices.deliver", scheduled_at__isnull=False).count()
    assert scheduled == len(MAIL_DELAYS)


def test_an_address_that_does_not_exist_is_not_tried_again(cast, sink, told):
    one = told()
    sink.refused = {"lin@example.org"}
    assert notice_delivery.deliver(one.pk, cast.now) == "failed"
    one.refresh_from_db()
    assert one.error == "SMTP 550"


def test_a_job_that_runs_twice_at_a_time_sends_once(cast, sink, told):
    one = told()
    sink.after = lambda mail: seen.append(notice_delivery.deliver(one.pk, cast.now + timedelta(seconds=1)))
    seen: list[str] = []
    batch = notice_delivery.claim(one.pk, cast.now)
    assert notice_delivery.deliver(one.pk, cast.now + timedelta(seconds=1)) == ""
    assert sink.taken == []
    again = ProcrastinateJob.objects.filter(task_name="notices.deliver").latest("id")
    assert again.scheduled_at == cast.now + notice_delivery.LEASE
    assert batch.message_id == f"<notice-{one.pk}@127.0.0.1>"


def test_an_attempt_that_died_is_taken_over_with_the_same_message_id_and_its_late_record_changes_nothing(cast, sink, told):
    one = told()
    lost = notice_delivery.claim(one.pk, cast.now)
    notice_delivery.send(lost)  # the mail is out, and here the worker dies
    later = cast.now + notice_delivery.LEASE
    assert notice_delivery.deliver(one.pk, later) == "sent"
    assert [mail["Message-ID"] for mail in sink.taken] == [lost.message_id] * 2
    assert notice_delivery.record(lost, "failed", "late", cast.now) == ""
    one.refresh_from_db()
    assert (one.state, one.sent_at, one.attempts) == ("sent", later, 2)


def test_a_digest_gathers_what_nobody_waits_for_and_goes_once(cast, sink, told, wishes):
    wishes(digest="daily", digest_hour=18)  # it is 09:00
    told(organisation="One"), told(cast.now + HOUR, organisation="Two")
    urgent = told(event="organisation.not_verified", reason="no seal")
    assert send_all(cast.now + HOUR) == ["", "", "sent"]
    assert [mail["Subject"] for mail in sink.taken] == ["Kunlun could not be verified"]
    told(cast.now + 2 * HOUR, organisation="Three")
    assert send_all(cast.now + 9 * HOUR) == ["sent", "", ""]
    digest = sink.taken[1]
    assert digest["Subject"] == "3 pieces of news from Jishi"
    text = digest.get_body(("plain",)).get_content()
    assert all(f"You are now in {name}" in text for name in ("One", "Two", "Three"))
    assert Delivery.objects.filter(state="sent").count() == 4
    assert len(set(Delivery.objects.exclude(pk=urgent.pk).values_list("message_id", flat=True))) == 1


def test_a_digest_that_may_have_gone_goes_again_with_just_the_same(cast, sink, told, wishes):
    wishes(digest="daily", digest_hour=18)
    first = told(organisation="One")
    told(organisation="Two")
    due = first.due_at
    lost = notice_delivery.claim(first.pk, due)
    notice_delivery.send(lost)
    told(due - timedelta(minutes=1), organisation="Three")
    later = due + notice_delivery.LEASE
    assert send_all(later) == ["sent", "", "sent"]
    first_mail, again, rest = sink.taken
    assert first_mail["Message-ID"] == again["Message-ID"] != rest["Message-ID"]
    told_first, told_again = (mail.get_body(("plain",)).get_content().partition("-- ")[0] for mail in (first_mail, again))
    assert told_first == told_again
    assert rest["Subject"] == "You are now in Three"


def test_quiet_hours_hold_mail_until_they_end(cast, sink, told, wishes):
    wishes(quiet_from=time(8), quiet_until=time(12, 30))
    one = told(event="organisation.not_verified", reason="no seal")
    assert one.due_at == cast.now + 3.5 * HOUR
    assert send_all(cast.now + 3 * HOUR) == [""]
    assert send_all(cast.now + 3.5 * HOUR) == ["sent"]
    assert Notice.objects.get().read_at is None


def test_quiet_hours_hold_whatever_made_a_mail_late(cast, sink, told, wishes):
    wishes(quiet_from=time(12), quiet_until=time(13))  # it is 09:00
    retried, missed, resent = (told(organisation=name) for name in ("One", "Two", "Three"))
    ends = cast.now + 4 * HOUR
    sink.answers = ["451 4.3.0 busy"]
    assert notice_delivery.deliver(retried.pk, ends - 70 * timedelta(minutes=1)) == "waiting"
    assert notice_delivery.deliver(resent.pk, cast.now) == "sent"
    notice_log.resend(cast.actor("zhou"), resent.pk, ends - HOUR / 2)
    lost = told(organisation="Four")
    notice_delivery.claim(lost.pk, ends - 62 * timedelta(minutes=1))  # and its worker dies
    assert send_all(ends - HOUR / 2) == ["", "", "", ""]
    for one in (retried, missed, resent, lost):
        one.refresh_from_db()
        assert (one.state, one.due_at) == ("waiting", ends)
    jobs = ProcrastinateJob.objects.filter(task_name="notices.deliver", scheduled_at=ends)
    assert {job.args["delivery_id"] for job in jobs} == {retried.pk, missed.pk, resent.pk, lost.pk}
    assert send_all(ends) == ["sent"] * 4
    assert len(sink.taken) == 5


def test_a_mail_goes_where_the_person_is_by_then(cast, sink, told):
    one = told()
    sink.answers = ["451 4.3.0 busy"]
    assert send_all(cast.now) == ["waiting"]
    cast.users["lin"].email = "lin@elsewhere.example"
    cast.users["lin"].save()
    one.refresh_from_db()
    assert notice_delivery.deliver(one.pk, one.due_at) == "sent"
    one.refresh_from_db()
    assert (one.address, sink.taken[-1]["To"]) == ("lin@elsewhere.example", "lin@elsewhere.example")


def test_what_was_dealt_with_before_its_mail_went_is_not_mailed(cast, sink, told, wishes):
    wishes(quiet_from=time(8), quiet_until=time(12, 30))
    one = told(event="organisation.not_verified", reason="no seal")
    Notice.objects.update(object_type="instruments.organisation", object_id=str(cast.firm.pk))
    assert notices.settle(cast.firm, ["organisation.not_verified"], cast.now) == 1
    assert send_all(one.due_at) == [""]
    one.refresh_from_db()
    assert (one.state, sink.taken) == ("dropped", [])
    with pytest.raises(Refusal, match=r"delivery\.settled"):
        notice_log.resend(cast.actor("zhou"), one.pk, one.due_at)


def test_what_was_switched_off_meanwhile_is_not_sent(cast, sink, told, wishes):
    told()
    wishes(channels={"organisation": []})
    assert send_all(cast.now) == [""]
    assert Delivery.objects.get().state == "dropped"
    assert sink.taken == []


def test_a_ready_text_is_kept_until_it_was_sent_and_no_longer(cast, sink):
    notices.mail_to("new@example.org", "organisation.invitation", "Invitation", "key abc123", cast.now)
    one = Delivery.objects.get()
    assert "abc123" in str(one.content)
    send_all(cast.now)
    one.refresh_from_db()
    assert (one.state, one.content) == ("sent", None)
    assert "abc123" in sink.taken[0].get_content()
    with pytest.raises(Refusal, match=r"delivery\.text_gone"):
        notice_log.resend(cast.actor("zhou"), one.pk, cast.now)


def test_staff_see_what_was_sent_and_send_it_again(cast, sink, told):
    news = News("reservation.approved", {"reference": "R1", "instrument": "XRD", "organisation": "", "starts_at": "", "ends_at": "",
                                         "zone": ""}, lab_id=cast.lab.pk)  # fmt: skip
    tell(news, person(cast.users["lin"].pk), cast.now)
    one, other = Delivery.objects.get(), told()
    assert set(queries.mail_log(cast.actor("wang"))) == {one}
    assert set(queries.mail_log(cast.actor("zhou"))) == {one, other}
    assert set(queries.mail_log(cast.actor("zhou"), text="LIN@")) == {one, other}
    with pytest.raises(Conflict, match=r"delivery\.under_way"):
        notice_log.resend(cast.actor("wang"), one.pk, cast.now)
    send_all(cast.now)
    with pytest.raises(NotFound):
        notice_log.resend(cast.actor("wang"), other.pk, cast.now)
    notice_log.resend(cast.actor("wang"), one.pk, cast.now + HOUR)
    send_all(cast.now + HOUR)
    first, _other, again = (mail["Message-ID"] for mail in sink.taken)
    assert first != again


def test_what_lost_its_job_is_queued_again_once(cast, told):
    told()
    ProcrastinateJob.objects.all().delete()
    later = cast.now + HOUR
    assert [notice_delivery.sweep(cast.now), notice_delivery.sweep(later)] == [0, 1]
    assert ProcrastinateJob.objects.get().queueing_lock == f"notices.deliver:{Delivery.objects.get().pk}"


def test_what_is_old_enough_is_forgotten(cast, told, sink):
    told()
    notices.mail_to("gone@example.org", "account.mail", "Key", "abc", cast.now)
    sink.refused = {"gone@example.org"}
    send_all(cast.now)
    dead = Delivery.objects.get(notice=None)
    assert notice_log.prune(cast.now + timedelta(days=13)) == {"notices": 0, "texts": 0, "deliveries": 0, "webhooks": 0}
    assert notice_log.prune(cast.now + timedelta(days=15))["texts"] == 1
    dead.refresh_from_db()
    assert dead.content is None
    assert notice_log.prune(cast.now + timedelta(days=181))["deliveries"] == 2
    assert Notice.objects.count() == 1
    assert notice_log.prune(cast.now + timedelta(days=366))["notices"] == 1


def test_the_log_of_a_mail_lives_its_time_although_its_notice_was_read(cast, told, sink):
    told(), send_all(cast.now)
    notices.mark_read(cast.actor("lin"), None, cast.now)
    assert notice_log.prune(cast.now + timedelta(days=179)) == {"notices": 0, "texts": 0, "deliveries": 0, "webhooks": 0}
    assert (Notice.objects.count(), Delivery.objects.count()) == (1, 1)
    gone = notice_log.prune(cast.now + timedelta(days=181))
    assert (gone["deliveries"], gone["notices"]) == (1, 1)
