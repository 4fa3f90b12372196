"""Many people of a firm accept one quotation at the same moment: it becomes one order."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date

import pytest

from billing.ordering.models import CommissionSheet
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import quotations, sheets
from billing.ordering.services.quotations import QuotationInput
from booking.services import enquiries
from booking.services.enquiries import Question
from tests.concurrency.harness import at_once, broken, sql_run, tally, violations
from tests.concurrency.world import World

PEOPLE = 8


def sent(world: World) -> int:
    """A quotation of the lab for the cast's firm."""
    cast = world.cast
    question = Question(cast.firm.pk, "Salts", "How much?", cast.xrd.pk)
    enquiry = enquiries.ask(cast.actor("lin"), question, (), cast.now, idempotency_key="ask").pk
    given = QuotationInput("Salts", date(2026, 12, 20), (LineInput("other", "1", None, "All", "piece", 10_000),))
    pk = quotations.draft(cast.actor("wang"), enquiry, given, cast.now, idempotency_key="draft").pk
    quotations.send(cast.actor("wang"), pk, "", cast.now)
    return pk


def accepting(world: World, quotation_id: int, place: int) -> Callable[[], quotations.Made]:
    actor = world.cast.actor("lin" if place % 2 else "zhao")
    return lambda: quotations.accept(actor, quotation_id, 10_000, world.cast.now, idempotency_key=f"accept-{place}")


def test_of_many_who_accept_at_once_one_orders(world: World) -> None:
    pk = sent(world)
    counted = tally(at_once([accepting(world, pk, place) for place in range(PEOPLE)]))
    assert counted == {"ok": 1, "quotation.illegal_transition": PEOPLE - 1}
    assert CommissionSheet.objects.count() == 1
    assert violations() == {}


def test_without_lock_and_constraint_it_is_ordered_more_than_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: nobody locks the quotation, and the database no longer refuses a second sheet."""
    from billing.ordering.models import Quotation
    from config.kernel.access import get_visible

    def unlocked(actor: object, quotation_id: int) -> Quotation:
        rows = Quotation.objects.select_related("enquiry__lab", "enquiry__organisation")
        found = get_visible(rows, actor, pk=quotation_id)  # type: ignore[arg-type]
        time.sleep(0.3)
        return found

    pk = sent(world)
    sql_run("ALTER TABLE billing_commissionsheet DROP CONSTRAINT billing_commissionsheet_quotation_id_key")
    monkeypatch.setattr(quotations, "_locked", unlocked)
    at_once([accepting(world, pk, place) for place in range(PEOPLE)])
    assert CommissionSheet.objects.count() > 1
    assert set(broken("kernel.guards_installed")) == {"ordering.accepted_quotations_became_one_sheet"}


def test_of_both_sides_who_sign_at_once_the_second_brings_it_into_force(world: World) -> None:
    cast = world.cast
    pk = quotations.accept(cast.actor("lin"), sent(world), None, cast.now, idempotency_key="accept").pk
    sheet = sheets.issue(cast.actor("wang"), pk, cast.now)
    actors = [cast.actor(name) for name in ("wang", "zhao", "wang", "zhao")]
    calls = [lambda actor=actor: sheets.sign(actor, pk, sheet.content_sha256, cast.now) for actor in actors]  # type: ignore[misc]
    counted = tally(at_once(calls))
    assert counted["ok"] == 2
    assert CommissionSheet.objects.get(pk=pk).state == "in_force"
    assert violations() == {}


def test_numbers_have_no_gap_when_many_are_sent_at_once(world: World) -> None:
    from billing.ordering.models import Quotation

    cast = world.cast
    question = Question(cast.firm.pk, "Salts", "How much?", cast.xrd.pk)
    enquiry = enquiries.ask(cast.actor("lin"), question, (), cast.now, idempotency_key="ask").pk
    given = QuotationInput("Salts", date(2026, 12, 20), (LineInput("other", "1", None, "All", "piece", 10_000),))
    drafts = [
        quotations.draft(cast.actor("wang"), enquiry, given, cast.now, idempotency_key=f"draft-{place}").pk for place in range(6)
    ]
    managers = [world.manager(place % 4) for place in range(6)]
    calls = [
        lambda manager=manager, pk=pk: quotations.send(manager, pk, "", cast.now)  # type: ignore[misc]
        for manager, pk in zip(managers, drafts, strict=True)
    ]
    assert tally(at_once(calls)) == {"ok": 6}
    numbers = sorted(Quotation.objects.values_list("number", flat=True))
    assert numbers == [f"BJ-2026-{place:06d}" for place in range(1, 7)]
