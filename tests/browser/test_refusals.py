"""Bad input as people see it: a clear sentence, everything that was typed still there, another time with one press."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser import stage
from tests.browser.checks import content_accessible
from tests.browser.journey import end_session, fill_log_in, log_in, new_instrument, newly_arrived, reservation_at, state_of
from tests.browser.pages import at
from tests.browser.running_site import Site
from tests.browser.visitors import PERSONAS, Visitor, Visitors

#: Emoji, Tibetan (Lhasa), full-width forms, the beginning of a formula, mark-up.
STRANGE = '\U0001f9ea \u0f63\u0fb7\u0f0b\u0f66 \uff21\uff22 =cmd()|calc <b>bold</b> & "quotes"'


def open_form(visitor: Visitor, instrument: int, hour: int = 9, days: int = 3, purpose: str = "") -> datetime:
    """The instrument's page with a time of two hours filled in; returns its start."""
    starts_at = (timezone.localtime() + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
    ends_at = starts_at + timedelta(hours=2)
    time = {"on": starts_at.date().isoformat(), "from_": f"{starts_at:%H:%M}", "to": f"{ends_at:%H:%M}"}
    visitor.open(at("instrument_detail", instrument, **time))
    expect(visitor.page.locator("#quote .price-now")).to_be_visible()
    visitor.page.wait_for_load_state("networkidle")  # the form has the time held for who may book
    visitor.page.get_by_label("Purpose").fill(purpose)
    return starts_at


def taken_by_another(site: Site, instrument: int, starts_at: datetime, hours: float = 2) -> None:
    """The time is held for the researcher no more, and another firm books it while the form is open."""
    from booking.services import holds
    from instruments.models import Instrument

    with site.data():
        holds.release(stage.persona(PERSONAS["researcher"]), instrument)
        rival = stage.persona("firm-admin.firm2@demo.jishi.example")
        stage.book(rival, Instrument.objects.get(pk=instrument), starts_at, hours, datetime.now(UTC))


def problems(page: Page) -> list[str]:
    """The sentences of the form's error summary, which has the focus."""
    summary = page.locator("#booking-panel .error-summary")
    expect(summary).to_be_focused()
    return summary.get_by_role("listitem").all_inner_texts()


def test_a_time_that_was_just_taken_is_refused_and_one_press_books_another(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Overlap oven")
    visitor = people.get("researcher", "en")
    page = visitor.page
    starts_at = open_form(visitor, instrument, purpose=STRANGE)
    taken_by_another(used, instrument, starts_at + timedelta(hours=1))
    page.locator("#booking-submit").click()
    assert any("taken" in sentence for sentence in problems(page))
    expect(page.get_by_label("Purpose")).to_have_value(STRANGE)
    expect(page.locator("#booking-from")).to_have_value("09:00")
    content_accessible(page)

    others = page.locator(".alternative")
    assert others.count() >= 2
    assert "pay now" in others.first.inner_text()
    words = others.first.locator("span").first.inner_text()
    others.first.click()
    page.wait_for_url("**/bookings/*/")
    pk = reservation_at(page.url)
    assert state_of(used, pk) == "requested"
    expect(page.get_by_role("main")).to_contain_text(STRANGE)
    expect(page.get_by_role("main")).to_contain_text(words.split("\u2013")[0].strip())
    with used.data():
        from booking.models import Reservation

        booked = Reservation.objects.get(pk=pk)
        assert booked.purpose == STRANGE
        assert not booked.starts_at < starts_at + timedelta(hours=3) or not starts_at + timedelta(hours=1) < booked.ends_at
    assert visitor.faults.found == []


def test_a_time_that_is_taken_is_said_to_be_taken_while_one_chooses(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Busy balance")
    visitor = people.get("researcher", "en")
    starts_at = open_form(visitor, instrument)
    taken_by_another(used, instrument, starts_at)
    page = visitor.page
    page.locator("#booking-to").fill("12:00")
    expect(page.locator("#quote")).to_contain_text("This time is taken.")
    chip = page.locator("#quote a.chip").first
    wanted = chip.get_attribute("data-from")
    chip.click()
    expect(page.locator("#booking-from")).to_have_value(str(wanted))
    expect(page.locator("#quote")).not_to_contain_text("This time is taken.")


def test_a_purpose_that_is_too_long_is_refused_and_kept(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Long-winded laser")
    visitor = people.get("researcher", "en")
    long = STRANGE + "\u957f" * 1000
    open_form(visitor, instrument, purpose=long)
    visitor.page.locator("#booking-submit").click()
    assert len(problems(visitor.page)) == 1
    expect(visitor.page.get_by_label("Purpose")).to_have_value(long)
    expect(visitor.page.get_by_label("Purpose")).to_have_attribute("aria-invalid", "true")
    expect(visitor.page.locator("#booking-to")).to_have_value("11:00")


def test_every_broken_rule_is_said_at_once(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Strict sieve")
    visitor = people.get("researcher", "en")
    open_form(visitor, instrument)
    page = visitor.page
    page.locator("#booking-on").fill((timezone.localdate() - timedelta(days=30)).isoformat())
    page.locator("#booking-on").evaluate("(input) => input.removeAttribute('min')")
    page.locator("#booking-from").fill("09:10")
    page.locator("#booking-to").fill("09:20")
    page.locator("#booking-form").evaluate("(form) => form.noValidate = true")
    page.locator("#booking-submit").click()
    assert len(problems(page)) >= 3


def test_what_was_typed_survives_a_log_in_that_ran_out(people: Visitors, used: Site) -> None:
    instrument = new_instrument(used, "Forgetful furnace")
    visitor = newly_arrived(people)
    log_in(visitor, "researcher")
    page = visitor.page
    open_form(visitor, instrument, purpose=STRANGE)
    page.get_by_label("Research project").fill("Salt lakes")
    end_session(visitor, used)
    page.locator("#booking-submit").click()
    page.wait_for_url("**/accounts/login/?*")
    fill_log_in(page, "researcher")
    page.wait_for_url(f"**/instruments/{instrument}/book?*")
    expect(page.get_by_label("Purpose")).to_have_value(STRANGE)
    expect(page.get_by_label("Research project")).to_have_value("Salt lakes")
    expect(page.locator("#booking-from")).to_have_value("09:00")
    page.locator("#booking-submit").click()
    page.wait_for_url("**/bookings/*/")
    expect(page.get_by_role("main")).to_contain_text(STRANGE)


def test_a_firm_with_impossible_facts_is_refused_and_kept(people: Visitors) -> None:
    visitor = people.get("newcomer", "en")
    visitor.open(at("organisation_create", kind="firm"))
    page = visitor.page
    page.locator("form[method=post]").last.evaluate("(form) => form.noValidate = true")
    name = "\u6c5f" * 1000
    page.locator("[name=name]").fill(name)
    page.locator("[name=staff_count]").fill("-5")
    page.get_by_role("main").get_by_role("button").last.click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("[name=name]")).to_have_value(name)
    expect(page.locator("[name=staff_count]")).to_have_value("-5")
    assert page.locator(".problem").count() >= 2
    content_accessible(page)


def test_a_foreign_booking_is_not_there(people: Visitors, used: Site) -> None:
    from booking.models import Reservation

    with used.data():
        own = stage.persona(PERSONAS["researcher"]).organisations()
        foreign = Reservation.objects.exclude(organisation_id__in=own).latest("pk")
        words = [foreign.organisation.name, foreign.organisation.name_en, foreign.reference]
    visitor = people.get("researcher", "en")
    response = visitor.open(at("reservation_detail", foreign.pk))
    assert response.status == 404
    shown = visitor.page.content()
    assert not any(word and word in shown for word in words)
    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()


def test_a_search_of_a_hundred_kilobytes_is_refused_in_words_and_the_next_is_answered(used: Site) -> None:
    """The application server refuses the line before any of our code sees it."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{used.address}/search/?q={'x' * 100_000}", timeout=10)
    assert refused.value.code == 414
    assert b"too l" in refused.value.read().lower()
    with urllib.request.urlopen(f"{used.address}/search/?q={'x' * 3_000}", timeout=10) as answer:
        assert answer.status == 200
