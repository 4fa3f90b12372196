"""Bell, list, settings, mail log and webhooks as people use them, all of it without JavaScript."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from instruments.models import Delivery, Notice, NoticeSettings, Organisation, Webhook, WebhookDelivery
from instruments.services import notice_settings, webhooks
from instruments.services.notices import News, person, tell

pytestmark = pytest.mark.django_db
EN = {"Accept-Language": "en"}


def browser(user: Any) -> Client:
    client = Client(headers=EN)
    client.force_login(user)
    return client


@pytest.fixture
def lin(cast: Any) -> Client:
    return browser(cast.users["lin"])


@pytest.fixture
def wang(cast: Any) -> Client:
    return browser(cast.users["wang"])


def tell_lin(cast: Any, event: str = "organisation.verified", path: str = "/organisations/", **params: Any) -> Notice:
    news = News(event, {"organisation": "Kunlun", **params}, path, lab_id=cast.lab.pk)
    tell(news, person(cast.users["lin"].pk), cast.now)
    return Notice.objects.latest("pk")


def text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return str(response.content.decode())


def test_the_bell_counts_and_the_list_marks_as_read(cast, lin):
    first = tell_lin(cast)
    tell_lin(cast, "organisation.not_verified", reason="no seal")
    assert "Notices, 2 unread" in text(lin, "/help/")
    page = text(lin, "/notices/")
    assert "Kunlun could not be verified" in page and "Reason: no seal" in page
    assert "Kunlun is verified" not in text(lin, "/notices/?show=action")
    assert lin.get(f"/notices/{first.pk}/")["Location"] == "/organisations/"
    assert "Notices, 1 unread" in text(lin, "/help/")
    assert "Kunlun is verified" not in text(lin, "/notices/?show=unread")
    lin.post("/notices/read/", {"query": "show=unread"})
    assert "bell-count" not in text(lin, "/help/")
    assert "Nothing of this kind" in text(lin, "/notices/?show=unread")


def test_marking_one_goes_back_to_the_list_as_it_was(cast, lin):
    one = tell_lin(cast)
    assert lin.post(f"/notices/{one.pk}/read/", {"query": "show=unread&page=1"})["Location"].endswith(
        "/notices/?show=unread&page=1"
    )
    one.refresh_from_db()
    assert one.read_at is not None


def test_a_notice_leads_only_to_our_own_pages(cast, lin):
    one = tell_lin(cast, path="//evil.example/")
    assert lin.get(f"/notices/{one.pk}/")["Location"] == "/notices/"


def test_the_bell_that_is_asked_for_says_nothing_new_with_nothing(cast, lin):
    ask = {"HX-Request": "true"}
    assert lin.get("/notices/bell/?seen=0", headers=ask).status_code == 204
    tell_lin(cast)
    fresh = lin.get("/notices/bell/?seen=0", headers=ask)
    assert fresh.status_code == 200 and "seen=1" in fresh.content.decode()
    gone = Client().get("/notices/bell/?seen=1", headers=ask)
    assert (gone.status_code, gone.headers.get("HX-Redirect")) == (204, None)


def test_the_bell_costs_each_page_one_statement(cast, lin):
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as found:
            lin.get("/help/")
        return [each["sql"] for each in found.captured_queries if "instruments_notice" in each["sql"]]

    alone = statements()
    for _ in range(20):
        tell_lin(cast)
    assert len(alone) == len(statements()) == 1


def test_news_that_is_no_longer_known_is_still_shown(cast, lin):
    tell_lin(cast)
    Notice.objects.update(event="gone.event")
    assert "gone.event" in text(lin, "/notices/")


def form_of(**changes: Any) -> dict[str, Any]:
    fields = {"digest": "daily", "digest_hour": "7", "digest_weekday": "0", "quiet_from": "22:00", "quiet_until": "06:30",
              "time_zone": "Asia/Shanghai", "group_reservations": ["email"]}  # fmt: skip
    return fields | changes


def test_settings_are_on_one_page_and_what_was_typed_stays(cast, lin):
    page = text(lin, "/notices/settings/")
    for words in ("My reservations", "Work of my lab", "Quiet from", "Gathered, once a week", "Text message"):
        assert words in page
    assert "Account</legend>" not in page
    assert lin.post("/notices/settings/", form_of()).status_code == 302
    kept = NoticeSettings.objects.get()
    assert (kept.digest, kept.digest_hour, kept.quiet_from.hour) == ("daily", 7, 22)
    assert kept.channels["reservations"] == ["email"] and kept.channels["lab"] == []
    refused = lin.post("/notices/settings/", form_of(quiet_until="", digest_hour="9"))
    page = refused.content.decode()
    assert refused.status_code == 422 and "both ends of the quiet hours" in page and '<option value="9" selected>' in page


def test_a_single_event_goes_another_way_than_its_group(cast, lin):
    assert lin.post("/notices/settings/", form_of(**{"event_reservation.approved": "-"})).status_code == 302
    kept = NoticeSettings.objects.get().channels
    assert (kept["reservation.approved"], kept["reservations"]) == ([], ["email"]) and "reservation.rejected" not in kept
    page = text(lin, "/notices/settings/")
    chosen = page.partition('id="id_event_reservation.approved"')[2].partition("</select>")[0]
    assert '<option value="-" selected>only the bell</option>' in chosen and page.count('<details class="reveal" open>') == 1
    lin.post("/notices/settings/", form_of(**{"event_reservation.approved": ""}))
    assert "reservation.approved" not in NoticeSettings.objects.get().channels


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Mars"),
        ("digest", "x"),
        ("quiet_from", "25:99"),
        ("group_lab", "pigeon"),
        ("event_reservation.approved", "x"),
    ],
)
def test_what_no_form_offers_is_refused_and_never_an_error(cast, lin, field, value):
    assert lin.post("/notices/settings/", form_of(**{field: value})).status_code == 422


def test_a_channel_is_set_up_with_a_code(cast, lin):
    refused = lin.post("/notices/channels/sms/", {"address": "call me"})
    assert refused.status_code == 422 and "no number that can be reached" in refused.content.decode()
    assert lin.post("/notices/channels/sms/", {"address": "13800000000"})["Location"] == "/notices/channels/sms/code/"
    assert "13800000000, not confirmed" in text(lin, "/notices/settings/")
    code = Delivery.objects.get(channel="sms").content["title"].split("Jishi: ")[1][:6]
    assert lin.post("/notices/channels/sms/code/", {"code": "x"}).status_code == 422
    assert lin.post("/notices/channels/sms/code/", {"code": code})["Location"] == "/notices/settings/"
    assert 'value="sms"' in text(lin, "/notices/settings/")
    assert lin.get("/notices/channels/pigeon/").status_code == 404


def test_the_link_of_a_mail_asks_and_a_mail_program_needs_no_page(cast):
    token = notice_settings.unsubscribe_token(cast.users["lin"].pk, ["reservations"])
    visitor = Client(headers=EN, enforce_csrf_checks=True)
    assert "Do you want no more mails about these?" in text(visitor, f"/notices/unsubscribe/{token}/")
    assert not NoticeSettings.objects.exists()
    done = visitor.post(f"/notices/unsubscribe/{token}/", {"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200 and "My reservations" in done.content.decode()
    assert NoticeSettings.objects.get().channels == {"reservations": []}
    assert visitor.get(f"/notices/unsubscribe/{token[:-3]}xyz/").status_code == 404


def test_the_mail_log_shows_what_went_where_and_never_what_it_said(cast, wang):
    tell_lin(cast, "registry.problem_seen", instrument="XRD", answer="We changed the secret pump.")
    Delivery.objects.update(state="failed", error="SMTP 550")
    page = text(wang, "/mail-log/?state=failed")
    assert "Problem seen by the lab" in page and "SMTP 550" in page and "lin@example.org" in page
    assert "secret pump" not in page
    one = Delivery.objects.get()
    assert wang.post(f"/mail-log/{one.pk}/resend/", {"state": "failed"})["Location"] == "/mail-log/?state=failed"
    one.refresh_from_db()
    assert one.state == "waiting"
    again = wang.post(f"/mail-log/{one.pk}/resend/", follow=True).content.decode()
    assert "It is on its way already" in again
    assert "Nothing has failed" in text(wang, "/mail-log/?state=failed")
    assert "lin@example.org" in text(wang, "/mail-log/?q=LIN%40")
    assert text(wang, "/mail-log/?q=%00&state=nonsense&page=zzz")


def test_a_webhook_is_registered_tried_read_and_removed(cast, wang):
    start = f"/organisations/{cast.lab.pk}/webhooks/"
    assert "No webhooks yet" in text(wang, start)
    wrong = wang.post(f"{start}new/", {"address": "https://10.0.0.1/x", "events": ["reservation.approved"]})
    assert (
        wrong.status_code == 422
        and "private network" in wrong.content.decode()
        and "https://10.0.0.1/x" in wrong.content.decode()
    )
    made = wang.post(f"{start}new/", {"address": "https://hooks.example.org/k", "events": ["reservation.approved"]})
    hook = Webhook.objects.get()
    assert made.status_code == 201 and webhooks.secret_of(hook) in made.content.decode()
    assert made["Cache-Control"].startswith("max-age=0") or "no-store" in made["Cache-Control"]
    page = f"/webhooks/{hook.pk}/"
    assert webhooks.secret_of(hook) not in text(wang, page)
    assert wang.post(f"{page}test/")["Location"] == page
    WebhookDelivery.objects.update(state="failed", status=503, error="webhook.status", attempts=10, finished_at=cast.now)
    shown = text(wang, page)
    assert "HTTP 503" in shown and "10 attempts" in shown and "hooks.example.org answers with 503" in shown
    assert wang.post(f"/webhooks/deliveries/{WebhookDelivery.objects.get().pk}/redeliver/")["Location"] == page
    assert wang.post(page, {"events": ["reservation.cancelled"]}).status_code == 302
    assert wang.post(page, {"active": "on"}).status_code == 422
    hook.refresh_from_db()
    assert (hook.active, hook.events) == (False, ["reservation.cancelled"])
    off = wang.post(f"{page}test/", follow=True).content.decode()
    assert "The webhook is switched off" in off
    old = webhooks.secret_of(hook)
    renewed = wang.post(f"{page}secret/").content.decode()
    assert "whsec_" in renewed and old not in renewed
    wang.post(f"{page}remove/")
    assert "No webhooks yet" in text(wang, start)
    assert wang.get(page).status_code == 404


def test_a_webhook_that_is_allowed_no_more_is_shown_and_switched_off(cast, wang, settings, django_assert_max_num_queries):
    settings.WEBHOOK_ALLOW = frozenset({("http", "127.0.0.1", 8099)})
    made = wang.post(
        f"/organisations/{cast.lab.pk}/webhooks/new/", {"address": "http://127.0.0.1:8099/k", "events": ["reservation.approved"]}
    )
    assert made.status_code == 201
    page = f"/webhooks/{Webhook.objects.get().pk}/"
    wang.post(f"{page}test/")
    WebhookDelivery.objects.update(state="failed", error="outbound.too_slow", attempts=10, finished_at=cast.now)
    settings.WEBHOOK_ALLOW = frozenset()
    with CaptureQueriesContext(connection) as one:
        assert "127.0.0.1 took longer than 15 seconds" in text(wang, page)
    most = len(one)  # read now: the next request empties the log
    for _ in range(5):
        wang.post(f"{page}test/")
    with django_assert_max_num_queries(most):
        text(wang, page)
    assert wang.post(page, {"events": ["reservation.approved"]}).status_code == 302
    assert Webhook.objects.get().active is False
    Organisation.objects.filter(pk=cast.lab.pk).update(status="claimed", verified_at=None)
    refused = wang.post(page, {"events": ["reservation.approved"], "active": "on"})
    assert refused.status_code == 422 and "Webhooks are for verified organisations" in refused.content.decode()


def test_the_api_reads_and_marks(cast, lin):
    for _ in range(2):
        tell_lin(cast)
    rows = lin.get("/api/v1/notices/?show=unread").json()["results"]
    assert [row["title"] for row in rows] == ["Kunlun is verified"] * 2
    assert rows[0]["url"] == "http://127.0.0.1:8000/organisations/"
    one = lin.post(f"/api/v1/notices/{rows[0]['id']}/read/", {}, content_type="application/json")
    assert one.json()["read_at"] is not None
    assert lin.post("/api/v1/notices/read-all/", {}, content_type="application/json").json() == {"unread": 0}
    assert lin.get("/api/v1/notices/?show=nonsense").status_code == 400
    assert lin.post("/api/v1/notices/read-all/", {"x": 1}, content_type="application/json").status_code == 400


def test_old_notices_stay_readable_in_the_list(cast, lin):
    one = tell_lin(cast)
    Notice.objects.filter(pk=one.pk).update(created_at=cast.now - timedelta(days=400), params={"organisation": "Kunlun"})
    assert "Kunlun is verified" in text(lin, "/notices/?page=99")
