"""Webhooks: signed, at least once, tried for a day, never into a private network; the receiver of the documentation hears them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from billing.ordering.services import sheets
from booking.services import reservations, transitions
from booking.services.reservations import ReservationRequest
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.services import outbound
from instruments.models import Notice, Organisation, Webhook, WebhookDelivery
from instruments.notice_events import public_events
from instruments.queries import notices as queries
from instruments.rules.notice_times import WEBHOOK_DELAYS
from instruments.services import webhook_delivery, webhooks
from tests.booking.samples.conftest import Work, commissioned, make_item
from tests.webhook_receiver import is_genuine

pytestmark = pytest.mark.django_db
EVENTS = ["reservation.requested", "reservation.approved"]
DOCUMENT = Path(settings.BASE_DIR) / "docs" / "webhooks.md"


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it hears; answers what it was told to, 204 when it was told nothing."""

    heard: list[tuple[dict[str, str], bytes]]
    answers: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((dict(self.headers), body))
        status = self.answers.pop(0) if self.answers else 204
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture
def receiver(settings: Any) -> Iterator[Any]:
    handler = type("Here", (Receiver,), {"heard": [], "answers": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    settings.WEBHOOK_ALLOW = frozenset({("http", "127.0.0.1", server.server_port)})
    handler.address = f"http://127.0.0.1:{server.server_port}/hook?key=theirs"
    yield handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def hook(cast: Any, receiver: Any) -> Webhook:
    return webhooks.register_webhook(cast.actor("wang"), cast.lab.pk, receiver.address, EVENTS, cast.now)[0]


def ask(cast: Any, during: Any, key: str = "k") -> int:
    wanted = ReservationRequest(cast.xrd.pk, cast.firm.pk, during, "self_operated")
    return reservations.reserve(cast.actor("lin"), wanted, cast.now, idempotency_key=key).reservation_id


def attempt(now: Any) -> list[str]:
    waiting = WebhookDelivery.objects.filter(state__in=["waiting", "sending"]).order_by("pk").values_list("pk", flat=True)
    return [webhook_delivery.deliver(pk, now) for pk in list(waiting)]


def test_what_both_sides_may_see_is_sent_signed_and_once(cast, slot, hook, receiver):
    pk = ask(cast, slot(9, 12))
    assert attempt(cast.now) == ["sent"]
    assert attempt(cast.now) == []
    ((headers, body),) = receiver.heard
    secret = webhooks.secret_of(hook)
    assert is_genuine(secret, headers["Jishi-Signature"], body, int(cast.now.timestamp()))
    assert not is_genuine(secret, headers["Jishi-Signature"], body.replace(b"requested", b"approved"), int(cast.now.timestamp()))
    heard = json.loads(body)
    assert set(heard) == {"id", "event", "created_at", "organisation", "data"}
    assert (heard["event"], heard["id"], heard["organisation"]) == (
        "reservation.requested", headers["Jishi-Delivery"], cast.lab.pk,
    )  # fmt: skip
    assert heard["data"]["reservation"] == pk and heard["data"]["starts_at"].endswith("+08:00")
    assert b"Lin" not in body and b"example.org" not in body


def test_what_is_rolled_back_is_not_heard(cast, slot, hook):
    with pytest.raises(RuntimeError), transaction.atomic():
        ask(cast, slot(9, 12))
        raise RuntimeError
    assert not WebhookDelivery.objects.exists()


def test_only_what_was_chosen_by_organisations_that_are_concerned_is_sent(cast, slot, hook, receiver):
    webhooks.register_webhook(cast.actor("he"), cast.other_firm.pk, receiver.address, EVENTS, cast.now)
    pk = ask(cast, slot(9, 12))
    transitions.reject(cast.actor("wang"), pk, cast.now, "no")
    assert [(one.webhook_id, one.event) for one in WebhookDelivery.objects.all()] == [(hook.pk, "reservation.requested")]


def test_a_failing_receiver_is_tried_for_a_day_and_then_it_is_a_dead_letter_that_can_be_sent_again(cast, slot, hook, receiver):
    ask(cast, slot(9, 12))
    receiver.answers[:] = [500] * 20
    one, moment, seen = WebhookDelivery.objects.get(), cast.now, []
    for _ in range(len(WEBHOOK_DELAYS) + 1):
        seen += attempt(moment)
        one.refresh_from_db()
        assert attempt(moment) in ([""], [])  # not before its time
        moment = max(moment, one.due_at)
    assert seen == ["waiting"] * len(WEBHOOK_DELAYS) + ["failed"]
    assert (one.status, one.error, one.attempts) == (500, "webhook.status", len(WEBHOOK_DELAYS) + 1)
    assert timedelta(hours=22) < one.finished_at - cast.now < timedelta(hours=26)
    receiver.answers.clear()
    webhooks.redeliver(cast.actor("wang"), one.pk, moment)
    with pytest.raises(Conflict, match=r"webhook\.under_way"):
        webhooks.redeliver(cast.actor("wang"), one.pk, moment)
    assert attempt(moment) == ["sent"]
    ids = {json.loads(body)["id"] for _headers, body in receiver.heard}
    assert ids == {str(one.uid)}


def test_a_redirect_is_a_failure_and_is_not_followed(cast, slot, hook, receiver):
    ask(cast, slot(9, 12))
    receiver.answers[:] = [302]
    assert attempt(cast.now) == ["waiting"]
    assert len(receiver.heard) == 1
    assert WebhookDelivery.objects.get().error == "webhook.redirect"


def test_an_address_that_is_dead_for_long_is_switched_off_and_its_people_are_told(cast, slot, hook, receiver):
    receiver.answers[:] = [500] * 100
    for place in range(webhook_delivery.OFF_AFTER):
        webhooks.queue("reservation.approved", {cast.lab.pk: {"reservation": place}}, cast.now)
    WebhookDelivery.objects.update(attempts=len(WEBHOOK_DELAYS))
    assert attempt(cast.now) == ["failed"] * webhook_delivery.OFF_AFTER
    hook.refresh_from_db()
    assert (hook.active, hook.switched_off_why) == (False, "failures")
    told = Notice.objects.get(event="webhook.switched_off")
    assert (told.user, told.path) == (cast.users["wang"], f"/webhooks/{hook.pk}/")
    assert "key=theirs" not in json.dumps(told.params)
    assert webhooks.queue("reservation.approved", {cast.lab.pk: {}}, cast.now) == 0
    with pytest.raises(Conflict, match=r"webhook\.off"):
        webhooks.send_test(cast.actor("wang"), hook.pk, cast.now)
    assert webhooks.change_webhook(cast.actor("wang"), hook.pk, EVENTS, True, cast.now).dead_in_row == 0


def test_one_that_arrives_forgets_the_failures_before(cast, hook, receiver):
    Webhook.objects.update(dead_in_row=4)
    webhooks.send_test(cast.actor("wang"), hook.pk, cast.now)
    assert attempt(cast.now) == ["sent"]
    hook.refresh_from_db()
    assert hook.dead_in_row == 0


def test_an_attempt_that_died_is_made_again_under_the_same_id(cast, slot, hook, receiver):
    ask(cast, slot(9, 12))
    one = WebhookDelivery.objects.get()
    lost = webhook_delivery.claim(one.pk, cast.now)
    webhook_delivery.post(lost, cast.now)  # the receiver has it, and here the worker dies
    assert attempt(cast.now + timedelta(seconds=30)) == [""]
    later = cast.now + webhook_delivery.LEASE
    assert webhook_delivery.queue_due(later) == 1
    assert attempt(later) == ["sent"]
    assert webhook_delivery.record(lost, 500, "webhook.status", cast.now) == ""
    assert {headers["Jishi-Delivery"] for headers, _body in receiver.heard} == {str(one.uid)}
    assert len(receiver.heard) == 2


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("http://hooks.example.org/", "outbound.https_only"),
        ("https://127.0.0.1/", "outbound.not_public"),
        ("https://10.1.2.3/x", "outbound.not_public"),
        ("https://[::1]/", "outbound.not_public"),
        ("https://169.254.169.254/latest/", "outbound.not_public"),
        ("https://2130706433/", "outbound.unreadable"),
        ("https://0x7f.1/", "outbound.unreadable"),
        ("https://localhost/", "outbound.not_public"),
        ("https://user:pw@hooks.example.org/", "outbound.user_name"),
        ("https://hooks.example.org:8443/", "outbound.port"),
        ("ftp://hooks.example.org/", "outbound.scheme"),
        ("", "outbound.unreadable"),
    ],
)
def test_no_webhook_goes_into_a_private_network_or_over_plain_http(cast, address, code):
    with pytest.raises(Refusal, match=code.replace(".", r"\.")):
        webhooks.register_webhook(cast.actor("wang"), cast.lab.pk, address, EVENTS, cast.now)


def test_a_server_that_may_be_read_is_not_posted_to_and_the_other_way_round(cast, slot, hook, receiver, settings):
    (allowed,) = settings.WEBHOOK_ALLOW
    settings.OUTBOUND_ALLOW, settings.WEBHOOK_ALLOW = frozenset({allowed[1:]}), frozenset()
    ask(cast, slot(9, 12))
    assert attempt(cast.now) == ["waiting"]
    assert (WebhookDelivery.objects.get().error, receiver.heard) == ("outbound.port", [])
    with pytest.raises(Refusal, match=r"outbound\.port"):
        webhooks.register_webhook(cast.actor("wang"), cast.lab.pk, receiver.address, EVENTS, cast.now)
    settings.OUTBOUND_ALLOW, settings.WEBHOOK_ALLOW = frozenset(), frozenset({("https", *allowed[1:])})
    with pytest.raises(Refusal):  # named for https, so not over http
        outbound.post(receiver.address, b"", {})
    settings.WEBHOOK_ALLOW = frozenset({allowed})
    with pytest.raises(Refusal, match=r"outbound\.port"):
        outbound.fetch(receiver.address)
    assert outbound.post(receiver.address, b"", {}) == 204


@pytest.mark.parametrize("status", ["claimed", "suspended"])
def test_only_a_verified_organisation_has_webhooks(cast, slot, hook, receiver, status):
    wang = cast.actor("wang")
    webhooks.change_webhook(wang, hook.pk, EVENTS, False, cast.now)
    Organisation.objects.filter(pk=cast.lab.pk).update(status=status)
    with pytest.raises(Refusal, match=r"webhook\.organisation_not_verified"):
        webhooks.register_webhook(wang, cast.lab.pk, receiver.address, EVENTS, cast.now)
    with pytest.raises(Refusal, match=r"webhook\.organisation_not_verified"):
        webhooks.change_webhook(wang, hook.pk, EVENTS, True, cast.now)
    Webhook.objects.update(active=True)
    with pytest.raises(Refusal, match=r"webhook\.organisation_not_verified"):
        webhooks.send_test(wang, hook.pk, cast.now)
    assert webhooks.queue("reservation.approved", {cast.lab.pk: {}}, cast.now) == 0


def test_what_waits_for_an_organisation_that_is_suspended_meanwhile_is_not_sent(cast, slot, hook, receiver):
    wang = cast.actor("wang")
    ask(cast, slot(9, 12))
    Organisation.objects.filter(pk=cast.lab.pk).update(status="suspended")
    assert attempt(cast.now) == [""]
    one = WebhookDelivery.objects.get()
    assert (one.state, one.error, receiver.heard) == ("failed", "webhook.organisation_not_verified", [])
    with pytest.raises(Refusal, match=r"webhook\.organisation_not_verified"):
        webhooks.redeliver(wang, one.pk, cast.now)


def test_a_webhook_that_was_switched_off_needs_nobody_once_it_is_removed(cast, hook, receiver):
    receiver.answers[:] = [500] * 100
    for place in range(webhook_delivery.OFF_AFTER):
        webhooks.queue("reservation.approved", {cast.lab.pk: {"reservation": place}}, cast.now)
    WebhookDelivery.objects.update(attempts=len(WEBHOOK_DELAYS))
    attempt(cast.now)
    assert Notice.objects.get(event="webhook.switched_off").needs_action
    webhooks.remove_webhook(cast.actor("wang"), hook.pk, cast.now)
    assert not Notice.objects.get(event="webhook.switched_off").needs_action


def test_what_is_allowed_no_more_can_still_be_looked_at_and_switched_off(cast, slot, hook, receiver, settings):
    settings.WEBHOOK_ALLOW = frozenset()
    assert webhooks.host_of(hook) == "127.0.0.1"
    for place in range(webhook_delivery.OFF_AFTER):
        webhooks.queue("reservation.approved", {cast.lab.pk: {"reservation": place}}, cast.now)
    WebhookDelivery.objects.update(attempts=len(WEBHOOK_DELAYS))
    assert attempt(cast.now) == ["failed"] * webhook_delivery.OFF_AFTER
    told = Notice.objects.get(event="webhook.switched_off")
    assert (told.params["host"], told.needs_action) == ("127.0.0.1", True)
    webhooks.change_webhook(cast.actor("wang"), hook.pk, EVENTS, True, cast.now)
    told.refresh_from_db()
    assert (told.needs_action, told.read_at) == (False, cast.now)


def test_a_name_that_comes_to_mean_a_private_address_is_not_called(cast, slot, hook, receiver, monkeypatch, settings):
    settings.WEBHOOK_ALLOW = frozenset()
    Webhook.objects.update(address="https://rebound.example.org/")
    answer = [(2, 1, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *args, **kwargs: answer)
    ask(cast, slot(9, 12))
    assert attempt(cast.now) == ["waiting"]
    assert WebhookDelivery.objects.get().error == "outbound.not_public"
    assert receiver.heard == []


def test_only_administrators_register_and_others_see_nothing(cast, hook, receiver):
    for name, refusal in (("li", Forbidden), ("lin", Forbidden), ("zhou", Forbidden)):
        with pytest.raises(refusal):
            webhooks.register_webhook(cast.actor(name), cast.lab.pk, receiver.address, EVENTS, cast.now)
    for name in ("li", "he", "zhou"):
        with pytest.raises(NotFound):
            webhooks.change_webhook(cast.actor(name), hook.pk, EVENTS, False, cast.now)
    with pytest.raises(Refusal, match=r"webhook\.events_unknown"):
        webhooks.change_webhook(cast.actor("wang"), hook.pk, ["lab.reservation_cancelled"], True, cast.now)
    assert queries.webhooks_of(cast.actor("wang"), cast.lab) == [hook]


def test_a_new_secret_makes_the_old_one_useless_and_neither_is_stored(cast, hook):
    old = webhooks.secret_of(hook)
    _same, new = webhooks.renew_secret(cast.actor("wang"), hook.pk, cast.now)
    hook.refresh_from_db()
    assert new == webhooks.secret_of(hook) != old
    assert new not in str(Webhook.objects.values().get())


def test_the_receiver_of_the_documentation_hears_what_is_sent_and_refuses_what_is_forged(cast, slot, hook, settings, tmp_path):
    program = tmp_path / "receiver.py"
    (source,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    program.write_text(source, encoding="utf-8")
    command = [sys.executable, str(program), "0", webhooks.secret_of(hook)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline().split()[1])
            settings.WEBHOOK_ALLOW = frozenset({("http", "127.0.0.1", port)})
            Webhook.objects.update(address=f"http://127.0.0.1:{port}/")
            now = timezone.now()  # the receiver has a clock of its own
            ask(cast, slot(9, 12))
            one = WebhookDelivery.objects.get()
            assert webhook_delivery.deliver(one.pk, now) == "sent"
            webhooks.redeliver(cast.actor("wang"), one.pk, now)
            assert webhook_delivery.deliver(one.pk, now) == "sent"
            webhooks.renew_secret(cast.actor("wang"), hook.pk, now)
            webhooks.send_test(cast.actor("wang"), hook.pk, now)
            assert attempt(now) == ["waiting"]
            assert WebhookDelivery.objects.latest("pk").status == 403
        finally:
            process.terminate()
        heard = process.stdout.read().splitlines()
    assert heard == [f"reservation.requested {one.payload['data']['reference']}"]


def heard_by(organisation: Any) -> list[str]:
    rows = WebhookDelivery.objects.filter(webhook__organisation=organisation).order_by("pk")
    return [one.payload["event"] for one in rows]


@pytest.fixture
def hear_all(cast: Any, receiver: Any) -> None:
    """A webhook of each side, and of another firm, for every event."""
    for organisation in (cast.lab, cast.firm, cast.other_firm):
        Webhook.objects.create(
            organisation=organisation,
            address=receiver.address,
            events=list(public_events()),
            created_at=cast.now,
            created_by=cast.users["wang"],
            nonce="n",
        )


def test_both_sides_hear_of_a_sample_job_and_each_its_own_of_what_both_are_told(cast, programmes, hear_all):
    work = Work(cast, make_item(cast))
    job = work.close(work.reported())
    both = ["sample_job.asked", "sample_job.accepted", "sample_job.received", "sample_job.reported"]
    assert heard_by(cast.lab) == [*both, "sample_job.closed_to_lab"]
    assert heard_by(cast.firm) == [*both, "sample_job.closed_to_customer"]
    assert heard_by(cast.other_firm) == []
    accepted = WebhookDelivery.objects.filter(event="sample_job.accepted").first().payload["data"]
    assert accepted == {
        "sample_job": job.pk,
        "reference": job.reference,
        "happened": "accepted",
        "state": "accepted",
        "test_item": {"id": work.item.pk, "name": "Li in brine"},
        "lab": {"id": cast.lab.pk, "name": cast.lab.name},
        "customer": {"id": cast.firm.pk, "name": cast.firm.name},
        "samples": 3,
        "arrive_on": "2026-11-25",
        "promised_on": job.promised_on.isoformat(),
    }


def test_what_a_leader_or_a_head_is_asked_is_for_no_webhook():
    assert {"sample_job.leader_asked", "sample_job.overdue", "sample_job.overdue_for_heads"}.isdisjoint(public_events())


def test_both_sides_hear_of_a_quotation_and_of_its_commission(cast, programmes, hear_all):
    sheet = commissioned(cast, make_item(cast), 9_000)
    sheets.cancel(cast.actor("lin"), sheet, "Not now.", cast.now)
    expected = ["quotation.sent", "quotation.accepted", "commission.cancelled"]
    assert heard_by(cast.lab) == heard_by(cast.firm) == expected
    assert heard_by(cast.other_firm) == []
    sent = WebhookDelivery.objects.filter(event="quotation.sent").first().payload["data"]
    assert (sent["happened"], sent["state"], sent["total_fen"]) == ("sent", "sent", 90_000) and sent["number"]
    assert not Notice.objects.filter(event="quotation.sent").exists(), "people read it in the thread"
    assert not any("Lin" in str(one.payload) or "Wang" in str(one.payload) for one in WebhookDelivery.objects.all())


def test_the_documentation_lists_every_event_and_no_other():
    listed = re.findall(r"`((?:reservation|sample_job|quotation|commission|resource_request)\.\w+)`", DOCUMENT.read_text("utf-8"))
    assert set(listed) == set(public_events())
