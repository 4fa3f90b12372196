"""What is drawn on a voucher of a partner region is paid by that region alone, from the booking to the statement or the claim."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pgtrigger
import pytest
from django.db import transaction
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import wording
from billing.bills.models import AwardReversal, ReversalCause
from billing.claims.models import Claim, ClaimBatch, ClaimLine
from billing.claims.services import batch_rules, reversing
from billing.claims.services.replaying import replay_batches
from billing.firms.services import partners
from billing.firms.services.partners import Partner
from billing.ledger.models import Account, Transfer, TransferKind
from billing.ledger.rules.money import plain_yuan
from billing.settlement.models import Award
from billing.settlement.services import statements
from billing.settlement.services.replaying import replay_charges
from billing.subsidy.rules import Balance, Refused, evaluate, parse_facts, parse_programme
from billing.subsidy.rules.assess import Candidate
from billing.subsidy.rules.batch import Claim as OfBatch
from billing.subsidy.rules.batch import Opening, evaluate_batch
from billing.subsidy.rules.codec import candidate_to_json, candidates_of
from billing.subsidy.rules.outcome import Home, paid_by_homes
from billing.vouchers.rules.backing import Usable, behind, spread_by_home
from billing.vouchers.services import holding
from booking.services import transitions
from config.kernel import invariants
from config.kernel.errors import Refusal
from instruments.models import PolicyZone
from tests.agreeing import check_out_agreed
from tests.billing.claims.conftest import DECEMBER, Office, code_of
from tests.billing.rules.builders import cap, facts_of
from tests.billing.rules.builders import programme_document as small_document
from tests.billing.services.conftest import Life
from tests.billing.vouchers.conftest import CODE, PDF, Desk
from tests.billing.vouchers.test_using import broken, left
from tests.conftest import programme_document, slot_of, voucher_document

HOME = "partner:CN-310000"
NOVEMBER = date(2026, 11, 1)


def with_pool(limit: str, mode: str = "redeem", rate: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """40 % (or another ``rate``), up to what the vouchers and the pool have; ``more`` is said of the pool."""
    document = voucher_document(CODE)
    if rate is not None:
        document |= {"rate": rate, "examples": []}
    pool = {"id": "pool", "per": "pool", "limit": limit, "when_short": "partial", "clause": "7", **more}
    document["caps"] = [pool, *document["caps"]]
    if mode == "refund":
        document["settlement"] = programme_document("DEMO-QH-A")["settlement"] | {"clause": "9"}
    return document


@pytest.fixture
def opened(cast, published):
    """A programme with a pool, and a region with which vouchers are recognised; ``recognise(fen)`` registers one of the firm's."""

    def make(mode: str = "redeem", pool: str = "1000", rate: dict[str, Any] | None = None, **more: Any) -> SimpleNamespace:
        PolicyZone.objects.create(slug="east", name="East")
        version = published(with_pool(pool, mode, rate, **more))
        agreed = Partner("310000", "CN-310000", "Shanghai", "", mode, date(2026, 1, 1), None, "Agreement 7")
        region = partners.keep_region(cast.actor("chen"), agreed, cast.now)

        def recognise(fen: int, number: str = "SH/2026/77", firm: Any = None, until: date = date(2026, 12, 31)) -> Any:
            given = holding.Recognised(region.pk, f"CN-310000/{number}", CODE, "voucher", fen, date(2026, 1, 1), until, PDF)
            return holding.recognise(cast.actor("chen"), (firm or cast.firm).pk, given, cast.now)

        return SimpleNamespace(version=version, region=region, recognise=recognise, life=Life(cast))

    return make


def paying(charge) -> dict[str, int]:
    return {each["payer"]: each["amount_fen"] for each in Award.objects.get(charge=charge).payers}


def drawn_on_pool() -> int:
    account = Account.objects.filter(kind="pool").first()
    return account.held_fen + account.posted_fen if account else 0


def identical() -> bool:
    return {(each.differences, each.problem) for each in replay_charges()} == {((), "")}


def test_a_redeemed_voucher_is_paid_by_its_home_from_the_quote_to_the_statement(opened, cast):
    given = opened()
    made = given.recognise(500_00)
    booked = given.life.ask(slot_of(9, 11))
    (quoted,) = given.life.quote(booked).result["outcomes"]
    assert quoted["lines"] == [{"payer": HOME, "payee": "provider", "amount_fen": 320_00}]
    assert [step["key"] for step in quoted["steps"] if step["key"].startswith("subsidy.step.home")] == ["subsidy.step.home_pays"]
    given.life.approve(booked)
    assert (left(made), drawn_on_pool()) == ((180_00, 320_00, 0), 0)
    charge = given.life.use(booked)
    assert (charge.gross_fen, charge.deducted_fen, charge.payable_now_fen) == (800_00, 320_00, 480_00)
    assert paying(charge) == {HOME: 320_00}
    assert (left(made), drawn_on_pool()) == ((180_00, 0, 320_00), 0)
    issued = statements.issue(cast.actor("qian"), given.version.pk, cast.lab.pk, NOVEMBER, DECEMBER)
    assert issued.content["totals"]["payers"] == [{"payer": HOME, "amount_fen": 320_00}]
    assert issued.total_fen == charge.deducted_fen
    assert identical() and broken() == {}


def test_a_refunded_voucher_is_claimed_from_its_home_on_a_payment_list_of_its_own(opened, cast):
    cast.firm.bank_name, cast.firm.bank_account_name, cast.firm.bank_account_number = "Bank of Demo", "Gaoyuan", "6222 1"
    cast.firm.save()
    given = opened("refund")
    made = given.recognise(500_00)
    charge = given.life.whole(slot_of(9, 11))
    assert (charge.payable_now_fen, charge.refunded_fen, charge.final_cost_fen) == (800_00, 320_00, 480_00)
    assert paying(charge) == {HOME: 320_00} and (left(made), drawn_on_pool()) == ((180_00, 0, 320_00), 0)
    office = Office(cast, {CODE: given.version})
    batch, claim = office.approved(CODE, who="zhao")
    assert ClaimLine.objects.get(claim=claim).payers == [{"payer": HOME, "amount_fen": 320_00}]
    (listed,) = office.listed(batch)
    assert (listed.payer, listed.total_fen) == (HOME, 320_00)
    assert listed.content["totals"]["payers"] == [{"payer": HOME, "amount_fen": 320_00}]
    office.pay_all([listed])
    claim = Claim.objects.get(pk=claim.pk)
    assert claim.state == "paid" and claim.total_fen == charge.refunded_fen
    assert Transfer.objects.get(source_type="payout").credit.key.endswith(HOME)
    assert identical() and broken() == {}


def test_what_the_homes_voucher_does_not_reach_is_ours_and_the_pool_gives_that_alone(opened, cast):
    given = opened(pool="50")
    foreign = given.recognise(100_00)
    own = Desk(cast).issued(500_00)
    booked = given.life.approve(given.life.ask(slot_of(9, 11)))
    assert (left(foreign), left(own), drawn_on_pool()) == ((0, 100_00, 0), (450_00, 50_00, 0), 50_00)
    charge = given.life.use(booked)
    assert paying(charge) == {HOME: 100_00, "province": 30_00, "prefecture": 20_00}
    assert (left(foreign), left(own), drawn_on_pool()) == ((0, 0, 100_00), (450_00, 0, 50_00), 50_00)
    assert given.life.quote(given.life.ask(slot_of(13, 15))).deducted_fen == 0  # both the voucher and the pool are used up
    assert identical() and broken() == {}


def test_less_time_than_promised_is_paid_by_the_home_first(opened, cast):
    given = opened()
    foreign = given.recognise(100_00)
    own = Desk(cast).issued(500_00)
    booked = given.life.approve(given.life.ask(slot_of(9, 12)))
    assert (left(foreign), left(own)) == ((0, 100_00, 0), (120_00, 380_00, 0))
    transitions.check_in(cast.actor("wang"), booked.pk, booked.starts_at)
    check_out_agreed(cast.actor("wang"), booked.pk, booked.starts_at + timedelta(hours=1))
    award = Award.objects.get(charge__reservation=booked)
    assert award.payers[0] == {"payer": HOME, "amount_fen": 100_00} and drawn_on_pool() == award.total_fen - 100_00
    posted = Transfer.objects.filter(kind=TransferKind.POST, debit__kind="voucher").values_list("debit_id", "amount_fen")
    assert dict(posted) == {foreign.account_id: 100_00, own.account_id: award.total_fen - 100_00}
    assert identical() and broken() == {}


def test_the_rules_over_a_batch_leave_alone_what_a_home_pays(opened, cast, published, monkeypatch):
    cast.firm.bank_name, cast.firm.bank_account_name, cast.firm.bank_account_number = "Bank of Demo", "Gaoyuan", "6222 1"
    cast.firm.save()
    given = opened("refund")
    given.recognise(500_00)
    given.life.whole(slot_of(9, 11))
    office = Office(cast, {CODE: given.version})
    batch, (claim,) = office.filled(CODE)
    office.submit(claim, "zhao")
    asked = []
    monkeypatch.setattr(batch_rules, "has_batch_rules", lambda programme: asked.append(programme) or True)
    office.close(batch)
    assert asked == [] and not AwardReversal.objects.exists()


def test_the_rules_over_a_batch_cut_what_is_ours_of_an_award_and_leave_the_homes_part_whole(opened, cast):
    """40 % of 800.00 are assumed: 320.00, of which Shanghai's voucher pays 100.00. The pool of 220.00 over fees of 800.00 fixes 27.5 %:
    220.00 for the award, Shanghai's 100.00 among them: ours are 120.00. So 100.00 of our 220.00 go back, and nothing of Shanghai's."""
    cast.firm.bank_name, cast.firm.bank_account_name, cast.firm.bank_account_number = "Bank of Demo", "Gaoyuan", "6222 1"
    cast.firm.save()
    rate = {"type": "ex_post", "clause": "6", "at_least": "0.1", "at_most": "0.5", "assume": "0.4"}
    given = opened("refund", pool="220", rate=rate)
    foreign, own = given.recognise(100_00), Desk(cast).issued(500_00)
    charge = given.life.whole(slot_of(9, 11))
    assert paying(charge) == {HOME: 100_00, "province": 132_00, "prefecture": 88_00} and drawn_on_pool() == 220_00
    office = Office(cast, {CODE: given.version})
    batch, (claim,) = office.filled(CODE)
    office.submit(claim, "zhao")
    office.close(batch)
    claim = Claim.objects.get(pk=claim.pk)
    cut = claim.lines.get(kind="batch_rule")
    assert {each["payer"]: each["amount_fen"] for each in cut.payers} == {"province": -60_00, "prefecture": -40_00}
    assert claim.total_fen == 220_00 and AwardReversal.objects.get().amount_fen == 100_00
    assert (left(foreign), left(own), drawn_on_pool()) == ((0, 0, 100_00), (380_00, 0, 120_00), 120_00)
    assert broken() == {}


def test_a_home_that_pays_more_than_the_fixed_rate_gives_leaves_nothing_to_ours(opened, cast):
    """Of 320.00 Shanghai pays 250.00, and the rate comes to 220.00: all of our 70.00 go back, and Shanghai's part stays its own."""
    cast.firm.bank_name, cast.firm.bank_account_name, cast.firm.bank_account_number = "Bank of Demo", "Gaoyuan", "6222 1"
    cast.firm.save()
    rate = {"type": "ex_post", "clause": "6", "at_least": "0.1", "at_most": "0.5", "assume": "0.4"}
    given = opened("refund", pool="220", rate=rate)
    foreign, _own = given.recognise(250_00), Desk(cast).issued(500_00)
    given.life.whole(slot_of(9, 11))
    office = Office(cast, {CODE: given.version})
    batch, (claim,) = office.filled(CODE)
    office.submit(claim, "zhao")
    office.close(batch)
    assert Claim.objects.get(pk=claim.pk).total_fen == 250_00 and AwardReversal.objects.get().amount_fen == 70_00
    assert left(foreign) == (0, 0, 250_00) and drawn_on_pool() == 0
    assert broken() == {}


@settings(max_examples=60, deadline=None)
@given(
    fees=st.lists(st.integers(1_00, 5000_00), min_size=1, max_size=6),
    homes=st.lists(st.integers(0, 3000_00), min_size=6, max_size=6),
    pool=st.integers(1_00, 5000_00),
)
def test_ours_and_what_homes_pay_are_together_never_more_than_the_fixed_rate_gives(
    fees: list[int], homes: list[int], pool: int
) -> None:
    """Unless the home alone pays more: then ours is nil."""
    rate = {"type": "ex_post", "clause": "1", "at_least": "0.1", "at_most": "0.6", "assume": "0.4"}
    fund = {"id": "fund", "per": "pool", "limit": plain_yuan(pool), "when_short": "partial", "clause": "1"}
    programme = parse_programme(small_document(rate=rate, caps=[fund, VOUCHER]))

    def batch(told: list[int]) -> dict[str, Any]:
        claims = [
            OfBatch(str(place), parse_facts(facts_of(plain_yuan(fee))), {"voucher": (Home(HOME, home),)} if home else {})
            for place, (fee, home) in enumerate(zip(fees, told, strict=False))
        ]
        return dict(evaluate_batch(programme, claims, Opening({"fund": Balance(pool)}, {})).outcomes)

    whole, found = batch([0] * len(fees)), batch(homes)
    fixed = min(Fraction(6, 10), max(Fraction(1, 10), Fraction(pool, sum(fees))))
    for fee, home, outcome in zip(fees, homes, found.values(), strict=False):
        theirs = sum(paid_by_homes(outcome).values())
        assert outcome.total_fen <= fixed * fee + 1 and theirs == min(home, outcome.total_fen)
        assert outcome.total_fen - theirs <= max(0, fixed * fee - home + 1)
    assert sum(each.total_fen for each in whole.values()) <= pool


def test_a_divided_pool_is_asked_by_each_claim_for_what_is_ours_of_it(opened, cast, published):
    """Two services of 800.00 at 40 %, 320.00 each, and a pool of 400.00. Of the first Shanghai pays 100.00, so that it takes 220.00 of the
    pool; 180.00 are left for the second. In the batch they ask for 220.00 and 320.00, together 540.00: 400 x 220/540 = 162.96 and
    400 x 320/540 = 237.04. The first keeps 162.96 and Shanghai's 100.00, so 57.04 go back; the second keeps the 180.00 it was promised."""
    cast.firm.bank_name, cast.firm.bank_account_name, cast.firm.bank_account_number = "Bank of Demo", "Gaoyuan", "6222 1"
    cast.firm.save()
    given = opened("refund", pool="400", divided="pro_rata")
    foreign, own = given.recognise(100_00), Desk(cast).issued(500_00)
    first, second = given.life.whole(slot_of(9, 11)), given.life.whole(slot_of(13, 15))
    assert paying(first) == {HOME: 100_00, "province": 132_00, "prefecture": 88_00}
    assert sum(paying(second).values()) == 180_00 and drawn_on_pool() == 400_00
    office = Office(cast, {CODE: given.version})
    batch, (claim,) = office.filled(CODE)
    office.submit(claim, "zhao")
    office.close(batch)
    claim = Claim.objects.get(pk=claim.pk)
    cut = claim.lines.get(kind="batch_rule")
    assert cut.award.charge == first and cut.amount_fen == -57_04
    assert HOME not in {each["payer"] for each in cut.payers}
    assert claim.total_fen == 100_00 + 162_96 + 180_00 and drawn_on_pool() == 342_96
    assert (left(foreign), left(own)) == ((0, 0, 100_00), (157_04, 0, 342_96))
    (applied,) = ClaimBatch.objects.get(pk=batch.pk).rules_applied
    assert applied["homes"] == {str(claim.lines.get(award__charge=first, kind="award").pk): {HOME: 100_00}}
    assert [(each.differences, each.problem) for each in replay_batches()] == [((), "")]
    assert broken() == {}


def homes_pay() -> list[str]:
    return list(invariants.registered()["vouchers.homes_pay_what_was_drawn_on_theirs"]().violations)


def test_what_goes_back_of_a_home_is_to_the_fen_what_comes_back_on_its_vouchers(opened, cast):
    """320.00, of which Shanghai pays 100.00 from two vouchers, the province 132.00 and the prefecture 88.00. Of 33.33 that go back Shanghai
    gets 10.41 (10.4156 and 13.7486 and 9.1658 by largest remainder), and its vouchers together as much, not 10.42 as each by itself."""
    given = opened()
    foreign = given.recognise(70_00), given.recognise(30_00, "SH/2026/78")
    own = Desk(cast).issued(500_00)
    award = Award.objects.get(charge=given.life.whole(slot_of(9, 11)))
    back = reversing.reverse(award.pk, 33_33, ReversalCause.RECHECK, None, cast.now)
    assert {each["payer"]: each["amount_fen"] for each in back.payers} == {HOME: 10_41, "province": 13_75, "prefecture": 9_17}
    assert sum(left(each)[2] for each in foreign) == 100_00 - 10_41
    assert left(own)[2] == drawn_on_pool() == 220_00 - 22_92
    reversing.reverse(award.pk, 320_00 - 33_33, ReversalCause.RECHECK, None, cast.now)
    assert [left(each)[2] for each in (*foreign, own)] == [0, 0, 0] and drawn_on_pool() == 0
    assert broken() == {}


def test_what_is_ours_goes_back_on_a_limit_that_counts_the_homes_part_too(opened, cast, monkeypatch):
    """The firm's year counts all 320.00; of what is ours alone 68.75 go back, and not a larger share of the year."""
    yearly = {"id": "year", "per": "firm_year", "limit": "1000", "when_short": "partial", "clause": "7"}
    usual = voucher_document(CODE)
    monkeypatch.setattr(f"{__name__}.voucher_document", lambda code: usual | {"caps": [*usual["caps"], yearly]})
    given = opened()
    given.recognise(100_00)
    Desk(cast).issued(500_00)
    award = Award.objects.get(charge=given.life.whole(slot_of(9, 11)))
    reversing.reverse(award.pk, 68_75, ReversalCause.RECHECK, None, cast.now, among=("province", "prefecture"))
    assert drawn_on_pool() == 220_00 - 68_75
    assert Account.objects.get(kind="firm_year").posted_fen == 320_00 - 68_75
    assert broken() == {}


def test_a_home_that_pays_what_nothing_was_drawn_for_is_found(opened, cast):
    given = opened()
    given.recognise(100_00)
    Desk(cast).issued(500_00)
    charge = given.life.whole(slot_of(9, 11))
    assert homes_pay() == []
    with transaction.atomic():
        with pgtrigger.ignore():
            payers = [{"payer": HOME, "amount_fen": 101_00}, {"payer": "province", "amount_fen": 219_00}]
            Award.objects.filter(charge=charge).update(payers=payers)
        (said,) = homes_pay()
        transaction.set_rollback(True)
    assert "partner:CN-310000 pays 10100 fen, 10000 were drawn" in said
    with transaction.atomic():
        with pgtrigger.ignore():
            drawn = Transfer.objects.filter(kind=TransferKind.POST, debit__voucher__origin__isnull=False)
            assert drawn.update(amount_fen=99_00) == 1
        (said,) = homes_pay()
        transaction.set_rollback(True)
    assert "pays 10000 fen, 9900 were drawn" in said
    assert homes_pay() == []


def test_a_limit_of_one_payer_recognises_no_voucher(opened, cast, published):
    document = voucher_document("DEMO-QH-VP")
    document["caps"][0] |= {"payer": "province"}
    published(document)
    given = opened()
    wanted = holding.Recognised(
        given.region.pk, "CN-310000/8", "DEMO-QH-VP", "voucher", 1_00, date(2026, 1, 1), date(2026, 12, 31), PDF
    )
    with pytest.raises(Refusal) as refused:
        holding.recognise(cast.actor("chen"), cast.firm.pk, wanted, cast.now)
    assert code_of(refused) == "voucher.cap_of_one_payer"


@pytest.mark.django_db
def test_a_home_is_told_in_words_by_its_place():
    with translation.override("en"):
        assert wording.payer_word(HOME) == "Partner region Shanghai (CN-310000)"
        assert wording.payer_word("partner:CN-DELTA") == "Partner region CN-DELTA"
        assert wording.payer_word("province") == "Province"


# --- The rule alone -----------------------------------------------------------------------------------------------------

VOUCHER = cap("voucher", "voucher", {"configured": True, "when_unset": "no_limit"})
HOMES = (Home(HOME, 30_00), Home("partner:CN-320000", 20_00))


def outcome(document: dict[str, Any], yuan: int, voucher: Balance, **others: Balance) -> Any:
    return evaluate(parse_programme(document), parse_facts(facts_of(yuan)), {"voucher": voucher, **others})


def half(**changes: Any) -> dict[str, Any]:
    return small_document(rate={"type": "flat", "rate": "0.5", "clause": "1"}, **changes)


def parts(award: Any) -> dict[str, int]:
    return {line.payer: line.amount_fen for line in award.lines if line.amount_fen}


def test_homes_pay_in_turn_and_ours_only_the_rest():
    document = half(caps=[cap("pool", "pool", "1000"), VOUCHER])
    found = outcome(document, 160, Balance(90_00, homes=HOMES))
    ours = {payer: fen for payer, fen in parts(found).items() if not payer.startswith("partner:")}
    assert parts(found) == {HOME: 30_00, "partner:CN-320000": 20_00, **ours} and sum(ours.values()) == 30_00
    assert found.draws == {"pool": 30_00, "voucher": 80_00}
    alone = outcome(document, 100, Balance(90_00, homes=HOMES))
    assert parts(alone) == {HOME: 30_00, "partner:CN-320000": 20_00} and alone.draws == {"voucher": 50_00}


def test_an_empty_pool_leaves_what_homes_pay():
    document = half(caps=[VOUCHER, cap("pool", "pool", "1000")])
    found = outcome(document, 160, Balance(90_00, homes=HOMES), pool=Balance(used_fen=1000_00))
    assert parts(found) == {HOME: 30_00, "partner:CN-320000": 20_00} and found.draws == {"pool": 0, "voucher": 50_00}


def test_a_cut_pool_is_cut_to_whole_steps_together_with_what_homes_pay():
    document = half(caps=[cap("pool", "pool", "10"), VOUCHER], rounding={"step": "yuan", "mode": "down", "clause": "1"})
    found = outcome(document, 160, Balance(90_00, homes=(Home(HOME, 30_50),)))
    assert (found.total_fen, parts(found)[HOME], found.draws["pool"]) == (40_00, 30_50, 9_50)


def test_a_pool_of_all_or_nothing_is_asked_for_the_rest_alone():
    document = half(caps=[cap("pool", "pool", "10", when_short="refuse"), VOUCHER])
    assert isinstance(outcome(document, 160, Balance(90_00, homes=HOMES)), Refused)
    assert outcome(document, 120, Balance(90_00, homes=HOMES)).draws == {"pool": 10_00, "voucher": 60_00}


def test_two_sides_draw_on_the_homes_one_after_the_other():
    deducted = {"mode": "deducted_now", "form": "deduct_and_redeem", "payee": "provider", "clause": "1"}
    beside = {"mode": "paid_beside", "form": "monthly_purchase", "payee": "provider", "clause": "1"}
    sides = [{"id": "a", "settlement": deducted}, {"id": "b", "settlement": beside}]
    found = outcome(half(caps=[VOUCHER], sides=sides), 80, Balance(90_00, homes=HOMES))
    assert [line.amount_fen for line in found.lines if line.payer == HOME] == [30_00]
    assert sum(line.amount_fen for line in found.lines if line.payer == "partner:CN-320000") == 20_00


def test_homes_are_frozen_with_the_balances_and_nothing_is_where_there_are_none():
    programme = parse_programme(half(caps=[VOUCHER]))
    for balance in (Balance(90_00, homes=HOMES), Balance(90_00)):
        before = Candidate(programme, parse_facts(facts_of(100)), {"voucher": balance})
        written = candidate_to_json(before)
        assert ("homes" in written["balances"]["voucher"]) is bool(balance.homes)
        assert candidates_of([programme], [written])[0].balances == before.balances


def test_vouchers_of_others_are_used_before_ours_and_each_home_pays_from_its_own():
    programme = parse_programme(half(caps=[VOUCHER]))
    days = date(2026, 1, 1), date(2026, 12, 31)
    ours = Usable("voucher:voucher:JS/1", 1, "voucher", "JS/1", days[0], date(2026, 6, 30))
    theirs = Usable("voucher:voucher:CN-310000/1", 1, "voucher", "CN-310000/1", *days, HOME)
    assert behind(programme.caps[0], 1, date(2026, 3, 1), [ours, theirs]) == (theirs, ours)
    purses = [(ours.key, 100), (theirs.key, 50)]
    assert spread_by_home(120, purses, {HOME: 50}) == (70, 50)
    assert spread_by_home(30, purses, {HOME: 30}) == (0, 30)
    assert spread_by_home(120, [("pool:x", 500)], {HOME: 50}) == (120,)
    assert spread_by_home(120, [], {HOME: 50}) == ()
