"""What a booking says of the service is corrected until its session is agreed; what subsidies were decided by, while nothing is held."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from billing.settlement.models import Quote
from booking.models import Reservation, ReservationTransition
from booking.ports import NOTHING_EXPECTED, ExpectedFigures
from booking.queries.service_facts import corrections_of
from booking.rules.service_facts import ServiceFacts, fund_sources
from booking.services import reservations, service_facts, transitions
from booking.services.reservations import ReservationRequest
from config.kernel import invariants
from config.kernel.errors import Conflict, Forbidden, NotFound, Refusal
from config.kernel.models import AuditEntry
from instruments.models import Notice
from instruments.notice_events import words_of
from tests.agreeing import check_out_agreed
from tests.billing.settlement.test_once import approved, ask, asking, publish
from tests.billing.settlement.test_service_records import records
from tests.conftest import Cast, slot_of
from tests.spending import build_spenders


def facts_of(pk: int) -> ServiceFacts:
    return Reservation.objects.get(pk=pk).service_facts


def correct(
    cast: Cast, pk: int, who: str = "lin", expected: ExpectedFigures = NOTHING_EXPECTED, seen: Any = None, **said: str
) -> bool:
    return service_facts.correct(cast.actor(who), pk, replace(facts_of(pk), **said), cast.now, expected, seen=seen)


def broken() -> dict[str, Any]:
    found = {name: check().violations for name, check in invariants.registered().items() if not name.startswith("registry.")}
    return {name: wrong for name, wrong in found.items() if wrong}


def test_purpose_and_source_are_corrected_until_the_session_is_agreed_and_stand_in_its_record(
    cast: Cast, programmes: Any
) -> None:
    pk = ask(cast, slot_of(9, 11), "Salt lakes")
    assert correct(cast, pk, purpose=" Brine  of wells ")
    transitions.approve(cast.actor("wang"), pk, cast.now)
    quotes = Quote.objects.count()
    assert correct(cast, pk, who="wang", fund_source="2")
    assert not correct(cast, pk, fund_source="2"), "nothing is another by it"
    steps = ReservationTransition.objects.filter(reservation_id=pk, action="correct").order_by("pk")
    assert [(step.from_state, step.to_state, step.actor.email.partition("@")[0]) for step in steps if step.actor] == [
        ("requested", "requested", "lin"),
        ("approved", "approved", "wang"),
    ]
    logged = AuditEntry.objects.filter(action="reservation.correct").order_by("pk")
    assert [(row.before, row.after) for row in logged] == [
        ({"purpose": "lithium salts"}, {"purpose": "Brine of wells"}),
        ({"fund_source": ""}, {"fund_source": "2"}),
    ]
    assert Quote.objects.count() == quotes, "no money rests on it"
    transitions.check_in(cast.actor("wang"), pk, slot_of(9, 11).starts_at)
    assert correct(cast, pk, purpose="Brine")
    check_out_agreed(cast.actor("wang"), pk, slot_of(9, 11).ends_at)
    with pytest.raises(Refusal, match="no_more"):
        correct(cast, pk, purpose="Something else")
    (record,) = records(cast)
    assert (record["serviceContent"], record["subjectName"]) == ("Brine", "Salt lakes")
    assert broken() == {}


def test_a_project_for_which_less_is_given_is_kept_only_at_the_figures_that_the_customer_saw(cast: Cast) -> None:
    publish(cast, asking("DEMO-QH-ONCE"))
    approved(cast, slot_of(9, 11), "2026-ZJ-8")
    pk = ask(cast, slot_of(13, 15), "2026-ZJ-9")
    before = Quote.objects.get(reservation_id=pk)
    with pytest.raises(Conflict, match="dearer") as refused:
        correct(cast, pk, research_project="2026-ZJ-8")
    assert facts_of(pk).research_project == "2026-ZJ-9" and Quote.objects.filter(reservation_id=pk).count() == 1
    assert refused.value.reasons[0].field == "research_project"
    shown = ExpectedFigures(refused.value.extra["payable_now_fen"], refused.value.extra["final_cost_fen"])
    assert shown.payable_now_fen == before.gross_fen > before.payable_now_fen
    with pytest.raises(Conflict, match="dearer"):
        correct(cast, pk, who="wang", expected=shown, research_project="2026-ZJ-8")  # the lab accepts nothing for the customer
    with pytest.raises(Conflict, match="figures_differ"):
        correct(cast, pk, expected=ExpectedFigures(before.payable_now_fen, before.final_cost_fen), research_project="2026-ZJ-8")
    assert correct(cast, pk, expected=shown, research_project="2026-ZJ-8")
    after = Quote.objects.filter(reservation_id=pk).latest("revision")
    assert (after.revision, after.payable_now_fen, after.accepted_by_id) == (2, before.gross_fen, cast.users["lin"].pk)
    transitions.approve(cast.actor("wang"), pk, cast.now)
    assert broken() == {}


def test_a_project_for_which_no_less_is_given_is_corrected_at_once_by_the_lab_too(cast: Cast) -> None:
    publish(cast, asking("DEMO-QH-ONCE"))
    approved(cast, slot_of(9, 11), "2026-ZJ-8")
    pk = ask(cast, slot_of(13, 15), "2026-ZJ-8")
    assert correct(cast, pk, who="wang", research_project="2026-ZJ-9")
    latest = Quote.objects.filter(reservation_id=pk).latest("revision")
    assert latest.deducted_fen > 0 and latest.accepted_by_id == cast.users["lin"].pk
    transitions.approve(cast.actor("wang"), pk, cast.now)
    assert broken() == {}


def test_project_and_direction_stay_once_money_is_held(cast: Cast, programmes: Any) -> None:
    pk = approved(cast, slot_of(9, 11), "Salt lakes")
    with pytest.raises(Refusal) as refused:
        correct(cast, pk, research_project="Another", service_direction="teaching", purpose="Brine")
    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [
        ("facts.money_held", "research_project"),
        ("facts.money_held", "service_direction"),
    ]
    assert facts_of(pk).purpose == "lithium salts", "nothing of it is kept"
    assert correct(cast, pk, service_direction="development"), "what was derived for a firm is only written down"


def test_a_request_that_a_card_keeps_money_for_keeps_its_project(cast: Cast) -> None:
    card = build_spenders(cast).card
    asked = ReservationRequest(cast.xrd.pk, cast.lab.pk, slot_of(9, 10), "self_operated", fund_card_id=card.pk)
    pk = reservations.reserve(cast.actor("ma"), asked, cast.now, idempotency_key="k").reservation_id
    with pytest.raises(Refusal, match="money_held"):
        correct(cast, pk, who="ma", research_project="Another")
    assert correct(cast, pk, who="ma", purpose="Brine") and broken() == {}


def test_a_page_that_is_not_fresh_overwrites_nothing(cast: Cast, programmes: Any) -> None:
    pk = ask(cast, slot_of(9, 11), "Salt lakes")
    seen = facts_of(pk)
    assert correct(cast, pk, who="wang", seen=seen, fund_source="2")
    with pytest.raises(Conflict, match="changed_meanwhile"):
        correct(cast, pk, seen=seen, fund_source="4")
    assert facts_of(pk).fund_source == "2"


def test_who_may_not_and_what_cannot_be_said_is_refused(cast: Cast, programmes: Any) -> None:
    pk = ask(cast, slot_of(9, 11), "Salt lakes")
    with pytest.raises(NotFound):
        correct(cast, pk, who="he", purpose="x")
    with pytest.raises(Forbidden):
        correct(cast, pk, who="li", purpose="x")
    with pytest.raises(Refusal) as refused:
        correct(cast, pk, service_direction="war", fund_source="99")
    assert {reason.field for reason in refused.value.reasons} == {"service_direction", "fund_source"}
    with pytest.raises(Refusal):
        correct(cast, pk, purpose="x" * 501)
    transitions.cancel(cast.actor("lin"), pk, cast.now)
    with pytest.raises(Refusal, match="no_more"):
        correct(cast, pk, purpose="x")
    assert not ReservationTransition.objects.filter(action="correct").exists()


def test_each_correction_of_its_own_moment_is_told_by_itself(cast: Cast, programmes: Any) -> None:
    pk = ask(cast, slot_of(9, 11), "")
    for minutes, purpose in ((1, "Brine"), (2, "Salt")):
        said = replace(facts_of(pk), purpose=purpose)
        assert service_facts.correct(cast.actor("lin"), pk, said, cast.now + timedelta(minutes=minutes))
    found = corrections_of(Reservation.objects.get(pk=pk))
    assert list(found.values()) == [{"purpose": ("lithium salts", "Brine")}, {"purpose": ("Brine", "Salt")}]


def test_the_customer_hears_what_the_lab_corrected_from_what_to_what_in_either_language(cast: Cast, programmes: Any) -> None:
    pk = ask(cast, slot_of(9, 11), "Salt lakes")
    assert correct(cast, pk, purpose="Brine")
    assert correct(cast, pk, who="wang", purpose="Brine of wells", fund_source="2", service_direction="teaching")
    assert not correct(cast, pk, who="wang", fund_source="2")
    (told,) = Notice.objects.filter(event="reservation.facts_corrected")
    assert told.user == cast.users["lin"] and told.path == f"/bookings/{pk}/", "what the customer says itself is no news"
    reference = Reservation.objects.get(pk=pk).reference
    with translation.override("en"):
        words = words_of(told.event, told.params)
    assert words.title == f"X-ray diffractometer: the lab corrected what booking {reference} says for the national record"
    assert words.lines[2:] == (
        "Purpose: Brine → Brine of wells",
        "What it is for: not said → Teaching",
        f"Who pays the project: not said → {source_named('2', english=True)}",
        "If that is not right, correct it on the booking's page until the session is agreed.",
    )
    with translation.override("zh-hans"):
        words = words_of(told.event, told.params)
    assert words.lines[2:5] == (
        "用途：Brine → Brine of wells",
        "服务方向：未说明 → 教学",
        f"课题经费来源：未说明 → {source_named('2', english=False)}",
    )
    assert told.deliveries.exists(), "it goes by mail too unless the person wants none"


def source_named(code: str, *, english: bool) -> str:
    (found,) = [each for each in fund_sources() if each.code == code]
    return found.name_en if english else found.name
