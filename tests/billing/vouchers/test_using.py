"""A voucher is one more limited account: quoted, held, spent in parts and several at once, voided, expired, explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from billing.bills.models import CreditNote
from billing.bills.redemptions import redeemed
from billing.bills.services import issuing
from billing.bills.services.issuing import BillRequest
from billing.firms.services import credit
from billing.ledger import life
from billing.ledger.models import Account, Transfer
from billing.payments.services import crediting
from billing.payments.services.crediting import CreditRequest
from billing.sandbox.services.reading import Reader
from billing.settlement import reservation_figures
from billing.settlement.models import Quote
from billing.settlement.opening_models import OpeningBalance, OpeningReversal
from billing.settlement.services import awarding, openings
from billing.subsidy.services import in_force
from billing.vouchers import queries
from billing.vouchers.rules.terms import Area
from billing.vouchers.services import applying, holding
from booking.models import Reservation
from booking.services import transitions
from config.kernel import invariants
from config.kernel.errors import Refusal
from instruments.models import OrganisationIdentifier
from tests.billing.bills.conftest import DECEMBER, NOVEMBER_30
from tests.billing.firms.conftest import USCC
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, PDF
from tests.conftest import programme_document, slot_of, voucher_document

HOUR_FEN = 400_00
SHARE_FEN = 160_00  # 40 %


@pytest.fixture
def life_of(desk) -> Life:
    return Life(desk.cast)


def broken() -> dict:
    findings = {name: each().violations for name, each in invariants.registered().items()}
    return {name: found for name, found in findings.items() if found and not name.startswith("registry.")}  # no worker runs here


def left(voucher) -> tuple[int, int, int]:
    account = Account.objects.get(pk=voucher.account_id)
    return account.left_fen, account.held_fen, account.posted_fen


def test_without_a_voucher_the_programme_gives_nothing(desk, life_of):
    quote = life_of.quote(life_of.ask(slot_of(9, 11)))
    assert (quote.gross_fen, quote.deducted_fen) == (2 * HOUR_FEN, 0)


def test_a_voucher_is_quoted_held_and_spent_in_parts(desk, life_of):
    made = desk.issued(500_00)
    booked = life_of.ask(slot_of(9, 11))
    assert life_of.quote(booked).deducted_fen == 2 * SHARE_FEN
    assert left(made) == (500_00, 0, 0)
    life_of.approve(booked)
    assert left(made) == (180_00, 320_00, 0)
    charge = life_of.use(booked)
    assert (charge.deducted_fen, left(made)) == (320_00, (180_00, 0, 320_00))
    second = life_of.whole(slot_of(13, 15))
    assert (second.deducted_fen, left(made)) == (180_00, (0, 0, 500_00))  # cut to what was left
    assert life_of.whole(slot_of(16, 17)).deducted_fen == 0
    facts = charge.inputs["candidates"][0]["facts"]
    assert facts["request"] == {"voucher": made.number, "voucher_issued_on": "2026-11-23"}
    assert broken() == {}


def test_several_vouchers_are_used_together_the_one_that_ends_first_first(desk, life_of):
    late = desk.issued(300_00, life_days=30)
    soon = desk.issued(150_00, life_days=10)
    booked = life_of.approve(life_of.ask(slot_of(9, 11)))
    assert (left(soon), left(late)) == ((0, 150_00, 0), (130_00, 170_00, 0))
    assert reservation_figures.held_fen(booked) == 320_00
    assert life_of.use(booked).deducted_fen == 320_00
    assert (left(soon), left(late)) == ((0, 0, 150_00), (130_00, 0, 170_00))
    assert broken() == {}


def test_a_cancelled_booking_gives_the_voucher_back_its_money(desk, life_of):
    made = desk.issued(500_00)
    booked = life_of.approve(life_of.ask(slot_of(9, 11, 3)))
    transitions.cancel(desk.cast.actor("lin"), booked.pk, desk.cast.now)
    assert left(made) == (500_00, 0, 0)


def test_a_service_after_its_last_day_does_not_use_it(desk, life_of):
    desk.issued(500_00, life_days=3)
    assert life_of.quote(life_of.ask(slot_of(9, 11))).deducted_fen == 320_00
    assert life_of.quote(life_of.ask(slot_of(9, 11, 1))).deducted_fen == 0


def test_what_is_left_at_its_end_goes_back_to_the_pool_and_what_is_held_when_it_comes_free(desk, life_of):
    made = desk.issued(500_00, life_days=5)
    quota = made.application.quota.account
    booked = life_of.approve(life_of.ask(slot_of(9, 11, 2)))
    after = made.valid_to + timedelta(days=1)
    assert life.lapse_due(after, desk.cast.now) == 1
    quota.refresh_from_db()
    assert quota.left_fen == 8_000_00 - 320_00
    transitions.cancel(desk.cast.actor("lin"), booked.pk, desk.cast.now)
    assert life.lapse_due(after, desk.cast.now) == 1
    quota.refresh_from_db()
    assert (quota.left_fen, left(made)) == (8_000_00, (0, 0, 0))
    assert queries.purse(made, after).state == "expired"
    assert broken() == {}


def test_what_is_promised_to_a_booking_survives_giving_the_voucher_back(desk, life_of):
    made = desk.issued(500_00)
    booked = life_of.approve(life_of.ask(slot_of(9, 11)))
    holding.give_back(desk.cast.actor("zhao"), made.pk, desk.cast.now)
    assert left(made) == (0, 320_00, 0)
    assert life_of.use(booked).deducted_fen == 320_00
    assert life_of.quote(life_of.ask(slot_of(13, 15))).deducted_fen == 0
    assert broken() == {}


def test_a_suspended_voucher_promises_nothing_new(desk, life_of):
    made = desk.issued(500_00)
    life.set_suspended(desk.cast.actor("qian"), made.account_id, True, "Complaint 4", desk.cast.now)
    assert life_of.quote(life_of.ask(slot_of(9, 11))).deducted_fen == 0


def test_a_suspended_voucher_stands_in_the_way_of_no_other(desk, life_of):
    suspended, other = desk.issued(150_00, life_days=10), desk.issued(400_00, life_days=30)
    booked = life_of.ask(slot_of(9, 11))
    life.set_suspended(desk.cast.actor("qian"), suspended.account_id, True, "Complaint 4", desk.cast.now)
    life_of.approve(booked)
    assert (left(suspended), left(other)) == ((150_00, 0, 0), (80_00, 320_00, 0))
    assert broken() == {}


def test_of_what_was_held_the_voucher_that_ends_first_is_used_up_first(desk, life_of):
    late = desk.issued(300_00, life_days=30)
    soon = desk.issued(150_00, life_days=10)
    life_of.approve(life_of.ask(slot_of(9, 11)))
    holds = list(Transfer.objects.filter(kind="hold", debit__in=[late.account_id, soon.account_id]).order_by("pk"))
    less = SimpleNamespace(draws={"voucher": SHARE_FEN}, lines=())
    due = awarding._due(in_force(holds[0].programme_version_id), holds, less)
    assert due == {soon.account_id: 150_00, late.account_id: 10_00}


def test_a_trial_reads_sessions_without_their_vouchers(desk, life_of):
    desk.issued(500_00)
    charge = life_of.whole(slot_of(9, 11))
    day = charge.reservation.starts_at.date()
    (piece,) = Reader(day, day).pieces(0)
    assert charge.inputs["candidates"][0]["facts"]["request"] and piece.facts[0]["request"] == {}


def test_the_wallet_shows_vouchers_and_limits_to_the_firm_and_to_nobody_else(desk, life_of):
    made = desk.issued(500_00)
    life_of.whole(slot_of(9, 11))
    purses, _caps = queries.wallet(desk.cast.actor("lin"), desk.cast.firm, desk.cast.now.date())
    assert [(each.voucher, each.state, each.left_fen, each.spent_fen) for each in purses] == [(made, "valid", 180_00, 320_00)]
    assert queries.wallet(desk.cast.actor("he"), desk.cast.firm, desk.cast.now.date()) == ([], [])
    (paid,) = redeemed(desk.cast.actor("li"))
    assert (paid.amount_fen, paid.debit.voucher) == (320_00, made)
    assert list(redeemed(desk.cast.actor("he"))) == []


def test_what_a_credit_note_gave_back_to_a_voucher_stands_among_the_redemptions(desk, life_of):
    made = desk.issued(500_00)
    life_of.whole(slot_of(9, 11))
    li = desk.cast.actor("li")
    bill = issuing.issue(li, BillRequest(desk.cast.lab.pk, desk.cast.firm.pk, NOVEMBER_30), DECEMBER)
    whole = bill.content["lines"][0]["amount_fen"]
    crediting.issue(li, CreditRequest(bill.pk, 1, whole, "poor_result", "no peaks"), DECEMBER)
    back, paid = redeemed(li)
    assert [(row.kind, row.amount_fen) for row in (back, paid)] == [("refund", 320_00), ("post", 320_00)]
    assert back.credit.voucher == made
    assert list(redeemed(desk.cast.actor("he"))) == []
    page = Client(headers={"accept-language": "en"})
    page.force_login(desk.cast.users["li"])
    shown = page.get(reverse("voucher_redemptions")).content.decode()
    assert shown.count(made.number) == 2
    note, session = CreditNote.objects.get(), Reservation.objects.get()
    assert f"Credit note {note.number}" in shown and f">{session.reference}</a>" in shown


def with_credit_gate(document: dict) -> dict:
    clause = document["clauses"][0]["id"]
    free = {"fact": "applicant.credit_listings", "free_on": {"days": ["service.approval_on", "service.payment_on"]}}
    says = {"zh": "信用良好", "en": "On no credit list"}
    document["gates"].append({"type": "condition", "clause": clause, "when": free, "says": says})
    return document


@pytest.fixture
def strict(cast, published) -> Life:
    """DEMO-QH-V that asks for a clean credit standing."""
    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value=USCC["firm"])
    document = programme_document("DEMO-QH-V") | {"examples": []}
    published(with_credit_gate(document))
    return Life(cast)


def listed(cast, since: str) -> None:
    text = f"uscc,name,from,to\n{USCC['firm']},Gaoyuan,{since},\n"
    credit.import_list(cast.actor("zhou"), "serious_default", "Notice 9", text.encode(), cast.now)


def test_eligibility_lost_between_booking_and_settlement_is_told_with_what_was_promised(cast, strict):
    booked = strict.approve(strict.ask(slot_of(9, 11)))
    held = Quote.objects.filter(reservation=booked, held_at__isnull=False).latest("revision")
    assert held.deducted_fen == 320_00
    listed(cast, "2026-11-20")
    charge = strict.use(booked)
    assert (charge.deducted_fen, charge.payable_now_fen) == (0, 2 * HOUR_FEN)
    (lost,) = reservation_figures.money_of(cast.actor("lin"), booked).lost
    assert (lost.programme, lost.promised_fen) == ("DEMO-QH-V", 320_00)
    assert [reason["code"].startswith("subsidy.unmet.") for reason in lost.reasons] == [True]
    assert Account.objects.get(kind="pool").held_fen == 0
    assert broken() == {}


def test_who_stays_eligible_is_charged_as_approved(cast, strict):
    booked = strict.approve(strict.ask(slot_of(9, 11)))
    cast.firm.staff_count, cast.firm.annual_revenue_fen = 5_000, 10**13  # grown large since: what was promised stays
    cast.firm.save()
    charge = strict.use(booked)
    assert charge.deducted_fen == 320_00
    assert reservation_figures.money_of(cast.actor("lin"), booked).lost == ()


def test_a_listed_firm_is_refused_at_the_request(cast, strict):
    listed(cast, "2026-01-05")
    assert strict.quote(strict.ask(slot_of(9, 11))).deducted_fen == 0


def load(cast, text: str, what=openings.load_balances):
    return what(cast.actor("qian"), text.encode(), PDF, "Paid in spring by the city", cast.now)


HEAD = "uscc,programme,cap,year,amount\n"


@pytest.fixture
def coded(cast, programmes):
    OrganisationIdentifier.objects.create(organisation=cast.firm, scheme="uscc", value=USCC["firm"])
    return cast


def test_an_opening_balance_counts_against_the_yearly_limit(coded):
    load(coded, HEAD + f'{USCC["firm"]},DEMO-QH-V,firm-year,2026,"59,900.00"\n')
    worked = Life(coded)
    assert worked.quote(worked.ask(slot_of(9, 11))).deducted_fen == 100_00
    account = Account.objects.get(kind="firm_year", key__contains="DEMO-QH-V")
    assert (account.posted_fen, account.held_fen) == (59_900_00, 0)
    assert broken() == {}


def test_a_wrong_opening_balance_is_taken_back_with_a_reason_and_the_right_one_counts(coded):
    wrong, right = (HEAD + f"{USCC['firm']},DEMO-QH-V,firm-year,2026,{amount}\n" for amount in ("59900", "5990"))
    load(coded, wrong)
    with pytest.raises(Refusal) as refused:
        load(coded, right)
    assert refused.value.reasons[0].code == "opening.loaded_already"
    with pytest.raises(Refusal) as refused:
        load(coded, right, openings.take_back_balances)
    assert (refused.value.reasons[0].code, refused.value.reasons[0].params["row"]) == ("opening.not_loaded", 2)
    load(coded, wrong, openings.take_back_balances)
    account = Account.objects.get(kind="firm_year", key__contains="DEMO-QH-V")
    assert (account.posted_fen, account.held_fen) == (0, 0)
    with pytest.raises(Refusal, match=r"opening\.not_loaded"):
        load(coded, wrong, openings.take_back_balances)
    load(coded, right)
    account.refresh_from_db()
    assert account.posted_fen == 5_990_00 and broken() == {}
    first, second = OpeningBalance.objects.order_by("pk")
    assert (first.revision, second.revision, first.reversal.batch.reason) == (0, 1, "Paid in spring by the city")
    with pytest.raises(DatabaseError, match="before revision 2 stands"), transaction.atomic():
        OpeningBalance.objects.create(
            batch=first.batch, organisation=first.organisation, programme=first.programme, cap_id=first.cap_id, year=2026, revision=2,
            amount_fen=1, account=account,
        )  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        OpeningReversal.objects.all().delete()


def test_opening_balances_are_loaded_whole_or_not_at_all_with_every_fault(coded):
    rows = [
        f"{USCC['firm']},DEMO-QH-V,firm-year,2026,100",
        f"{USCC['other']},DEMO-QH-V,firm-year,2026,100",
        f"{USCC['firm']},NOPE,firm-year,2026,100",
        f"{USCC['firm']},DEMO-QH-V,pool,2026,100",
        f"{USCC['firm']},DEMO-QH-V,firm-year,2026,5",
        f"{USCC['firm']},DEMO-QH-V,firm-year,2025,60000.01",
    ]
    with pytest.raises(Refusal) as refused:
        load(coded, HEAD + "\n".join(rows))
    assert [(reason.code, reason.params["row"]) for reason in refused.value.reasons] == [
        ("opening.firm_unknown", 3),
        ("opening.programme_unknown", 4),
        ("opening.cap_unknown", 5),
        ("opening.loaded_already", 6),
        ("opening.over_limit", 7),
    ]
    assert not Account.objects.filter(kind="firm_year").exists()


ITEMS = "uscc,kind,class,number\n"


def test_a_project_that_took_the_class_elsewhere_is_known_to_programmes_of_that_class(coded):
    load(coded, ITEMS + f"{USCC['firm']},项目,session-subsidy,2026-ZJ-7\n", openings.load_items)
    worked = Life(coded)
    quote = worked.quote(worked.ask(slot_of(9, 11), research_project="２０２６-zj-7"))
    papers = [each["facts"]["service"] for each in quote.inputs["candidates"]]
    assert [paper["project_subsidised"] for paper in papers] == [True, True]
    with pytest.raises(Refusal, match="item_known"):
        load(coded, ITEMS + f"{USCC['firm']},project,session-subsidy,2026-zj-7\n", openings.load_items)


def test_a_voucher_of_a_partner_region_is_used_here_and_paid_by_its_home(desk, life_of, cast):
    from billing.firms.services import partners
    from billing.firms.services.partners import Partner

    region = partners.keep_region(
        cast.actor("chen"),
        Partner("310000", "CN-310000", "Shanghai", "", "redeem", date(2026, 1, 1), None, "Agreement 7"),
        cast.now,
    )
    given = holding.Recognised(
        region.pk, "CN-310000/SH/2026/77", CODE, "voucher", 200_00, date(2026, 1, 1), date(2026, 12, 31), PDF
    )
    with pytest.raises(Refusal) as refused:
        wrong = holding.Recognised(region.pk, "SH-77", "DEMO-QH-VC", "pool", 0, date(2026, 1, 2), date(2026, 1, 1), PDF)
        holding.recognise(cast.actor("chen"), cast.firm.pk, wrong, cast.now)
    assert {reason.field for reason in refused.value.reasons} == {"number", "cap_id", "face_fen", "valid_to"}
    refunds = Partner("310000", "CN-310000", "Shanghai", "", "refund", date(2026, 1, 1), None, "Agreement 7")
    partners.keep_region(cast.actor("chen"), refunds, cast.now, region.pk)
    with pytest.raises(Refusal) as refused:  # the agreement says otherwise than the programme does
        holding.recognise(cast.actor("chen"), cast.firm.pk, given, cast.now)
    assert [reason.code for reason in refused.value.reasons] == ["voucher.agreed_refund"]
    partners.keep_region(cast.actor("chen"), replace(refunds, mode="redeem"), cast.now, region.pk)
    made = holding.recognise(cast.actor("chen"), cast.firm.pk, given, cast.now)
    assert life_of.whole(slot_of(9, 11)).deducted_fen == 200_00
    assert (left(made), made.origin.platform_id) == ((0, 0, 200_00), "CN-310000")
    assert Account.objects.get(key="partner:310000").limited is False
    assert broken() == {}


def test_a_controllers_yearly_limit_is_shared_by_sister_firms(cast, published):
    from billing.firms.services import declaring
    from billing.firms.services.declaring import Declaration
    from tests.billing.firms.conftest import HOLDING, controlled_by

    document = programme_document("DEMO-QH-V") | {"examples": []}
    document["gates"] = [gate for gate in document["gates"] if gate["type"] in ("applicant_kind", "verified_organisation")]
    clause = document["caps"][0]["clause"]
    document["caps"] = [{"id": "controller", "per": "controller_year", "limit": "400", "when_short": "partial", "clause": clause}]
    published(document)
    for who, firm in (("zhao", cast.firm), ("he", cast.other_firm)):
        made = declaring.declare(cast.actor(who), firm.pk, Declaration("controller", controlled_by(HOLDING), PDF), cast.now)
        declaring.decide(cast.actor("zhou"), made.pk, True, "", cast.now)
    worked = Life(cast)
    assert worked.whole(slot_of(9, 11)).deducted_fen == 320_00
    assert worked.whole(slot_of(13, 15), who="he", firm=cast.other_firm).deducted_fen == 80_00
    shared = Account.objects.get(kind="controller_year")
    assert (shared.organisation_id, shared.posted_fen, shared.left_fen) == (None, 400_00, 0)
    assert broken() == {}


def test_an_announcement_for_a_zone_takes_who_is_there(desk, cast):
    cast.firm.policy_zones = ["east"]
    cast.firm.save()
    found = desk.announce(areas=(Area("east", "", 1_000_00),))
    row = desk.apply(found)
    assert applying.review(cast.actor("chen"), row.pk, 900_00, "", cast.now).recommended_fen == 900_00


def test_a_quota_document_without_issuing_says_which_limit_is_not_set(cast, published):
    document = voucher_document("DEMO-QH-VD")
    document["caps"][0] |= {"per": "unit_total", "limit": {"configured": True, "when_unset": "refuse"}}
    published(document)
    worked = Life(cast)
    quote = worked.quote(worked.ask(slot_of(9, 11)))
    (outcome,) = quote.result["outcomes"]
    assert [reason["code"] for reason in outcome["reasons"]] == ["subsidy.unmet.limit_not_set"]
