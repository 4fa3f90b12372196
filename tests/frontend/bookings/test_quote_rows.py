"""The lines, the tax and the limits of a quote: live, frozen and printed, in both languages, and over the interface."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext

from billing import wording
from billing.pricing.models import PriceVersion
from billing.pricing.rules.tax import TaxTold
from tests.conftest import PRICE
from tests.frontend.acting import FRAGMENT, words
from tests.frontend.bookings.test_quote_pdf import text_of

CLASSES = PRICE["rates"]


@pytest.fixture
def taxed(cast):
    """``taxed(included)``: an hour for 400, setting up for 50, at least 1,000, and a tax of 6 per cent."""

    def publish(included):
        document = {
            "format": 2, "currency": "CNY", "unit": "hour", "rates": CLASSES, "setup": dict.fromkeys(CLASSES, "50"),
            "minimum": {"amount": "1000"}, "tax": {"rate": "0.06", "included": included},
            "rounding": {"step": "fen", "mode": "half_up"},
        }  # fmt: skip
        on = date(2026, 11, 23)
        PriceVersion.objects.create(instrument=cast.xrd, effective_from=on, document=document, published_at=cast.now)

    return publish


def chinese(client, cast):
    """The same person, who reads Chinese from now on."""
    type(cast.users["lin"]).objects.filter(pk=cast.users["lin"].pk).update(language="zh-hans")
    client.cookies["django_language"] = "zh-hans"
    return client


def live(cast):
    chosen = f"instrument={cast.xrd.pk}&organisation={cast.firm.pk}&service_mode=self_operated"
    return f"/quotes/preview?{chosen}&on=2026-11-25&from=09:00&to=10:00"


ADDED = ["1 h × ¥400.00", "Setting up ¥50.00", "Up to the least charge ¥550.00", "Tax of 6%, added ¥60.00"]
CONTAINED = ["1 h × ¥400.00", "Setting up ¥50.00", "Up to the least charge ¥550.00", "Contains tax of 6% ¥56.60"]


@pytest.mark.parametrize(
    ("included", "rows", "gross"), [(False, ADDED, "¥1,060.00"), (True, CONTAINED, "¥1,000.00")], ids=["added", "contained"]
)
def test_every_line_has_its_own_words_and_tax_and_gross_are_rows(as_, cast, programmes, taxed, ask, included, rows, gross):
    taxed(included)
    client = as_("lin")
    pk = ask(9, 10)
    shown = [words(client.get(live(cast), headers=FRAGMENT)), words(client.get(f"/bookings/{pk}/"))]
    shown.append(text_of(client.get(f"/bookings/{pk}/quote.pdf").content))
    for text in shown:
        for row in rows:
            assert row in text, row
        assert text.count("Up to the least charge ¥") == 1
        assert "Price of the session" in text and f"Small and medium-sized firm {gross}" in text


def test_both_are_told_in_chinese_too(as_, cast, programmes, taxed, ask):
    taxed(True)
    pk, client = ask(9, 10), chinese(as_("lin"), cast)
    pages = [words(client.get(live(cast), headers=FRAGMENT)), words(client.get(f"/bookings/{pk}/"))]
    pages.append(text_of(client.get(f"/bookings/{pk}/quote.pdf").content))
    with translation.override("zh-hans"):
        rows = [
            f"{pgettext('line of a price', 'Setting up')} ¥50.00",
            f"{pgettext('line of a price', 'Up to the least charge')} ¥550.00",
            f"{wording.tax_word(TaxTold('0.06', 56_60, included=True))} ¥56.60",
        ]
    for text in pages:
        for row in rows:
            assert row in text, row


def test_a_line_for_time_that_was_not_used_says_so(as_, cast):
    text = words(as_("lin").get(live(cast).replace("10:00", "09:15"), headers=FRAGMENT))
    assert "15 min × ¥400.00 Standard hours, up to the least time ¥100.00" in text


def test_the_frozen_figures_say_what_they_leave_of_each_limit(as_, cast, programmes, ask):
    pk = ask(9, 12)
    page, printed = words(as_("lin").get(f"/bookings/{pk}/")), text_of(as_("lin").get(f"/bookings/{pk}/quote.pdf").content)
    voucher = "[SYNTHETIC] Demo innovation voucher: deducted at once, redeemed by the provider DEMO-QH-V"
    assert f"Yearly limit of the firm: ¥59,520.00 left after this {voucher}" in page
    assert "Limits of DEMO-QH-V 2025.1 Left after this" in printed and "Yearly limit of the firm ¥59,520.00" in printed
    with translation.override("zh-hans"):
        limit = capfirst(pgettext("subsidy limit", "yearly limit of the firm"))
        left = gettext("%(name)s: %(left)s left after this") % {"name": limit, "left": "¥59,520.00"}
    client = chinese(as_("lin"), cast)
    assert left in words(client.get(f"/bookings/{pk}/"))
    assert f"{limit} ¥59,520.00" in text_of(client.get(f"/bookings/{pk}/quote.pdf").content)
