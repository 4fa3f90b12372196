"""Pages of use and figures: periods, hours, one instrument, files."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from booking.models import Reservation
from booking.services import transitions
from tests.frontend.acting import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def used(cast, approved):
    """A session of three hours on the day after tomorrow."""
    pk = approved(9, 12)
    reservation = Reservation.objects.get(pk=pk)
    transitions.check_in(cast.actor("wang"), pk, reservation.starts_at)
    transitions.check_out(cast.actor("wang"), pk, reservation.ends_at)
    return reservation


def test_who_has_one_lab_is_led_to_it_and_an_official_chooses(as_, cast):
    led = as_("wang").get("/utilisation/")
    assert (led.status_code, led.url) == (302, f"/utilisation/{cast.lab.pk}/")
    page = as_("qian").get("/utilisation/").content.decode()
    assert f"/utilisation/{cast.lab.pk}/" in page
    assert "No lab of this name" in as_("qian").get("/utilisation/?q=nowhere").content.decode()


def test_the_page_shows_figures_hours_and_instruments(as_, cast, clock, used):
    clock.now = used.ends_at + timedelta(days=30)
    page = as_("wang").get(f"/utilisation/{cast.lab.pk}/?span=month&on=2026-11-01")
    text = words(page)
    for said in ("Used 3.0 h", "Effective hours 3.0 h", "Share of others 100%", "Before: Oct 2026."):
        assert said in text, said
    assert "counted until" not in text
    body = page.content.decode()
    assert '<th scope="row" class="num">09:00</th>' in body
    assert body.count('title="1.0 of 4.0 h used">25</td>') == 3, "each of the three hours of the one Wednesday of four"
    assert f"instrument={cast.xrd.pk}" in body


def test_one_instrument_is_looked_at_in_depth(as_, cast, clock, used):
    clock.now = used.ends_at + timedelta(days=1)
    text = words(as_("li").get(f"/utilisation/{cast.lab.pk}/?instrument={cast.xrd.pk}"))
    assert "X-ray diffractometer" in text and "counted until" in text and "Instruments, the most used first" not in text


def test_days_to_come_are_not_said_to_pass_and_lead_no_further(as_, cast, clock):
    to_come = as_("wang").get(f"/utilisation/{cast.lab.pk}/?span=month&on=2026-12-05")
    report, body = to_come.context["report"], to_come.content.decode()
    assert report.before_words == "Before: Nov 2026." and "counted until" not in body and 'rel="next"' not in body
    runs = as_("wang").get(f"/utilisation/{cast.lab.pk}/?span=month&on=2026-11-05")
    assert runs.context["report"].before_words == "Before: Oct 2026, as far into it as this period has passed."
    assert "counted until" in runs.content.decode() and 'rel="next"' not in runs.content.decode()
    over = as_("wang").get(f"/utilisation/{cast.lab.pk}/?span=month&on=2026-10-05").content.decode()
    assert "counted until" not in over and 'rel="next"' in over


def test_wrong_days_are_said_beside_what_was_typed(as_, cast):
    page = as_("wang").get(f"/utilisation/{cast.lab.pk}/?span=own&first_on=2026-03-03&last_on=2026-03-02")
    assert page.status_code == 422
    body = page.content.decode()
    assert 'value="2026-03-03"' in body and 'value="2026-03-02"' in body
    assert "The last day lies before the first" in words(page)


def test_the_files_are_tables_without_formulas(as_, cast, clock, used):
    cast.xrd.name = "=1+1"
    cast.xrd.save(update_fields=["name"])
    clock.now = used.ends_at + timedelta(days=30)
    address = f"/utilisation/{cast.lab.pk}/file/?span=month&on=2026-11-01"
    content = as_("wang").get(address).content
    assert content.startswith(b"\xef\xbb\xbf")
    head, row, total = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert row[1] == "'=1+1" and row[head.index("Used hours")] == "3.0" == total[head.index("Used hours")]
    lines = list(csv.reader(io.StringIO(as_("wang").get(f"{address}&instrument={cast.xrd.pk}").content.decode("utf-8-sig"))))
    wednesday = [line for line in lines if line[0] == "Wednesday" and line[1] == "09:00"]
    assert wednesday == [["Wednesday", "09:00", "4.0", "1.0", "25"]]


def test_days_with_nothing_to_count_say_so(as_, cast):
    text = words(as_("wang").get(f"/utilisation/{cast.lab.pk}/?span=year&on=2030-01-01"))
    assert "Nothing to count in these days" in text
