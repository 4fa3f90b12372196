"""Groups, cards, the leader's inbox, the booking form with a card, and the internal slip."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import uuid4

import pytest
from django.urls import reverse

from billing.cards import services as cards
from billing.cards.accounts import card_key
from billing.cards.services import CardFacts
from billing.ledger.models import Account
from billing.models import InternalSlip
from billing.settlement import series_figures
from booking.models import InstrumentPolicy, LeaderApproval, Reservation
from booking.rules.series import SeriesRule
from booking.services import series, transitions
from instruments.models import FundCard, ResearchGroup
from instruments.services import research_groups
from tests.agreeing import check_out_agreed
from tests.spending import VALID


@pytest.fixture
def own(cast, spenders, ask):
    """Ma asks for the institute's own instrument, on the card."""

    def make(first, last):
        return ask(first, last, who="ma", firm=cast.lab, fund_card_id=spenders.card.pk)

    return make


def typed(spenders, **changes):
    cast = spenders.cast
    return {
        "key": str(uuid4()),
        "instrument": cast.xrd.pk,
        "organisation": cast.lab.pk,
        "on": "2026-11-25",
        "from": "10:00",
        "to": "13:00",
        "service_mode": "self_operated",
        "purpose": "brine",
        "expected_payable_now_fen": 600_00,
        "expected_final_cost_fen": 600_00,
        "fund_card": spenders.card.pk,
        **changes,
    }


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_form_offers_the_persons_cards_and_shows_one_total_and_who_agrees_first(spenders, as_):
    address = reverse("reservation_create", args=[spenders.cast.xrd.pk])
    query = {name: value for name, value in typed(spenders).items() if name not in {"key", "instrument"}}
    page = text_of(as_("ma").get(address, query))
    assert "NSF-1 · Lithium from brine · ¥1,000.00 left" in page
    assert "Total internal charge ¥600.00" in page
    assert "NSF-1: ¥400.00 left after this" in page
    assert "Gao agrees first, as the leader of the group." in page
    for word in ("Pay now", "Final cost", "final cost", "programme gives nothing"):
        assert word not in page
    assert "NSF-1" not in text_of(as_("tan").get(address, query))
    assert "Fund card" not in text_of(as_("lin").get(address, {**query, "organisation": spenders.cast.firm.pk}))


def test_the_button_says_request_where_only_the_leader_has_to_agree(spenders, as_):
    """The lab asks for no approval: what is within the leader's threshold is booked, what is above is requested."""
    InstrumentPolicy.objects.update_or_create(instrument=spenders.cast.xrd, defaults={"approval_required": False})
    address = reverse("reservation_create", args=[spenders.cast.xrd.pk])
    query = {name: value for name, value in typed(spenders).items() if name not in {"key", "instrument"}}

    def button(**changes):
        page = as_("ma").get(address, query | changes).content.decode()
        return re.sub(r"<[^>]+>|\s+", "", page[page.index('id="booking-submit"') :].partition(">")[2].partition("</button>")[0])

    assert button() == "Request"
    FundCard.objects.update(threshold_fen=600_00)
    assert button() == "Book"


def test_a_booking_without_the_card_that_is_needed_keeps_what_was_typed(spenders, as_, cast):
    research_groups.set_card_needed(cast.actor("li"), cast.lab.pk, True, cast.now)
    address = reverse("reservation_create", args=[cast.xrd.pk])
    refused = as_("ma").post(address, typed(spenders, fund_card=""))
    assert refused.status_code == 422
    assert 'value="brine"' in refused.content.decode()
    assert 'href="#booking-card"' in refused.content.decode()
    other = as_("ma").post(address, typed(spenders, fund_card="not a number"))
    assert other.status_code == 422
    booked = as_("ma").post(address, typed(spenders))
    assert booked.status_code == 302
    assert Reservation.objects.get().fund_card == spenders.card


def test_the_same_once_more_goes_on_the_same_card(spenders, own, as_):
    led_to = as_("ma").get(reverse("reservation_again", args=[own(10, 13)]))
    assert f"fund_card={spenders.card.pk}" in led_to["Location"]


def test_the_leader_answers_in_an_inbox_and_the_lab_sees_what_it_waits_for(spenders, own, as_, cast):
    pk = own(10, 13)
    row = LeaderApproval.objects.get(reservation_id=pk)
    lab = text_of(as_("wang").get(reverse("approval_inbox")))
    assert "Awaiting leader" in lab
    assert "Approve and tell the customer" not in lab
    assert "NSF-1" not in lab
    refused = as_("wang").post(reverse("reservation_approve", args=[pk]))
    assert refused.status_code == 422
    inbox = text_of(as_("gao").get(reverse("leader_inbox")))
    assert "Agree to ¥600.00" in inbox
    assert "¥400.00 left after this" in inbox
    assert "You lead no group" in text_of(as_("ma").get(reverse("leader_inbox")))
    empty = as_("gao").post(reverse("leader_decline", args=[row.pk]), {"reason": "  "})
    assert empty.status_code == 422
    long = "x" * 301
    kept = as_("gao").post(reverse("leader_decline", args=[row.pk]), {"reason": long})
    assert kept.status_code == 422
    assert long in kept.content.decode()
    agreed = as_("gao").post(reverse("leader_agree", args=[row.pk]), follow=True)
    assert "Agreed. Now the lab decides." in text_of(agreed)
    assert "Approve and tell the customer" in text_of(as_("wang").get(reverse("approval_inbox")))
    again = as_("gao").post(reverse("leader_agree", args=[row.pk]))
    assert again.status_code == 422


def test_the_page_of_a_booking_names_the_card_to_its_group_alone_and_offers_another(spenders, own, as_):
    address = reverse("reservation_detail", args=[own(10, 13)])
    mine = text_of(as_("ma").get(address))
    assert "NSF-1 · Lithium from brine" in mine
    assert "Gao leads the group that pays and agrees to ¥600.00 first." in mine
    assert "Awaiting leader" in text_of(as_("tan").get(address))
    assert "NSF-1" not in text_of(as_("tan").get(address))
    refused = as_("ma").post(reverse("reservation_card", args=[Reservation.objects.get().pk]), {"fund_card": spenders.card.pk})
    assert refused.status_code == 422


def test_a_group_is_made_and_filled_and_closed(spenders, as_, cast):
    li, gao = as_("li"), as_("gao")
    made = li.post(
        reverse("group_create", args=[cast.lab.pk]), {"name": "Dust", "leader": cast.users["gao"].pk, "threshold_fen": "99.5"}
    )
    group = ResearchGroup.objects.get(name="Dust")
    assert (made.status_code, group.threshold_fen) == (302, 9950)
    refused = li.post(reverse("group_create", args=[cast.lab.pk]), {"name": "Dust", "leader": cast.users["gao"].pk})
    assert refused.status_code == 422
    assert "There is a group called Dust already." in text_of(refused)
    terms = {"number": "D-1", "title": "Dust", "valid_from": "2026-01-01", "valid_until": "2026-12-31", "budget_fen": "0.01"}
    li.post(reverse("fund_card_create", args=[group.pk]), terms)
    assert Account.objects.get(key=card_key(FundCard.objects.get(number="D-1").pk)).granted_fen == 1
    wrong = gao.post(
        reverse("group_detail", args=[group.pk]), {"user": cast.users["ma"].pk, "from_on": "2026-02-01", "until_on": "2026-01-01"}
    )
    assert wrong.status_code == 422
    assert 'value="2026-01-01"' in wrong.content.decode()
    gao.post(reverse("group_detail", args=[group.pk]), {"user": cast.users["ma"].pk, "from_on": "2026-02-01"})
    assert "D-1" in text_of(as_("ma").get(reverse("group_detail", args=[group.pk])))
    assert as_("ma").post(reverse("group_detail", args=[group.pk]), {}).status_code == 403
    li.post(reverse("group_close", args=[group.pk]))
    assert "This group is closed" in text_of(gao.get(reverse("group_detail", args=[group.pk])))
    li.post(reverse("group_close", args=[group.pk]), {"closed": "no"})
    left = as_("ma").post(reverse("group_member_remove", args=[group.pk, cast.users["ma"].pk]))
    assert left["Location"] == reverse("group_list")


def test_a_slip_is_read_printed_and_handed_to_the_finance_office(spenders, own, as_, cast):
    pk = own(10, 12)
    transitions.approve(cast.actor("wang"), pk, cast.now)
    reservation = Reservation.objects.get(pk=pk)
    transitions.check_in(cast.actor("wang"), pk, reservation.starts_at)
    check_out_agreed(cast.actor("wang"), pk, reservation.ends_at)
    slip = InternalSlip.objects.get()
    page = text_of(as_("ma").get(reverse("slip_detail", args=[slip.pk])))
    assert "NB-2026-000001" in page
    assert "2 h × ¥200.00 ¥400.00 Total ¥400.00 Paid from the card ¥400.00" in page
    assert "Internal charge slip NB-2026-000001" in text_of(as_("ma").get(reverse("reservation_detail", args=[pk])))
    month = text_of(as_("li").get(reverse("slip_list"), {"month": "2026-11"}))
    assert "Salt lakes" in month
    assert as_("tan").get(reverse("slip_detail", args=[slip.pk])).status_code == 404
    assert "No slips in this month" in text_of(as_("tan").get(reverse("slip_list")))
    file = as_("li").get(reverse("slip_file"), {"month": "2026-11"})
    lines = file.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Number,Issued on,Research group,Fund card")
    assert lines[1].startswith("NB-2026-000001,2026-11-25,Salt lakes,NSF-1,Ma,X-ray diffractometer,")
    assert lines[1].endswith(",2.00,400.00,400.00,0.00,Use")


def test_a_series_that_waits_is_answered_with_one_press(spenders, as_, cast):
    strict = cards.open_card(cast.actor("li"), spenders.salt.pk, CardFacts("NSF-4", "Asked", *VALID, 5000_00, 100_00), cast.now)
    rule = SeriesRule(datetime(2026, 11, 25, 9), datetime(2026, 11, 25, 10), "daily", count=3)
    asked = series.Wish(cast.xrd.pk, cast.lab.pk, rule, "self_operated", "", "", strict.pk)
    picks = series_figures.report(cast.actor("ma"), asked, cast.now).picks()
    series.ask(cast.actor("ma"), asked, picks, cast.now, idempotency_key="s")
    page = as_("gao").get(reverse("leader_inbox"))
    assert "3 times of a series" in text_of(page) and "Agree to all: ¥600.00" in text_of(page)
    address, ids = reverse("leader_answer_all"), list(LeaderApproval.objects.values_list("pk", flat=True))
    assert as_("gao").post(address, {"approval": ids, "answer": "decline"}).status_code == 422
    agreed = text_of(as_("gao").post(address, {"approval": ids, "answer": "agree"}, follow=True))
    assert "3 agreed to." in agreed and "times of a series" not in agreed
