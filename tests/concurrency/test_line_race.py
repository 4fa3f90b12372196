"""One line of a signed commission, charged on several sessions at the same moment: never beyond its quantity."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest

from billing.ordering.models import CommissionCharge, CommissionSheet
from billing.ordering.rules.lines import LineInput
from billing.ordering.services import line_charges, quotations, sheets
from billing.ordering.services.line_charges import Part
from billing.ordering.services.quotations import QuotationInput
from booking.services import enquiries, reservations, transitions
from booking.services.enquiries import Question
from booking.services.reservations import ReservationRequest
from config.kernel.access import Actor, get_visible
from tests.concurrency.harness import at_once, broken, sql_run, tally, violations
from tests.concurrency.world import World

SESSIONS = 4


def signed(world: World) -> CommissionSheet:
    """A sheet in force of the cast's firm: one report translated."""
    cast = world.cast
    question = Question(cast.firm.pk, "Salts", "How much?", cast.xrd.pk)
    enquiry = enquiries.ask(cast.actor("lin"), question, (), cast.now, idempotency_key="ask").pk
    line = LineInput("other", "1", None, "Report translation", "piece", 300_00)
    offer = QuotationInput("Salts", date(2026, 12, 20), (line,))
    quotation = quotations.draft(cast.actor("wang"), enquiry, offer, cast.now, idempotency_key="draft").pk
    quotations.send(cast.actor("wang"), quotation, "", cast.now)
    pk = quotations.accept(cast.actor("lin"), quotation, None, cast.now, idempotency_key="accept").pk
    sheet = sheets.issue(cast.actor("wang"), pk, cast.now)
    for who in ("wang", "zhao"):
        sheet = sheets.sign(cast.actor(who), pk, sheet.content_sha256, cast.now)
    return sheet


def running(world: World, sheet: CommissionSheet) -> list[int]:
    """Sessions under it, each on an instrument of its own, that have begun."""
    cast, made = world.cast, []
    for place, instrument in enumerate(world.instruments[:SESSIONS]):
        during = world.slot(8 + 2 * place)
        request = ReservationRequest(instrument.pk, cast.firm.pk, during, "self_operated", "salts")
        pk = reservations.reserve(cast.actor("lin"), request, cast.now, idempotency_key=f"r{place}").reservation_id
        transitions.approve(cast.actor("wang"), pk, cast.now)
        sheets.link(cast.actor("wang"), sheet.pk, pk, cast.now)
        transitions.check_in(cast.actor("wang"), pk, during.starts_at)
        made.append(pk)
    return made


def charging(world: World, sheet: CommissionSheet, sessions: list[int]) -> list[Callable[[], Any]]:
    at = world.slot(16).ends_at
    return [
        partial(line_charges.charge, world.manager(place), sheet.pk, Part(1, "1", pk), at) for place, pk in enumerate(sessions)
    ]


def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the sheet, and everybody looks before anybody writes."""

    def read(_rows: Any, actor: Actor, pk: int) -> CommissionSheet:
        return get_visible(CommissionSheet.objects.all(), actor, pk=pk)

    entered = line_charges._entered

    def late(*args: Any) -> Any:
        time.sleep(0.5)
        return entered(*args)

    monkeypatch.setattr(line_charges, "get_visible", read)
    monkeypatch.setattr(line_charges, "_entered", late)


def test_of_many_who_charge_what_is_left_of_a_line_one_does(world: World) -> None:
    sheet = signed(world)
    counted = tally(at_once(charging(world, sheet, running(world, sheet))))
    assert counted == {"ok": 1, "commission.line_used_up": SESSIONS - 1}
    assert violations() == {}


def test_without_the_lock_of_the_sheet_the_database_lets_one_of_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = signed(world)
    calls = charging(world, sheet, running(world, sheet))
    unlocked(monkeypatch)
    assert tally(at_once(calls))["ok"] == 1
    assert CommissionCharge.objects.count() == 1
    assert violations() == {}


def test_without_lock_and_trigger_the_line_is_charged_more_than_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    sheet = signed(world)
    calls = charging(world, sheet, running(world, sheet))
    unlocked(monkeypatch)
    sql_run("ALTER TABLE billing_commissioncharge DISABLE TRIGGER USER")
    at_once(calls)
    assert CommissionCharge.objects.count() > 1
    assert set(broken("kernel.guards_installed")) == {"ordering.other_lines_are_charged_up_to_their_quantity"}
