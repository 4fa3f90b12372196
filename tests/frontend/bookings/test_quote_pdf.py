"""The quote of a booking as a PDF: the figures and the steps that the customer was shown, in the reader's language."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from billing.settlement.extra_models import SessionExtra
from billing.settlement.models import Quote
from billing.settlement.pinned import quote_sha256
from booking.ports import Addons
from booking.rules.samples import ExtraState
from tests.billing.settlement.test_chosen_addons import publish_with_addons
from tests.frontend.acting import words


def text_of(pdf: bytes) -> str:
    program = shutil.which("pdftotext")
    assert program, "pdftotext is missing (Debian: apt-get install poppler-utils)"
    done = subprocess.run([program, "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


def test_the_quote_is_printed_with_every_step_and_clause(as_, programmes, ask):
    pk = ask(9, 12)
    client = as_("lin")
    assert f"/bookings/{pk}/quote.pdf" in client.get(f"/bookings/{pk}/").content.decode()
    answer = client.get(f"/bookings/{pk}/quote.pdf")
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    text = text_of(answer.content)
    for part in ("X-ray diffractometer", "¥1,200.00", "−¥480.00", "¥720.00", "DEMO-QH-V 2025.1", "40% of ¥1,200.00", "Not met:"):
        assert part in text, part


def test_it_is_printed_in_chinese_too(as_, programmes, ask):
    client = as_("lin")
    client.cookies["django_language"] = "zh-hans"
    assert "1,200.00" in text_of(client.get(f"/bookings/{ask(9, 12)}/quote.pdf").content)


@pytest.mark.parametrize("who", ["he", "out"])
def test_others_do_not_see_it(as_, cast, programmes, ask, who):
    if who == "out":
        assert as_().get(f"/bookings/{ask(9, 12)}/quote.pdf").status_code == 302
    else:
        answer = as_(who).get(f"/bookings/{ask(9, 12)}/quote.pdf")
        assert answer.status_code == 404 and "Not found" in words(answer)


def test_what_was_chosen_besides_the_time_is_printed_with_what_it_comes_to(as_, cast, programmes, ask):
    publish_with_addons(cast)
    answer = as_("lin").get(f"/bookings/{ask(9, 12, addons=Addons((('cell', 2),)))}/quote.pdf")
    text = text_of(answer.content)
    for part in ("2 × ¥15.00", "¥30.00", "Final cost with it", "¥750.00"):
        assert part in text, part


def test_it_says_which_quote_it_is_and_is_the_same_bytes_for_everybody_at_any_time(as_, cast, programmes, ask, monkeypatch):
    pk = ask(9, 12)
    quote = Quote.objects.get(reservation=pk)
    first = as_("lin").get(f"/bookings/{pk}/quote.pdf").content
    text = text_of(first)
    assert quote.reservation.reference in text and quote_sha256(quote) in text.replace(" ", "")
    Quote.objects.filter(pk=quote.pk).update(accepted_at=quote.created_at + timedelta(hours=1))
    later = quote.valid_until + timedelta(days=1) if quote.valid_until else quote.created_at + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    elsewhere = as_("wang")
    elsewhere.cookies["zone"] = "America/New_York"
    with timezone.override(ZoneInfo("America/New_York")):
        assert elsewhere.get(f"/bookings/{pk}/quote.pdf").content == first
    assert quote_sha256(Quote.objects.get(pk=quote.pk)) == quote_sha256(quote)


def test_what_is_withdrawn_later_stays_on_the_paper_of_the_figures_then(as_, cast, programmes, ask):
    publish_with_addons(cast)
    pk = ask(9, 12, addons=Addons((("cell", 2),)))
    first = as_("lin").get(f"/bookings/{pk}/quote.pdf").content
    later = Quote.objects.get(reservation=pk).created_at + timedelta(minutes=5)
    SessionExtra.objects.filter(reservation=pk).update(state=ExtraState.WITHDRAWN, answered_at=later)
    assert as_("lin").get(f"/bookings/{pk}/quote.pdf").content == first
