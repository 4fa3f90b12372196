"""Consumables and add-ons: entered by the lab at close-out, charged with the customer's yes, never subsidised, never by time alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import translation
from rest_framework.test import APIClient

from billing.pricing.drafts import publish_document
from billing.pricing.subjects import subject_for
from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import Charge
from billing.settlement.services import session_extras, statements
from billing.settlement.services.replaying import replay_charges
from billing.settlement.services.session_extras import Used
from billing.wording import step_sentence
from booking.models import UsageSession
from booking.rules.samples import ExtraEvent
from booking.services import reservations, transitions, usage_review
from booking.services.reservations import ReservationRequest
from config.kernel import invariants
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from instruments.models import Notice, User
from instruments.notice_events import words_of
from tests.billing.settlement.conftest import DECEMBER, NOVEMBER
from tests.conftest import PRICE, Cast, slot_of

CELL = {"zh": "样品池", "en": "Sample cell"}


@pytest.fixture
def over(cast: Cast, programmes: dict[str, Any]) -> int:
    """Three hours, used and over, under a price with an add-on for 15.00 (firms) each."""
    rates = {name: "10" if name == "inside" else "15" for name in PRICE["rates"]}
    document = {**PRICE, "format": 2, "unit": "hour", "addons": [{"code": "cell", "name": CELL, "rates": rates}]}
    subject = subject_for(cast.actor("li"), "instrument", cast.xrd.pk)
    publish_document(cast.actor("li"), subject, document, slot_of(9, 12).starts_at.date(), (), cast.now)
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot_of(9, 12), "self_operated", "lithium salts")
    pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k").reservation_id
    transitions.approve(cast.actor("wang"), pk, cast.now)
    with pytest.raises(Refusal, match="no_more_now"):
        session_extras.propose(cast.actor("wang"), pk, Used(1, "cell"), cast.now)  # it has not begun
    transitions.check_in(cast.actor("wang"), pk, slot_of(9, 12).starts_at)
    transitions.check_out(cast.actor("wang"), pk, slot_of(9, 12).ends_at, "")
    return pk


def test_what_the_customer_agreed_to_is_charged_beside_the_time_and_nobody_subsidises_it(cast: Cast, over: int) -> None:
    wang, lin, at = cast.actor("wang"), cast.actor("lin"), slot_of(9, 12).ends_at
    cells = session_extras.propose(wang, over, Used(2, "cell"), at)
    gas = session_extras.propose(wang, over, Used(1, words=" Argon,  5 l", rate_fen=20_00), at)
    assert [(each.words, each.rate_fen, each.amount_fen) for each in (cells, gas)] == [
        ("样品池", 15_00, 30_00), ("Argon, 5 l", 20_00, 20_00),
    ]  # fmt: skip
    with pytest.raises(Refusal) as refused:
        usage_review.agree(lin, over, at)
    assert refused.value.reasons[0].code == "extras.unanswered" and not Charge.objects.exists()
    with pytest.raises(Forbidden):
        session_extras.answer(wang, cells.pk, ExtraEvent.AGREE, at)
    with pytest.raises(NotFound):
        session_extras.answer(cast.actor("he"), cells.pk, ExtraEvent.AGREE, at)
    with pytest.raises(Conflict, match="amount_differs"):
        session_extras.answer(lin, cells.pk, ExtraEvent.AGREE, at, amount_fen=29_00)
    asked = Notice.objects.filter(event="reservation.extra_proposed", user=cast.users["lin"])
    assert [(each.params["words"], each.params["amount_fen"]) for each in asked.order_by("pk")] == [
        ("样品池 × 2", 30_00), ("Argon, 5 l", 20_00),
    ]  # fmt: skip
    session_extras.answer(lin, cells.pk, ExtraEvent.AGREE, at, amount_fen=30_00)
    assert asked.filter(needs_action=True).count() == 2, "one of them still waits"
    session_extras.answer(lin, gas.pk, ExtraEvent.DECLINE, at)
    assert not asked.filter(needs_action=True).exists()
    heard = Notice.objects.filter(user=cast.users["wang"], event__startswith="reservation.extra_").order_by("pk")
    assert [each.event for each in heard] == ["reservation.extra_agreed_to_lab", "reservation.extra_declined_to_lab"]
    with pytest.raises(Refusal, match="extra_answered"):
        session_extras.answer(lin, gas.pk, ExtraEvent.AGREE, at)
    assert usage_review.agree(lin, over, at)

    charge = Charge.objects.get()
    assert (charge.gross_fen, charge.deducted_fen, charge.payable_now_fen) == (1230_00, 480_00, 750_00)  # 40 % of 1,200.00
    assert charge.inputs["extras"] == [{"words": "样品池 × 2", "words_en": "Sample cell × 2", "amount_fen": 30_00}]
    told = [(step["key"], step["params"].get("beyond_fen")) for step in charge.result["steps"] if "extra" in step["key"]]
    assert told == [("price.step.extra", None), ("session.step.extras", 30_00)]
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")]
    award = charge.awards.get()
    line = statements.issue(cast.actor("qian"), award.programme_version_id, cast.lab.pk, NOVEMBER, DECEMBER).content["lines"][0]
    assert (line["gross_fen"], line["eligible_fen"]) == (1230_00, 1200_00)
    assert line["excluded"] == [{"reason": "agreed_beyond", "amount_fen": 30_00, "clause": ""}]
    for name, invariant in invariants.registered().items():
        if name.startswith(("settlement.", "ledger.")):
            assert not invariant().violations, name

    with pytest.raises(Refusal, match="no_more_now"):
        session_extras.propose(wang, over, Used(1, "cell"), at)
    kept = {"reservation_id": over, "words": "x", "quantity": 1, "rate_fen": 1, "amount_fen": 1, "proposed_at": at}
    with pytest.raises(IntegrityError, match="charged already"), transaction.atomic():
        SessionExtra.objects.create(**kept, proposed_by_id=wang.user_id)
    with pgtrigger.ignore("billing.SessionExtra:session_extra_before_charge"):
        SessionExtra.objects.create(**kept, proposed_by_id=wang.user_id)  # the control


def test_an_addon_is_read_in_either_language_and_what_has_no_english_name_is_kept_as_it_always_was(cast: Cast, over: int) -> None:
    wang, lin, at = cast.actor("wang"), cast.actor("lin"), slot_of(9, 12).ends_at
    for used in (Used(2, "cell"), Used(1, words="氩气", rate_fen=20_00)):
        session_extras.answer(lin, session_extras.propose(wang, over, used, at).pk, ExtraEvent.AGREE, at)
    asked = Notice.objects.filter(event="reservation.extra_proposed", user=cast.users["lin"]).order_by("pk").first()
    assert asked is not None
    usage_review.agree(lin, over, at)
    charge = Charge.objects.get()
    assert charge.inputs["extras"] == [
        {"words": "样品池 × 2", "words_en": "Sample cell × 2", "amount_fen": 30_00},
        {"words": "氩气", "amount_fen": 20_00},
    ]
    steps = [step for step in charge.result["steps"] if step["key"] == "price.step.extra"]
    for language, told, lines in (
        ("en", "Sample cell × 2: ¥30.00", ["Sample cell × 2: ¥30.00", "氩气: ¥20.00"]),
        ("zh-hans", "样品池 × 2：¥30.00", ["样品池 × 2：¥30.00", "氩气：¥20.00"]),
    ):
        with translation.override(language):
            assert told in words_of(asked.event, asked.params).lines
            assert [step_sentence(step["key"], step["params"]) for step in steps] == lines
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")]


def test_time_agrees_to_the_time_alone_and_what_nobody_answered_falls_away(cast: Cast, over: int) -> None:
    session_extras.propose(cast.actor("wang"), over, Used(3, "cell"), slot_of(9, 12).ends_at)
    now = UsageSession.objects.get().review_until + timedelta(days=30)
    usage_review.remind_due(now)
    assert usage_review.agree_due(now + timedelta(days=10)) == 1
    charge, extra = Charge.objects.get(), SessionExtra.objects.get()
    assert (charge.gross_fen, "extras" in charge.inputs) == (1200_00, False)
    assert (extra.state, extra.answered_by) == ("withdrawn", None)


def test_every_wrong_entry_names_its_field_and_the_database_has_the_last_word(cast: Cast, over: int) -> None:
    wang, at = cast.actor("wang"), slot_of(9, 12).ends_at
    for used, code, field in (
        (Used(1, "tube"), "extras.addon_unknown", "addon"),
        (Used(1), "extras.words_missing", "words"),
        (Used(0, "cell"), "extras.quantity_range", "quantity"),
        (Used(1_001, "cell"), "extras.quantity_range", "quantity"),
        (Used(1, words="gas"), "extras.rate_range", "rate"),
    ):
        with pytest.raises(Refusal) as refused:
            session_extras.propose(wang, over, used, at)
        assert (code, field) in [(reason.code, reason.field) for reason in refused.value.reasons]
    for who in ("lin", "li", "he"):
        with pytest.raises((Forbidden, NotFound)):
            session_extras.propose(cast.actor(who), over, Used(1, "cell"), at)
    row = session_extras.propose(wang, over, Used(1, "cell"), at)
    for change, name in (
        ({"amount_fen": 1}, "frozen|update|quantity_times_rate"),
        ({"state": "agreed", "answered_by": wang.user_id, "answered_at": at}, "agreed_by_another"),
        ({"state": "declined"}, "session_extra_answered"),
    ):
        with pytest.raises(Exception, match=name), transaction.atomic():
            SessionExtra.objects.filter(pk=row.pk).update(**change)
    for statement in (
        "TRUNCATE billing_sessionextra CASCADE",
        "DELETE FROM billing_sessionextra",
        "UPDATE billing_sessionextra SET words = 'x'",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_both_sides_do_it_over_the_api(cast: Cast, over: int) -> None:
    def client(name: str) -> APIClient:
        found = APIClient()
        found.force_authenticate(user=User.objects.get(email=f"{name}@example.org"))
        return found

    place = f"/api/v1/reservations/{over}/extras/"
    made = client("wang").post(place, {"addon": "cell", "quantity": 2}, format="json")
    assert (made.status_code, made.json()["amount_fen"], made.json()["state"]) == (201, 30_00, "proposed")
    wrong = client("wang").post(place, {"quantity": 0}, format="json")
    assert wrong.status_code == 422 and {each["field"] for each in wrong.json()["errors"]} == {"words", "quantity"}
    agree = f"/api/v1/session-extras/{made.json()['id']}/agree/"
    assert client("he").post(agree, {}, format="json").status_code == 404
    assert client("lin").post(agree, {"amount_fen": 1}, format="json").status_code == 409
    assert client("lin").post(agree, {"amount_fen": 30_00}, format="json").json()["state"] == "agreed"
    assert [each["state"] for each in client("lin").get(place).json()] == ["agreed"]
