"""What programmes ask is asked once for a series, for several instruments together and for a test, and kept with each of them."""

from __future__ import annotations

from typing import Any

import pytest

from booking.models import Reservation, SampleJob
from booking.rules.answers import known_answers
from tests.billing.settlement.test_questions import LICENSED, powerful
from tests.billing.vouchers.conftest import published
from tests.booking.samples.conftest import make_item
from tests.concurrency.world import add_instrument
from tests.frontend.acting import words
from tests.frontend.bookings import test_series, test_together

__all__ = ["published"]
TYPED = {"answer-other.licensed": "yes", "answer-other.power": "300"}
SAID = {"other.licensed": "yes", "other.power": "300"}


def kept() -> list[dict[str, str]]:
    return [known_answers(text) for text in Reservation.objects.order_by("pk").values_list("answers", flat=True)]


def sent(shown: Any) -> dict[str, Any]:
    """What the report's form sends: of the answers what was kept, not the boxes of the form above it."""
    return {name: value for name, value in test_series.sent(shown, action="ask").items() if not name.startswith("answer-")}


@pytest.fixture
def asking(published: Any) -> None:
    published(powerful())


def test_a_series_asks_once_and_keeps_the_answers_with_every_time(as_: Any, cast: Any, asking: None) -> None:
    page = f"/instruments/{cast.xrd.pk}/series"
    silent = as_("lin").get(page, test_series.RULE)
    assert words(silent).count(LICENSED["en"]) == 1
    shown = as_("lin").get(page, test_series.RULE | TYPED)
    assert 'value="yes" checked' in shown.content.decode() and "¥720.00" in words(shown)
    assert as_("lin").post(page, sent(shown)).status_code == 302
    assert kept() == [SAID] * 3


def test_several_instruments_together_ask_once_and_keep_the_answers_with_each(as_: Any, cast: Any, asking: None) -> None:
    second = add_instrument(cast, "Electron microscope")
    own = {f"on-{second.pk}": "2026-11-25", f"from-{second.pk}": "11:00", f"to-{second.pk}": "12:00"}
    both = {"instrument": [cast.xrd.pk, second.pk], "on": "2026-11-25", "from": "09:00", "to": "11:00", **own}
    page = as_("lin").get(test_together.PAGE, both | TYPED)
    assert words(page).count(LICENSED["en"]) == 1
    assert as_("lin").post(test_together.PAGE, test_together.sent(page)).status_code == 302
    assert kept() == [SAID] * 2


def test_a_wrong_answer_of_a_series_is_kept_as_typed_and_said_beside_its_field(as_: Any, cast: Any, asking: None) -> None:
    page = f"/instruments/{cast.xrd.pk}/series"
    shown = as_("lin").get(page, test_series.RULE | TYPED | {"answer-other.power": "lots"})
    assert 'value="lots"' in shown.content.decode() and "Write a whole number, like 300." in words(shown)
    refused = as_("lin").post(page, sent(shown))
    assert refused.status_code == 409 and "is answered by a whole number" in words(refused)
    assert 'value="lots"' in refused.content.decode() and not Reservation.objects.exists()


def test_the_form_of_a_test_asks_and_keeps_the_answers(as_: Any, cast: Any, asking: None) -> None:
    item = make_item(cast)
    page = f"/samples/new/{item.pk}/"
    silent = as_("lin").get(page, {"samples": "3"})
    assert LICENSED["en"] in words(silent)
    sent = {"samples": "3", "organisation": str(cast.firm.pk), "arrive_on": "2026-11-25", "remains_wish": "return", **TYPED}
    sent |= {
        "key": "0b6c4f1e-6a4c-4f0e-9d5b-5d5a9f6b7a12",
        "expected_payable_now_fen": "14400",
        "expected_final_cost_fen": "14400",
    }
    wrong = as_("lin").post(page, sent | {"answer-other.power": "lots"})
    assert wrong.status_code == 422 and 'value="lots"' in wrong.content.decode()
    assert as_("lin").post(page, sent).status_code == 302
    assert known_answers(SampleJob.objects.get().answers) == SAID
