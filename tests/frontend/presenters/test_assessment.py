from __future__ import annotations

import re

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from billing import wording
from billing.settlement.models import Quote
from billing.settlement.services import quotes
from billing.subsidy.rules import MESSAGES
from booking.services import reservations
from booking.services.reservations import ReservationRequest
from config.kernel import messages
from frontend.presenters import assessment as presenter


@pytest.fixture
def english():
    with translation.override("en"):
        yield


def preview_of(cast, during):
    return quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, during, cast.now)


def test_every_step_of_the_engine_has_a_sentence_of_ours_that_asks_for_nothing_else():
    assert set(MESSAGES) <= messages.codes()
    for key, message in MESSAGES.items():
        asked = set(re.findall(r"%\((\w+)\)s", str(messages._sentences[key])))
        assert asked <= {*message.params, "cap"}, key


def test_the_four_numbers_and_the_programmes_are_in_the_readers_words(cast, programmes, slot, english):
    rows = presenter.of_preview(preview_of(cast, slot(9, 12)))
    assert rows.gross_fen - rows.deducted_fen == rows.payable_now_fen
    assert rows.payable_now_fen - rows.refunded_fen == rows.final_cost_fen
    assert rows.customer_class == "Small and medium-sized firm"
    voucher = next(outcome for outcome in rows.outcomes if outcome.code == "DEMO-QH-V")
    assert voucher.awarded and voucher.mode_word == "Deducted now"
    assert [payer.name for payer in voucher.payers] == ["Province", "Prefecture"]
    assert rows.steps[0].sentence == "Standard hours: 3 h at ¥400.00 per hour = ¥1,200.00"
    assert any(step.sentence == "40% of ¥1,200.00" and step.clause_text for step in voucher.steps)
    refused = next(outcome for outcome in rows.outcomes if outcome.code == "DEMO-QH-A")
    assert not refused.awarded and refused.reasons[0].clause_text.startswith("(Synthetic)")


def test_a_frozen_quote_shows_the_same_rows_as_the_live_one(cast, programmes, slot, english):
    live = presenter.of_preview(preview_of(cast, slot(9, 12)))
    request = ReservationRequest(cast.xrd.pk, cast.firm.pk, slot(9, 12), "self_operated", "lithium salts")
    reserved = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key="k")
    assert presenter.of_frozen(Quote.objects.get(reservation_id=reserved.reservation_id)) == live


def test_no_code_of_the_engine_reaches_the_page(cast, programmes, slot, english):
    html = render_to_string("billing/_steps.html", {"rows": presenter.of_preview(preview_of(cast, slot(9, 12)))})
    for code in ("firm_sme", "firm_year", "deducted_now", "half_up", "standard:", "10800"):
        assert code not in html
    assert "Pay now" in html and "How was this calculated?" in html


def test_chinese_readers_get_the_chinese_clauses(cast, programmes, slot):
    with translation.override("zh-hans"):
        rows = presenter.of_preview(preview_of(cast, slot(9, 12)))
    assert rows.outcomes[0].name.startswith("\u3010")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (1800, "30 min"), (10_800, "3 h"), (5_401, "1 h 30 min 1 s")]
)
def test_seconds_are_shown_as_hours_and_minutes(seconds, words, english):
    assert wording.seconds_words(seconds) == words


@pytest.mark.parametrize(("rate", "words"), [("0.5", "50%"), ("0.375", "37.5%"), ("1", "100%"), ("0", "0%")])
def test_rates_are_shown_as_per_cent(rate, words):
    assert wording.percent(rate) == words


def test_an_hourly_rate_keeps_its_digits_beyond_the_fen():
    assert wording.hourly("400") == "¥400.00"
    assert wording.hourly("33.335") == "¥33.335"
    assert wording.hourly("1200.5") == "¥1,200.50"
