"""What a programme lets choose (way of settlement, rate, kind of service) is offered, frozen, shown and counted; nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.settlement.models import Quote
from billing.settlement.offered import percent_of_share, share_of_percent
from billing.settlement.services import quotes, sample_quotes
from billing.settlement.services.replaying import replay_charges
from booking.models import Reservation, ReservationTransition
from booking.rules.service_facts import ORDINARY_KINDS, PUBLIC_KINDS, Said, kept, said_faults
from booking.services import service_facts
from config.kernel.errors import Conflict, Refusal
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, published
from tests.booking.samples.conftest import Work, make_item
from tests.conftest import slot_of, voucher_document

__all__ = ["published"]
DURING = slot_of(9, 11)
REFUND = {"zh": "通用：先付后返", "en": "Paid back later"}
REDEEM = {"zh": "通兑：机构兑付", "en": "The provider redeems"}


def document(**changes: Any) -> dict[str, Any]:
    """40 % of the fee at once, for everybody, without a limit."""
    found = voucher_document(CODE)
    base = found["base"] | {"minimum_charge": "included"}
    return found | {"gates": [], "caps": [], "base": base} | changes


def of_two_ways() -> dict[str, Any]:
    clause = document()["settlement"]["clause"]
    way = {"fact": "request.settlement", "is": "refund"}
    later = {"mode": "refunded_later", "form": "post_claim_refund", "payee": "firm", "clause": clause}
    at_once = document()["settlement"]
    return document(
        sides=[
            {"id": "refund", "when": way, "says": REFUND, "settlement": later},
            {"id": "redeem", "when": way | {"is": "redeem"}, "says": REDEEM, "settlement": at_once},
        ]
    )


def chosen(when_not_chosen: str = "refuse") -> dict[str, Any]:
    rate = {"type": "chosen", "clause": "1", "at_least": "0.1", "at_most": "0.5", "when_not_chosen": when_not_chosen}
    return document(rate=rate | {"clause": document()["rate"]["clause"]})


def without(*kinds: str) -> dict[str, Any]:
    clause = document()["rate"]["clause"]
    return document(gates=[{"type": "service_kind", "none_of": list(kinds), "clause": clause}])


def preview(cast: Any, **said: str) -> Any:
    told = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, DURING, cast.now, said=Said(**said))
    return told


def figures(found: Any) -> tuple[int, int, int]:
    return found.deducted_fen, found.refunded_fen, found.final_cost_fen


def test_a_way_of_settlement_is_offered_with_its_words_and_figures_chosen_frozen_and_replayed(cast: Any, published: Any) -> None:
    published(of_two_ways())
    unchosen = preview(cast)
    assert [(way.value, way.says, way.payable_now_fen, way.final_cost_fen) for way in unchosen.offered.ways] == [
        ("", (), 800_00, 800_00),
        ("refund", (REFUND,), 800_00, 480_00),
        ("redeem", (REDEEM,), 480_00, 480_00),
    ]
    assert figures(unchosen.assessment) == (0, 0, 800_00)
    assert figures(preview(cast, settlement="refund").assessment) == (0, 320_00, 480_00)
    life = Life(cast)
    redeemed = life.whole(DURING, said=Said(settlement="redeem"))
    refunded = life.whole(slot_of(13, 15), said=Said(settlement="refund"))
    assert [each.inputs["candidates"][0]["facts"]["request"]["settlement"] for each in (redeemed, refunded)] == [
        "redeem",
        "refund",
    ]
    assert [(each.deducted_fen, each.refunded_fen) for each in (redeemed, refunded)] == [(320_00, 0), (0, 320_00)]
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_a_rate_within_the_range_is_chosen_and_another_refused_with_the_field(cast: Any, published: Any) -> None:
    published(chosen())
    assert preview(cast).assessment.deducted_fen == 0
    given = preview(cast, rate="0.35")
    assert (given.assessment.deducted_fen, given.assessment.estimate) == (280_00, False)
    assert given.offered.rate is not None and given.offered.rate.needed
    for wrong, code in (
        ("0.6", "subsidy.rate_not_offered"),
        ("0.05", "subsidy.rate_not_offered"),
        ("1.2", "service.rate_unreadable"),
        ("NaN", "service.rate_unreadable"),
    ):
        with pytest.raises(Refusal) as refused:
            preview(cast, rate=wrong)
        assert [(reason.code, reason.field) for reason in refused.value.reasons] == [(code, "rate")]
    life = Life(cast)
    with pytest.raises(Refusal, match="rate_not_offered"):
        life.ask(DURING, said=Said(rate="0.6"))
    charge = life.whole(DURING, said=Said(rate="0.350"))
    assert (charge.deducted_fen, charge.inputs["candidates"][0]["facts"]["request"]["rate"]) == (280_00, "0.35")
    assert {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_a_kind_of_service_that_a_programme_leaves_out_is_not_subsidised(cast: Any, published: Any) -> None:
    published(without("statutory_test", "medical"))
    assert preview(cast).offered.asks_kind
    given = [
        preview(cast, service_kind=kind).assessment.deducted_fen for kind in ("", "instrument_use", "certification", "medical")
    ]
    assert given == [320_00, 320_00, 320_00, 0]
    charge = Life(cast).whole(DURING, said=Said(service_kind="statutory_test"))
    assert (charge.deducted_fen, charge.inputs["candidates"][0]["facts"]["service"]["kind"]) == (0, "statutory_test")
    with pytest.raises(Refusal, match="kind_unknown"):
        preview(cast, service_kind="war")


def test_a_test_is_of_the_kind_that_its_lab_marked_when_it_was_asked_for(cast: Any, published: Any) -> None:
    published(without("statutory_test", "certification"))
    item = make_item(cast)

    def shown(**said: str) -> Any:
        return sample_quotes.preview(cast.actor("lin"), item.pk, cast.firm.pk, 3, 1, cast.now, said=Said(**said))

    assert (shown().assessment.deducted_fen, shown(service_kind="certification").assessment.deducted_fen) == (96_00, 0)
    work = Work(cast, item)
    before = work.ask(3)
    item.test_item.service_kind = "statutory_test"
    item.test_item.save()
    marked = shown(service_kind="testing")
    assert (marked.assessment.deducted_fen, marked.marked) == (0, "statutory_test")
    jobs = [work.accept(job) for job in (before, work.ask(3))]
    assert [job.service_kind for job in jobs] == ["", "statutory_test"]
    assert [job.quotes.latest("revision").deducted_fen for job in jobs] == [96_00, 0]


def test_where_no_programme_asks_nothing_is_offered_and_nothing_told(cast: Any, published: Any) -> None:
    published(document())
    found = preview(cast, settlement="redeem", rate="0.2", service_kind="medical")
    assert (found.offered.ways, found.offered.rate, found.offered.asks_kind) == ((), None, False)
    facts = found.prepared.inputs.candidates[0].facts
    assert (facts.more.request.settlement, facts.more.request.rate) == (None, None)
    page = page_of(cast)
    assert 'name="settlement"' not in page and 'name="service_kind"' not in page and 'name="rate"' not in page


def page_of(cast: Any, **typed: str) -> str:
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["lin"])
    at = {"on": f"{DURING.starts_at:%Y-%m-%d}", "from": "09:00", "to": "11:00", "organisation": str(cast.firm.pk)}
    return client.get(reverse("instrument_detail", args=[cast.xrd.pk]), at | typed).content.decode()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (of_two_ways, ("Way of settlement", "Paid back later", "The provider redeems")),
        (chosen, ("Rate of the subsidy, in per cent", "from 10 to 50 %", "Without one nothing is given.")),
        (lambda: without("medical"), ("Kind of service", "Ordinary use of the instrument", "medical service")),
    ],
)
def test_the_form_offers_what_a_programme_asks_in_words(cast: Any, published: Any, made: Any, words: tuple[str, ...]) -> None:
    published(made())
    page = page_of(cast)
    assert all(each in page for each in words)


def test_a_rate_that_is_not_offered_keeps_what_was_typed_and_can_be_mended(cast: Any, published: Any) -> None:
    published(chosen())
    page = page_of(cast, rate="60")
    assert "A rate from 10 % to 50 % can be chosen" in page and 'name="rate" inputmode="decimal" value="60"' in page


def test_customer_and_lab_correct_it_until_money_is_held_and_the_page_says_it(cast: Any, published: Any) -> None:
    published(without("medical"))
    life = Life(cast)
    row = life.ask(DURING)
    said = Reservation.objects.get(pk=row.pk).service_facts
    with pytest.raises(Conflict, match="dearer"):
        service_facts.correct(cast.actor("wang"), row.pk, replace(said, service_kind="medical"), cast.now)
    assert service_facts.correct(cast.actor("wang"), row.pk, replace(said, service_kind="certification"), cast.now)
    quote = Quote.objects.filter(reservation=row).latest("revision")
    assert quote.inputs["candidates"][0]["facts"]["service"]["kind"] == "certification"
    assert ReservationTransition.objects.filter(reservation=row, action="correct").count() == 1
    client = Client(headers={"accept-language": "en"})
    client.force_login(cast.users["lin"])
    page = client.get(reverse("reservation_detail", args=[row.pk])).content.decode()
    assert "Kind of service" in page and "certification" in page and "Ordinary use of the instrument → certification" in page
    life.approve(Reservation.objects.get(pk=row.pk))
    now = Reservation.objects.get(pk=row.pk).service_facts
    with pytest.raises(Refusal, match="money_held"):
        service_facts.correct(cast.actor("wang"), row.pk, replace(now, service_kind=""), cast.now)


def test_the_interface_takes_and_names_the_choices(cast: Any, published: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    published(of_two_ways())
    monkeypatch.setattr(timezone, "now", lambda: cast.now)
    client = Client()
    client.force_login(cast.users["lin"])
    asked = {
        "instrument": cast.xrd.pk,
        "organisation": cast.firm.pk,
        "starts_at": DURING.starts_at.isoformat(),
        "ends_at": DURING.ends_at.isoformat(),
    }
    shown = client.post("/api/v1/quotes/preview/", asked | {"settlement": "redeem"}, content_type="application/json").json()
    assert (shown["deducted_fen"], shown["choices"]["rate"], shown["choices"]["service_kinds"]) == (320_00, None, [])
    assert [(way["settlement"], way["says"]) for way in shown["choices"]["settlements"]] == [
        ("", []),
        ("refund", [REFUND]),
        ("redeem", [REDEEM]),
    ]
    wrong = client.post("/api/v1/quotes/preview/", asked | {"settlement": "cash"}, content_type="application/json")
    assert wrong.status_code == 422 and "settlement" in wrong.content.decode()
    made = client.post(
        "/api/v1/reservations/",
        asked | {"settlement": "refund", "service_mode": "assisted"},
        content_type="application/json",
        headers={"Idempotency-Key": "k1"},
    )
    assert made.status_code == 201
    row = client.get(f"/api/v1/reservations/{made.json()['id']}/").json()
    assert (row["settlement"], row["rate"], row["service_kind"]) == ("refund", "", "")


@pytest.mark.parametrize(("percent", "share"), [("35", "0.35"), (" 12.5 % ", "0.125"), ("100", "1"), ("", ""), ("a", "a")])
def test_a_rate_is_typed_in_per_cent(percent: str, share: str) -> None:
    assert share_of_percent(percent) == share
    if share and share != "a":
        assert share_of_percent(percent_of_share(share)) == share


def test_an_ordinary_kind_is_nothing_said() -> None:
    assert [kept(Said(kind)).service_kind for kind in (*ORDINARY_KINDS, *PUBLIC_KINDS)] == ["", "", *PUBLIC_KINDS]
    assert [reason.field for reason in said_faults(Said("x", "A B", "2"))] == ["service_kind", "settlement", "rate"]


def test_the_self_test_asks_what_the_programmes_in_force_ask_and_counts_it(cast: Any, published: Any) -> None:
    client = Client(headers={"accept-language": "en"})
    asked = {"kind": "firm", "region": "630100", "service": "testing", "amount_yuan": "1000", "on": "2026-11-25"}
    address = reverse("eligibility")
    assert 'name="settlement"' not in client.get(address).content.decode()
    published(of_two_ways())
    assert "The provider redeems" in client.get(address).content.decode()
    without_any = client.get(address, asked).context["rows"]
    chosen_way = client.get(address, asked | {"settlement": "redeem"}).context["rows"]
    assert [[row.total_fen for row in rows] for rows in (without_any, chosen_way)] == [[0], [400_00]]
