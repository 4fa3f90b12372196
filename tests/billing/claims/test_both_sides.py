"""A programme whose sides look at whose claim it is pays both: from a draft of a shipped document to a claim of the firm and one of the
owner."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from billing.api.shapes import frozen_json
from billing.bills.models import ReversalCause
from billing.claims import declared, invoices
from billing.claims.models import Claim, ClaimLine
from billing.claims.services import credit_now, handing_in, reversing
from billing.firms.services import credit
from billing.ledger.models import Account
from billing.pricing import services as pricing
from billing.settlement import reservation_figures
from billing.settlement.models import Charge
from billing.settlement.services import assessing, basis_day, grading, quotes, statements
from billing.settlement.services.replaying import replay_charges
from billing.subsidy import drafts
from billing.subsidy.models import ProgrammeVersion
from billing.subsidy.rules.given_here import GIVEN_HERE
from booking.rules.service_facts import Said
from instruments.models import OrganisationIdentifier
from tests.billing.claims.conftest import DECEMBER, PUBLIC_OVER, Office, wrong
from tests.billing.claims.test_declared import asking
from tests.billing.claims.test_given_here import HALF
from tests.billing.firms.conftest import USCC
from tests.billing.sandbox.test_parts import commissioned
from tests.billing.services.conftest import Life
from tests.conftest import PRICE, Cast, slot_of
from tests.programmes import put_in_force as put

pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)
#: 400 an hour for a small firm, tax of 6 % in it: three hours are 1,200.00, of which 1,200 x 0.06 / 1.06 = 67.92 are tax.
TAXED = PRICE | {"format": 2, "unit": "hour", "tax": {"rate": "0.06", "included": True}}
INVOICE = "26632000000012345678"
SAYS = {"zh": "无失信记录", "en": "On no credit list"}
Change = Callable[[dict[str, Any]], None]


def qinghai(document: dict[str, Any]) -> None:
    """The text for the province of the cast, with a small year of the owner."""
    user, owner = document["sides"]
    user["gates"][-1]["any_of"] = [{"code_prefix": "63"}]
    owner["caps"][0]["limit"] = "150"
    document |= {"template": False, "open_points": [], "examples": [document["examples"][-1] | {"balances": {}}]}
    document["examples"][0]["expect"] |= {"total": "150", "beside": "150", "payees": {"provider": "150"}}


def put_in_force(cast: Cast, change: Change = qinghai, template: str = "SD-2019", years: int = 7) -> ProgrammeVersion:
    """One officer makes a draft of a shipped document, moves it to this year and hands it in; another approves it."""
    chen, sun = cast.actor("chen"), cast.actor("sun")
    draft = drafts.start_from_template(chen, template, cast.now)
    draft = drafts.move_years(chen, draft.pk, draft.revision, years, cast.now)
    document = copy.deepcopy(draft.document)
    change(document)
    draft = drafts.save(chen, draft.pk, draft.revision, document, cast.now)
    drafts.submit(chen, draft.pk, draft.revision, cast.now)
    return drafts.approve(sun, draft.pk, draft.revision, cast.now)


@pytest.fixture
def people(cast: Cast) -> None:
    """Firms and the lab can be paid, and the price names its tax."""
    for organisation, name in ((cast.lab, "lab"), (cast.firm, "firm"), (cast.other_firm, "other")):
        OrganisationIdentifier.objects.create(organisation=organisation, scheme="uscc", value=USCC[name])
        organisation.bank_name, organisation.bank_account_name, organisation.bank_account_number = (
            "Bank",
            organisation.name,
            "6222",
        )
        organisation.save()
    pricing.publish_price(cast.actor("li"), cast.xrd, TAXED, date(2026, 11, 24), cast.now, date(2026, 11, 23))


@pytest.fixture
def version(cast: Cast, people: None) -> ProgrammeVersion:
    return put_in_force(cast)


def given(charge: Charge) -> dict[str, tuple[Any, int]]:
    return {award.mode: (award.payee, award.total_fen) for award in charge.awards.all()}


def told(row: Any) -> list[str]:
    """The steps of the only programme that say whose claim it is."""
    (outcome,) = row.result["outcomes"]
    return [f"{each['key'].rpartition('.')[2]} {each['params']['whose']}" for each in outcome["steps"] if "claim_" in each["key"]]


def test_a_booking_of_a_firm_gets_both_and_each_side_claims_its_own(cast: Cast, version: ProgrammeVersion) -> None:
    life = Life(cast)
    held = life.approve(life.ask(slot_of(9, 12, 1)))
    quote = life.quote(held)
    # The firm: 40 % of 1,200.00 = 480.00. The owner: the least rate, 10 % of 1,200.00 - 67.92 = 1,132.08, so 113.21 (113.208).
    assert (quote.gross_fen, quote.deducted_fen, quote.refunded_fen, quote.final_cost_fen) == (1200_00, 0, 480_00, 720_00)
    (outcome,) = quote.result["outcomes"]
    assert [(side["side"], side["mode"], side["total_fen"]) for side in outcome["sides"]] == [
        ("user", "refunded_later", 480_00),
        ("provider", "paid_beside", 113_21),
    ]
    assert told(quote) == ["claim_of user", "claim_of owner"]
    # Nobody has set the owner's rate, so its award is an estimate; what the firm pays in the end is none.
    assert outcome["estimate"] and not quote.estimate
    (candidate,) = quote.inputs["candidates"]
    assert candidate["facts"]["request"] == {"side": "both"} and candidate["told"] == ["amounts.external_income"]
    assert {account.kind: account.held_fen for account in Account.objects.filter(held_fen__gt=0)} == {
        "applicant_year": 480_00,
        "owner_year": 113_21,
    }

    first = life.use(held)
    assert given(first) == {"refunded_later": (cast.firm, 480_00), "paid_beside": (cast.lab, 113_21)}
    # Two hours more are 800.00, with 45.28 tax: 320.00 for the firm; of the owner's 75.47 (754.72 x 10 %) its year has 36.79 left.
    second = life.whole(slot_of(13, 15, 1))
    assert given(second) == {"refunded_later": (cast.firm, 320_00), "paid_beside": (cast.lab, 36_79)}
    assert second.result["outcomes"][0]["binding_caps"] == ["provider-year"]
    # The year of the owner is used up: the firm gets its own all the same.
    third = life.whole(slot_of(15, 16, 1))
    assert given(third) == {"refunded_later": (cast.firm, 160_00)}
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")] * 3
    assert wrong() == {}

    office = Office(cast, {"SD-2019": version})
    paid = {}
    for mode, payee, who in (("refunded_later", cast.firm, "zhao"), ("paid_beside", cast.lab, "li")):
        stated = statements.issue(cast.actor("qian"), version.pk, payee.pk, NOVEMBER, DECEMBER, mode=mode)
        batch, (claim,) = office.filled("SD-2019", mode)
        assert claim.payee == payee
        office.submit(claim, who)
        office.close(batch)
        office.passed(claim)
        office.publicise(batch)
        office.approve(claim)
        office.pay_all(office.listed(batch))
        claim.refresh_from_db()
        paid[mode] = (claim.state, claim.total_fen, stated.total_fen, ClaimLine.objects.filter(claim=claim).count())
    # 480.00 + 320.00 + 160.00 of the firm; 113.21 + 36.79 of the owner.
    assert paid == {"refunded_later": ("paid", 960_00, 960_00, 3), "paid_beside": ("paid", 150_00, 150_00, 2)}
    assert Claim.objects.count() == 2
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")] * 3
    assert wrong() == {}


def test_a_commissioned_test_pays_both_as_well(cast: Cast, version: ProgrammeVersion) -> None:
    charge = commissioned(cast, 3)
    # Three samples at 80.00 without a tax: 40 % of 240.00 for the firm, 10 % of it for the owner.
    assert given(charge) == {"refunded_later": (cast.firm, 96_00), "paid_beside": (cast.lab, 24_00)}
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")] and wrong() == {}


def test_a_firm_that_is_refused_does_not_keep_the_owner_from_its_money(cast: Cast, version: ProgrammeVersion) -> None:
    cast.other_firm.region_code = "310104"
    cast.other_firm.save()
    charge = Life(cast).whole(slot_of(9, 12, 1), who="he", firm=cast.other_firm)
    # 400 an hour for a firm of 400 people and 90 million: 113.21 for the owner as above, nothing for a firm from another province.
    assert charge.gross_fen == 1200_00 and given(charge) == {"paid_beside": (cast.lab, 113_21)}
    assert (charge.refunded_fen, charge.final_cost_fen) == (0, 1200_00)
    (outcome,) = charge.result["outcomes"]
    assert told(charge) == ["claim_of owner", "claim_refused user"]
    assert [each["key"] for each in outcome["steps"]][-1] == "subsidy.unmet.region"
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")] and wrong() == {}


def with_credit_gate(document: dict[str, Any]) -> None:
    """The firm stands on no credit list, on the day of the service and when it is paid."""
    qinghai(document)
    days = {"days": ["service.service_on", "service.payment_on"]}
    document["sides"][0]["gates"].append(
        {"type": "condition", "clause": "1", "when": {"fact": "applicant.credit_listings", "free_on": days}, "says": SAYS}
    )


def listed(cast: Cast, since: str, now: datetime) -> None:
    text = f"uscc,name,from,to\n{USCC['firm']},Gaoyuan,{since},\n"
    credit.import_list(cast.actor("zhou"), "serious_default", "Notice 9", text.encode(), now)


def test_what_the_firm_loses_until_the_charge_leaves_the_owner_its_own_and_is_told_to_the_firm(cast: Cast, people: None) -> None:
    put_in_force(cast, with_credit_gate)
    life = Life(cast)
    booked = life.approve(life.ask(slot_of(9, 12, 1)))
    assert life.quote(booked).refunded_fen == 480_00
    listed(cast, "2026-11-24", cast.now)
    charge = life.use(booked)
    assert given(charge) == {"paid_beside": (cast.lab, 113_21)}
    (lost,) = reservation_figures.money_of(cast.actor("lin"), booked).lost
    # What was promised to the firm, without the owner's 113.21.
    assert (lost.programme, lost.promised_fen) == ("SD-2019", 480_00)
    assert [each["code"] for each in lost.reasons] == ["subsidy.unmet.condition"]
    assert sum(Account.objects.values_list("held_fen", flat=True)) == 0
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")] and wrong() == {}


def test_a_firm_that_was_listed_since_keeps_its_own_claim_from_being_paid_and_not_the_owners(cast: Cast, people: None) -> None:
    office = Office(cast, {"SD-2019": put_in_force(cast, with_credit_gate)})
    Life(cast).whole(slot_of(9, 12, 1))
    filled = {mode: office.filled("SD-2019", mode)[1][0] for mode in ("refunded_later", "paid_beside")}
    assert credit_now.listed(list(ClaimLine.objects.all()), PUBLIC_OVER.date()) == frozenset()
    listed(cast, "2026-12-10", PUBLIC_OVER)
    kept = credit_now.listed(list(ClaimLine.objects.all()), PUBLIC_OVER.date())
    assert kept == frozenset(ClaimLine.objects.filter(claim=filled["refunded_later"]).values_list("pk", flat=True))


def test_both_sides_claim_with_the_invoice_of_their_service(cast: Cast, version: ProgrammeVersion) -> None:
    office = Office(cast, {"SD-2019": version})
    Life(cast).whole(slot_of(9, 12, 1))
    for mode, who in (("refunded_later", "zhao"), ("paid_beside", "li")):
        [claim] = office.filled("SD-2019", mode)[1]
        handing_in.write_invoice(cast.actor(who), claim.pk, 1, INVOICE, DECEMBER)
        office.submit(claim, who)
    lines = list(ClaimLine.objects.select_related("award__charge", "award__programme_version"))
    assert len(lines) == 2 and invoices.taken(lines) == []
    assert invoices.elsewhere(lines, invoices.behind(lines)) == frozenset()


@pytest.mark.parametrize(
    ("claimed", "several"),
    [
        ({(1, 9, "refunded_later", 5)}, False),
        ({(1, 9, "refunded_later", 5), (2, 9, "paid_beside", 5)}, False),
        ({(1, 9, "refunded_later", 5), (2, 9, "paid_beside", 5), (2, 9, "paid_beside", 6)}, False),
        ({(1, 9, "refunded_later", 5), (2, 9, "paid_beside", 6)}, True),
        ({(1, 9, "refunded_later", 5), (2, 9, "refunded_later", 5)}, True),
        ({(1, 9, "refunded_later", 5), (2, 8, "paid_beside", 5)}, True),
        ({(1, 9, "refunded_later", 5), (2, 9, "paid_beside", 5), (3, 9, "paid_beside", 5)}, True),
    ],
)
def test_one_invoice_in_two_claims_is_looked_at_unless_they_are_of_both_sides(claimed: Any, several: bool) -> None:
    assert invoices._is_of_several(claimed) is several


def test_the_firm_sees_its_own_subsidy_and_the_lab_both(cast: Cast, version: ProgrammeVersion) -> None:
    life = Life(cast)
    charge = life.whole(slot_of(9, 12, 1))
    page = reverse("reservation_detail", args=[charge.reservation_id])
    seen = {}
    for who in ("lin", "wang"):
        client = Client()
        client.force_login(cast.users[who])
        seen[who] = client.get(page).content.decode()
    assert "480.00" in seen["lin"] and "480.00" in seen["wang"]
    assert "Claim of the user:" in seen["lin"] and "Claim of the owner of the instrument:" not in seen["lin"]
    for told in ("113.21", "36.79", "593.21"):  # the reward, what its year has left, both together
        assert told not in seen["lin"]
    assert "113.21" in seen["wang"] and "Claim of the owner of the instrument:" in seen["wang"]
    # What the firm pays is certain; the owner's part is an estimate, because nobody has set its rate.
    assert "estimate" not in seen["lin"] and seen["wang"].count(">estimate<") == 1
    shown = frozen_json(charge)
    (outcome,) = shown["outcomes"]
    assert (outcome["mode"], outcome["total_fen"], outcome["estimate"], shown["estimate"]) == (
        "refunded_later",
        480_00,
        False,
        False,
    )
    assert [each["cap"] for each in shown["caps_left"]] == ["user-year"]


def test_a_quote_says_nothing_of_the_owners_money_either(cast: Cast, version: ProgrammeVersion) -> None:
    client = Client()
    client.force_login(cast.users["lin"])
    form = {"instrument": cast.xrd.pk, "organisation": cast.firm.pk, "service_mode": "assisted", "purpose": ""}
    form |= {"on": "2026-12-02", "from": "09:00", "to": "12:00", "to_on": ""}
    shown = client.get(reverse("quote_preview"), form, headers={"HX-Request": "true"}).content.decode()
    assert "480.00" in shown and "499,520.00" in shown  # with what the firm's own year has left
    for told in ("113.21", "36.79", "593.21", "Yearly limit of the owner", "yearly limit of the owner"):
        assert told not in shown


def test_a_date_that_counts_otherwise_is_told_with_what_the_firm_gets(cast: Cast, people: None) -> None:
    def by_invoice(document: dict[str, Any]) -> None:
        qinghai(document)
        document["date_basis"] = "invoice"
        document["examples"][0]["facts"]["service"]["invoice_on"] = "2026-12-31"

    put_in_force(cast, by_invoice)
    life = Life(cast)
    during = slot_of(9, 12, 1)
    booked = life.approve(life.ask(during))
    charge = life.use(booked)
    assert given(charge)["refunded_later"][1] == 480_00
    held = life.quote(booked)
    # As if the invoice had been expected on another day.
    held.inputs["candidates"][0]["facts"]["service"]["invoice_on"] = "2026-11-25"
    (other,) = basis_day.counted_otherwise(held, charge)
    assert (other.promised_fen, other.given_fen) == (480_00, 480_00)


def test_whoever_books_is_not_asked_for_the_owners_rate(cast: Cast, version: ProgrammeVersion) -> None:
    during, said = slot_of(9, 12, 1), Said(rate="0.3")
    preview = quotes.preview(cast.actor("lin"), cast.xrd.pk, cast.firm.pk, during, cast.now, said=said)
    assert preview.offered.rate is None
    (award,) = preview.assessment.outcomes
    assert [side.total_fen for side in award.sides] == [480_00, 113_21]


def test_a_later_programme_tells_the_firm_what_others_gave_it_and_not_what_the_owner_got(
    cast: Cast, version: ProgrammeVersion
) -> None:
    document = asking(adjustments=[HALF])
    put(cast.actor("chen"), cast.actor("sun"), document | {"code": "ZZ-HALF"}, cast.now)
    life = Life(cast)
    charge = life.whole(slot_of(9, 12, 1))
    (step,) = [each for each in charge.result["outcomes"][1]["steps"] if each["key"] == GIVEN_HERE]
    assert step["params"] == {"programmes": ["SD-2019"], "given_fen": 593_21}
    (shown,) = [each for each in frozen_json(charge)["outcomes"][1]["steps"] if each["code"] == GIVEN_HERE]
    assert shown["params"] == {"programmes": ["SD-2019"], "given_fen": 480_00}
    seen = {}
    for who in ("lin", "wang"):
        client = Client()
        client.force_login(cast.users[who])
        seen[who] = client.get(reverse("reservation_detail", args=[charge.reservation_id])).content.decode()
    assert "593.21" in seen["wang"] and "593.21" not in seen["lin"]
    office = Office(cast, {"ZZ-HALF": ProgrammeVersion.objects.get(programme__code="ZZ-HALF")})
    (claim,) = office.filled("ZZ-HALF", "refunded_later")[1]
    assert [each.given_here_fen for each in declared.lines_asked([claim])] == [480_00]


def test_a_grade_that_takes_from_the_firm_gives_the_owner_no_more_than_is_held_for_it(cast: Cast, people: None) -> None:
    """Of a fund of 500.00 the firm is promised 480.00 and the owner 20.00; a grade that halves the firm's part leaves the owner its own."""

    def short(document: dict[str, Any]) -> None:
        qinghai(document)
        user, _owner = document["sides"]
        factors = {"type": "quality_factor", "factors": {"A": "1", "B": "0.5"}, "assume": "A", "clause": "1"}
        user["adjustments"] = [factors]
        document["caps"] = [{"id": "fund", "per": "pool", "limit": "500", "when_short": "partial", "clause": "1"}]
        document["examples"][0]["expect"]["binding"] = ["fund", "provider-year"]

    put_in_force(cast, short)
    life = Life(cast)
    held = life.quote(life.approve(life.ask(slot_of(9, 12, 1))))
    (promised,) = held.result["outcomes"]
    assert promised["draws"] == {"fund": 500_00, "user-year": 480_00, "provider-year": 20_00}
    inputs = assessing.thaw(held.inputs)
    graded, lower = grading.under("B", inputs, inputs.assess())
    (award,) = lower.awards
    assert award.draws == {"fund": 260_00, "user-year": 240_00, "provider-year": 20_00}
    assert all(fen <= promised["draws"][cap] for cap, fen in award.draws.items())
    assert graded.assess() == lower


def posted() -> dict[str, int]:
    return {account.kind: account.posted_fen for account in Account.objects.filter(posted_fen__gt=0, kind__endswith="_year")}


def test_what_goes_back_of_one_side_goes_back_to_its_own_limits(cast: Cast, version: ProgrammeVersion) -> None:
    charge = Life(cast).whole(slot_of(9, 12, 1))
    of_firm, of_owner = charge.awards.get(mode="refunded_later"), charge.awards.get(mode="paid_beside")
    assert posted() == {"applicant_year": 480_00, "owner_year": 113_21}
    # A quarter of the firm's; then all that is left of it, and a part of the owner's.
    with transaction.atomic():
        reversing.reverse(of_firm.pk, 120_00, ReversalCause.NOT_CLAIMABLE, None, cast.now)
    assert posted() == {"applicant_year": 360_00, "owner_year": 113_21}
    with transaction.atomic():
        reversing.reverse(of_owner.pk, 13_21, ReversalCause.NOT_CLAIMABLE, None, cast.now)
    assert posted() == {"applicant_year": 360_00, "owner_year": 100_00}
    with transaction.atomic():
        reversing.reverse(of_firm.pk, 360_00, ReversalCause.NOT_CLAIMABLE, None, cast.now)
    assert posted() == {"owner_year": 100_00} and wrong() == {}


def with_first_use(base: Change = qinghai, *, of_owner: bool = False) -> Change:
    """The firm's side gives 100 yuan more for the first use, or the owner's side gives them for each firm's."""

    def change(document: dict[str, Any]) -> None:
        base(document)
        side = document["sides"][1 if of_owner else 0]
        more = {"type": "first_use_bonus", "amount": "100", "only_with_subsidy": True, "clause": side["rate"]["clause"]}
        side["adjustments"] = [*side.get("adjustments", ()), more]
        document["sides"][1]["caps"][0]["limit"] = "100000"
        document["examples"] = [
            {"title": "owner", "facts": document["examples"][0]["facts"], "expect": {"binding": ["provider-year"]}}
        ]

    return change


def purposed(change: Change) -> Change:
    """The firm's side is for development alone."""

    def do(document: dict[str, Any]) -> None:
        change(document)
        is_development = {"fact": "service.purpose", "is": "development"}
        document["sides"][0]["gates"].append({"type": "condition", "clause": "1", "when": is_development, "says": SAYS})

    return do


def side_of(row: Any) -> str:
    return str(row.inputs["candidates"][0]["facts"]["request"]["side"])


def test_what_the_owner_alone_got_leaves_the_firm_its_first_use(cast: Cast, people: None) -> None:
    put_in_force(cast, purposed(with_first_use()))
    life = Life(cast)
    first = life.whole(slot_of(9, 12, 1), service_direction="research")
    assert given(first) == {"paid_beside": (cast.lab, 113_21)}
    # 40 % of 800.00 = 320.00, and 100.00 for the first use; of the second one 160.00 alone.
    held = life.approve(life.ask(slot_of(13, 15, 1), service_direction="development"))
    assert (life.quote(held).refunded_fen, side_of(life.quote(held))) == (420_00, "both_first")
    beside = life.approve(life.ask(slot_of(15, 16, 1), service_direction="development"))
    assert (life.quote(beside).refunded_fen, side_of(life.quote(beside))) == (160_00, "both")
    assert given(life.use(held))["refunded_later"] == (cast.firm, 420_00)
    assert given(life.use(beside))["refunded_later"] == (cast.firm, 160_00)
    assert [(each.differences, each.problem) for each in replay_charges()] == [((), "")] * 3 and wrong() == {}


def test_what_was_promised_to_both_and_charged_for_the_owner_alone_leaves_it_too(cast: Cast, people: None) -> None:
    put_in_force(cast, with_first_use(with_credit_gate))
    life = Life(cast)
    booked = life.approve(life.ask(slot_of(9, 12, 1)))

    def seen() -> str | None:
        asked = (cast.actor("lin"), cast.xrd.pk, cast.firm.pk, slot_of(13, 15, 1), cast.now)
        return quotes.preview(*asked).prepared.inputs.candidates[0].facts.more.request.side

    assert (life.quote(booked).refunded_fen, seen()) == (580_00, "both")
    listed(cast, "2026-11-24", cast.now)
    assert given(life.use(booked)) == {"paid_beside": (cast.lab, 113_21)}
    assert seen() == "both_first"


def test_the_owner_is_given_once_for_a_firms_first_use_though_the_firm_gets_nothing(cast: Cast, people: None) -> None:
    put_in_force(cast, purposed(with_first_use(of_owner=True)))
    life = Life(cast)
    # 113.21 + 100.00, then 10 % of 400.00 - 22.64.
    charges = [life.whole(slot_of(*hours, 1), service_direction="research") for hours in ((9, 12), (13, 14))]
    assert [given(each) for each in charges] == [{"paid_beside": (cast.lab, 213_21)}, {"paid_beside": (cast.lab, 37_74)}]
