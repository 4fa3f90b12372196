"""Rules over a batch in a trial: what would be paid of the awards that wait for their batch, and what was cut of them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date

import pytest

from billing.sandbox.rules.lanes import Beside, Here, Order
from billing.sandbox.rules.purses import by_holder
from billing.sandbox.rules.rows import Kept, Row
from billing.sandbox.rules.simulation import Known, Simulation
from billing.sandbox.rules.variants import RATE_DOWN, RATE_UP, TRIED, variant_of
from billing.sandbox.rules.windows import batch_ends
from billing.subsidy.rules.batch import Claim, Opening, evaluate_batch
from billing.subsidy.rules.facts import Amounts, Quantities
from billing.subsidy.rules.outcome import Award, Balance
from billing.vouchers.rules.backing import Usable
from tests.billing.rules.builders import cap, programme_document

POOL = {"configured": True, "default": 1000}
WHOLE = {"type": "flat", "clause": "1", "rate": "1"}
AFTERWARDS = {"type": "ex_post", "at_least": "0.1", "at_most": "0.6", "assume": "0.5", "clause": "1"}
YEAR = {"first_day": "2026-01-01", "last_day": "2026-12-31", "clause": "1"}
HALF_YEARS = (date(2026, 6, 30), date(2026, 12, 31))
OUTSIDE = {"not": {"fact": "applicant.region_code", "starts_with": ["63"]}}
PLACES = ("630104", "310104")
FACTS = [
    {"applicant": {"id": f"firm-{n}", "kind": "firm", "region_code": PLACES[n % 2], "verified": True}, "instrument": {"id": "i"}}
    for n in range(6)
]
SERVICES = [{"kind": "instrument_use", "service_on": f"2026-{month:02d}-10"} for month in range(1, 13)]


def document(**changes):
    return programme_document(**({"validity": YEAR, "rate": WHOLE} | changes))


def divided(**changes):
    return document(caps=[cap("fund", "pool", POOL, divided="pro_rata")], **changes)


def row(firm, fee, month=1):
    return Row(firm, month - 1, fee, 0, 120, 0, firm, 7, 3, 9, 0, 0, f"2026-{month:02d}")


def fresh():
    made = Known()
    made.add(FACTS, SERVICES)
    return made


def simulated(document, rows, budget=None, **more):
    made, known = Simulation(document, budget, full=True, **more), fresh()
    made.feed(rows, known)
    made.end(known)
    return made


def test_a_divided_pool_cuts_what_was_promised_first_and_gives_nobody_more():
    """800.00 of a pool of 1,000.00 are promised to the first, 200.00 of its 700.00 to the second: 1,500.00 ask for 1,000.00, so 533.33 and
    466.67. The first gives 266.67 back, the second keeps what it was promised."""
    made = simulated(divided(), [row(0, 800_00), row(1, 700_00, 2)])
    assert [made.firms[n] for n in (0, 1)] == [[1, 1, 533_33], [1, 1, 200_00]]
    assert made.total == [2, 2, 733_33, 1500_00] and made.used == {"fund": 733_33}
    assert made.batches == [["", 2, 1000_00, 1, 266_67]]
    assert made.groups["months"] == {"2026-01": [1, 1, 533_33, 800_00], "2026-02": [1, 1, 200_00, 700_00]}
    assert [made.groups[name] for name in ("regions", "owners")] == [
        {"630100": [1, 1, 533_33, 800_00], "310100": [1, 1, 200_00, 700_00]},
        {"7": [2, 2, 733_33, 1500_00]},
    ]


def test_a_rate_fixed_afterwards_takes_the_place_of_the_assumed_one():
    """A half of 1,200.00 and what is left, 400.00, for 2,400.00; then 1,000.00 over 3,600.00: 333.33, and 666.67 that were not promised."""
    made = simulated(document(rate=AFTERWARDS, caps=[cap("fund", "pool", POOL)]), [row(0, 1200_00), row(1, 2400_00)])
    assert (made.firms[0][2], made.firms[1][2]) == (333_33, 400_00)
    assert made.batches == [["", 2, 1000_00, 1, 266_67]] and made.estimate_fen == 1000_00 - 266_67


def test_a_class_has_its_share_of_the_pool():
    """Firms elsewhere have a fifth of it, 200.00: 150.00 and 50.00 are promised to them; 150.00 and 100.00 ask for 200.00, so 120.00 and
    80.00."""
    caps = [
        cap("fund", "pool", POOL, divided="pro_rata"),
        cap("class", "pool", {"share": "0.2", "of": "fund"}, when=OUTSIDE, divided="pro_rata"),
    ]
    made = simulated(document(caps=caps), [row(1, 150_00), row(3, 100_00), row(0, 600_00)])
    assert [made.firms[n][2] for n in (1, 3, 0)] == [120_00, 50_00, 600_00]
    assert made.used == {"fund": 770_00, "class": 170_00}


def test_a_step_of_the_rate_moves_the_bounds_of_one_that_is_fixed_afterwards():
    made = document(rate=AFTERWARDS, caps=[cap("fund", "pool", POOL)])
    rates = {name: variant_of(made, name, 10, 20)["rate"] for name in (RATE_DOWN, RATE_UP)}
    assert rates[RATE_DOWN] == AFTERWARDS | {"at_least": "0.09", "at_most": "0.54", "assume": "0.45"}
    assert rates[RATE_UP] == AFTERWARDS | {"at_least": "0.11", "at_most": "0.66", "assume": "0.55"}
    costs = [
        simulated({**made, "rate": rate}, [row(0, 1000_00)]).total[2] for rate in (rates[RATE_DOWN], AFTERWARDS, rates[RATE_UP])
    ]
    assert costs == [450_00, 500_00, 550_00]


def test_a_budget_takes_the_place_of_the_pool_in_the_batch_too():
    made = simulated(document(rate=AFTERWARDS, caps=[cap("fund", "pool", POOL)]), [row(0, 1000_00)], budget=400_00)
    assert made.total[2] == 400_00 and made.batches[0][2:] == [400_00, 0, 0]
    made = simulated(document(rate=AFTERWARDS, caps=[cap("fund", "pool", POOL)]), [row(0, 200_00), row(1, 800_00)], budget=300_00)
    assert made.batches == [["", 2, 300_00, 1, 40_00]], "30 % of 200.00 in place of a half"


def test_a_service_that_gets_nothing_of_its_batch_counts_as_none():
    made = simulated(divided(rounding={"step": "yuan", "mode": "down", "clause": "1"}), [row(0, 1_00), row(1, 5000_00)])
    assert made.firms[0] == [1, 0, 0] and made.total[1] == 1, "a yuan of 1,000.00 over 5,001.00 is less than a whole step"


def test_each_window_for_claims_has_a_batch_and_what_it_cuts_is_there_for_the_next():
    rows = [row(0, 800_00, 1), row(1, 700_00, 6), row(2, 500_00, 7), row(3, 100_00, 3)]
    made = simulated(divided(), rows, ends=HALF_YEARS)
    # 733.33 after the first half; 266.67 are left for the 500.00 of July, and the one that was charged late finds nothing.
    assert made.batches == [["2026-06-30", 2, 1000_00, 1, 266_67], ["2026-12-31", 1, 266_67, 0, 0]]
    assert made.firms[2][2] == 266_67 and made.firms[3][2] == 0 and made.used == {"fund": 1000_00}
    late = simulated(divided(), [row(0, 100_00, 1), row(1, 100_00, 7), row(2, 100_00, 3)], ends=HALF_YEARS)
    assert [each[:2] for each in late.batches] == [["2026-06-30", 1], ["2026-12-31", 2]]


def test_a_claim_has_the_grade_that_counted_for_its_award():
    """A half of 1,000.00 times 0.7 for grade C is promised, and a half of 500.00; the rate of the batch is 0.4 at most."""
    factors = {"type": "quality_factor", "factors": {"A": "1", "C": "0.7"}, "assume": "A", "clause": "1"}
    rate = AFTERWARDS | {"at_most": "0.4"}
    made, known = (
        Simulation(document(rate=rate, adjustments=[factors], caps=[cap("fund", "pool", POOL)]), None, full=True),
        Known(),
    )
    known.add([FACTS[0] | {"quality": {"grade": "C"}}, FACTS[1]], SERVICES)
    made.feed([row(0, 1000_00), row(1, 500_00)], known)
    assert [made.firms[n][2] for n in (0, 1)] == [350_00, 250_00]
    made.end(known)
    assert [made.firms[n][2] for n in (0, 1)] == [280_00, 200_00], "0.4 x 0.7 of 1,000.00, and 0.4 of 500.00"


def test_a_rule_without_batches_keeps_no_rows():
    made, known = Simulation(document(), None, full=True), fresh()
    made.feed([row(0, 100_00)], known)
    made.end(known)
    assert known.kept.count == 0 and "batches" not in made.state() and made.rows_waiting == 0


def test_what_another_region_pays_of_an_award_is_not_cut():
    """Of 600.00 and 800.00 another region pays 200.00 of the first: 400.00 and 600.00 of the pool are promised; in the batch 400.00 and
    800.00 ask for 1,000.00: 333.33 and 666.67."""
    caps = [
        cap("fund", "pool", POOL, divided="pro_rata"),
        cap("voucher", "voucher", {"configured": True, "when_unset": "no_limit"}),
    ]
    days = date(2026, 1, 1), date(2026, 12, 31)

    def purse(number, fen, payer=""):
        return Usable(f"voucher:voucher:{number}", 1, "voucher", number, *days, payer, fen)

    held = by_holder(
        [(0, purse("CN-310000/1", 200_00, "partner:CN-310000")), (0, purse("JS/1", 900_00)), (1, purse("JS/2", 900_00))]
    )
    made = simulated(document(caps=caps), [row(0, 600_00), row(1, 800_00)], vouchers=held)
    assert (made.firms[0][2], made.firms[1][2]) == (533_33, 600_00) and made.batches == [["", 2, 1200_00, 1, 66_67]]
    assert made.used == {
        "fund": 933_33, "voucher:voucher:CN-310000/1": 200_00, "voucher:voucher:JS/1": 333_33, "voucher:voucher:JS/2": 600_00,
    }  # fmt: skip
    assert made.drawn == {"2026-01": [2, 1200_00 - 66_67, 200_00]}


def test_a_rate_fixed_afterwards_gives_no_more_than_it_says_together_with_what_another_region_pays():
    """Half of 600.00 and 800.00 are assumed: 300.00, of which another region pays 200.00, and the 250.00 that are left of 350.00. The
    rate comes to 350/1400: 150.00 and 200.00. The other region's 200.00 stay, and nothing of ours beside them."""
    caps = [cap("fund", "pool", 350), cap("voucher", "voucher", {"configured": True, "when_unset": "no_limit"})]
    days = date(2026, 1, 1), date(2026, 12, 31)

    def purse(number, fen, payer=""):
        return Usable(f"voucher:voucher:{number}", 1, "voucher", number, *days, payer, fen)

    held = by_holder(
        [(0, purse("CN-310000/1", 200_00, "partner:CN-310000")), (0, purse("JS/1", 900_00)), (1, purse("JS/2", 900_00))]
    )
    made = simulated(document(caps=caps, rate=AFTERWARDS), [row(0, 600_00), row(1, 800_00)], vouchers=held)
    assert (made.firms[0][2], made.firms[1][2]) == (200_00, 200_00) and made.batches == [["", 2, 550_00, 2, 150_00]]
    assert made.used["fund"] == 200_00


def test_what_vouchers_were_worth_when_they_were_promised_stands_in_the_batch():
    """600.00 and 800.00 ask for vouchers of 500.00 and 900.00: 500.00 and 500.00 of the pool are promised; in the batch 500.00 and 800.00
    ask for 1,000.00, and nobody gets more than was promised: 384.62 and 500.00. The rule would know no face value otherwise."""
    caps = [
        cap("fund", "pool", POOL, divided="pro_rata"),
        cap("voucher", "voucher", {"configured": True, "when_unset": "no_limit"}),
    ]
    rate = {"type": "face_value", "own_share": "0", "clause": "1"}
    days = date(2026, 1, 1), date(2026, 12, 31)
    held = by_holder(
        (firm, Usable(f"voucher:voucher:JS/{firm}", 1, "voucher", f"JS/{firm}", *days, "", fen))
        for firm, fen in ((0, 500_00), (1, 900_00))
    )
    rows, rule = [row(0, 600_00), row(1, 800_00)], document(caps=caps, rate=rate)
    made = simulated(rule, rows, vouchers=held)
    assert (made.firms[0][2], made.firms[1][2]) == (384_62, 500_00)
    half, known = Simulation(rule, None, full=True, vouchers=held), fresh()
    half.feed(rows, known)
    again = Simulation(rule, None, full=True, vouchers=held, state=json.loads(json.dumps(half.state())))
    again.end(known)
    assert again.firms == made.firms


def test_what_others_gave_stands_in_the_batch():
    """A rule for services that somebody else gave something for; the second one got nothing elsewhere."""
    others = {"fact": "amounts.other_subsidies", "at_least": "1"}
    gates = [{"type": "condition", "clause": "1", "says": {"zh": "x", "en": "x"}, "when": others}]
    rows = [row(0, 600_00)._replace(given=(0, 0, 5_00, 5_00)), row(1, 800_00)._replace(given=(7_00, 7_00, 0, 0))]
    given = []
    for given_at in (0, 2):
        made = simulated(divided(gates=gates), rows, given_at=given_at)
        given.append((made.firms[0][2], made.firms[1][2], made.batches))
    assert given == [(0, 793_00, [["", 1, 793_00, 0, 0]]), (595_00, 0, [["", 1, 595_00, 0, 0]])]


# --- The same function as for real batches --------------------------------------------------------------------------------
def of_every_kind():
    year = cap("year", "firm_year", 900)
    fund = cap("fund", "pool", {"configured": True, "default": 5000}, divided="pro_rata")
    shares = [{"payer": "province", "share": "0.6"}, {"payer": "city", "share": "0.4"}]
    city = cap("city-fund", "pool", {"configured": True, "default": 900}, payer="city", divided="pro_rata")
    order = cap("order", "order", 400)
    class_share = cap("class", "pool", {"share": "0.2", "of": "fund"}, when=OUTSIDE, divided="pro_rata")
    return {
        "divided": document(caps=[fund, year]),
        "class": document(caps=[fund, class_share, order]),
        "one payer": document(caps=[city], payers={"rule": "largest_remainder", "shares": shares, "clause": "1"}),
        "afterwards": document(rate=AFTERWARDS, caps=[fund | {"divided": "first_come"}, year]),
        "afterwards and divided": document(rate=AFTERWARDS, caps=[fund, year]),
        "what came before": document(
            caps=[fund, year],
            rate={
                "type": "tiers", "clause": "1", "continues": "before.fee",
                "tiers": [{"up_to": 500, "rate": "1"}, {"rate": "0.5"}],
            },
        ),
    }  # fmt: skip


@pytest.mark.parametrize("kind", of_every_kind())
def test_a_batch_is_what_the_function_for_real_batches_makes_of_it(kind):
    dice = random.Random(kind)
    rows = [row(dice.randrange(6), dice.randrange(1_00, 900_00), 1 + dice.randrange(12)) for _ in range(60)]
    made, known = Simulation(of_every_kind()[kind], None, full=True), fresh()
    promised, before = [], []
    for each in rows:
        total = made.total[2]
        before.append(dict(made.before))
        made.feed([each], known)
        promised.append(made.total[2] - total)
    used = dict(made.used)
    claims = [Claim(str(place), _facts(each, known, before[place])) for place, each in enumerate(rows) if promised[place]]
    pools = {each.id for each in made.programme.caps if each.per == "pool" and each.share_of is None}
    assert all(used[name] > 0 for name in pools)
    batch = evaluate_batch(made.programme, claims, Opening({name: Balance() for name in pools}, {}))
    kept = {}
    for claim in claims:
        outcome = batch.outcomes[claim.id]
        given = outcome.total_fen if isinstance(outcome, Award) else 0
        firm = rows[int(claim.id)].customer
        kept[firm] = kept.get(firm, 0) + min(promised[int(claim.id)], given)
    made.end(known)
    assert {firm: made.firms[firm][2] for firm in kept} == kept
    assert made.batches[0][1:3] == [len(claims), sum(promised)] and made.batches[0][4] == sum(promised) - sum(kept.values()) > 0


def _facts(each, known, before):
    facts = known.facts[each.facts][1]
    facts = replace(
        facts, service=known.services[each.service], amounts=Amounts(fee=each.fee_fen, contract=each.fee_fen, minimum_top_up=0),
        quantities=Quantities(minutes=120),
    )  # fmt: skip
    own = next((sums for key, sums in before.items() if key.startswith(f"year:{each.customer}:")), None)
    return facts if own is None else replace(facts, more=replace(facts.more, before=own))


# --- Stopped and taken up again -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["divided", "afterwards", "what came before"])
@pytest.mark.parametrize("ends", [(), HALF_YEARS])
def test_work_that_was_written_down_in_the_middle_of_a_batch_goes_on(kind, ends):
    dice = random.Random(kind)
    rows = sorted(
        (row(dice.randrange(6), dice.randrange(1_00, 900_00), 1 + n // 10) for n in range(120)), key=lambda each: each.month
    )
    whole = simulated(of_every_kind()[kind], rows, ends=ends)
    first, known = Simulation(of_every_kind()[kind], None, full=True, ends=ends), fresh()
    first.feed(rows[:40], known)
    first.feed(rows[40:83], known)
    state, waiting = json.loads(json.dumps(first.state())), first.rows_waiting
    assert 0 < waiting <= 83 and (waiting < 83 or not ends)
    again, known = Simulation(of_every_kind()[kind], None, full=True, ends=ends, state=state), fresh()
    known.kept.take(rows[83 - waiting - 5 * (waiting < 78) : 83])
    again.feed(rows[83:], known)
    again.end(known)
    assert json.dumps(again.state(), sort_keys=True) == json.dumps(whole.state(), sort_keys=True)


def test_another_process_closes_the_same_batches():
    orders = [Order(TRIED, of_every_kind()["divided"], None, full=True, ends=HALF_YEARS)]
    rows = [row(n % 6, 100_00 + n * 7_00, 1 + n // 10) for n in range(120)]
    here, beside = Here(orders), Beside(orders)
    try:
        for lane in (here, beside):
            lane.remind(FACTS, SERVICES, rows[:3])
            lane.feed([], [], rows[:70])
            lane.feed([], [], rows[70:])
        ended = here.ended()
        assert json.dumps(beside.ended(), sort_keys=True) == json.dumps(ended, sort_keys=True)
        assert len(ended[TRIED]["batches"]) == 2
    finally:
        beside.close()


def test_rows_are_let_go_of_when_no_award_waits_for_them():
    kept, rows = Kept(), [row(n, n, 1 + n) for n in range(6)]
    assert (kept.take(rows), kept.take(rows), kept.take([row(0, 9)])) == (0, 0, 6)
    assert [kept.row(place) for place in range(6)] == rows and kept.row(6) == row(0, 9)
    kept.forget(4)
    assert (kept.row(4), kept.count) == (rows[4], 7)
    with pytest.raises(IndexError):
        kept.row(3)
    lane = Here([Order(TRIED, divided(), None, full=False, ends=HALF_YEARS)])
    lane.feed(FACTS, SERVICES, [row(0, 1_00), row(1, 1_00)])
    lane.feed([], [], [row(0, 1_00, 7)])
    assert lane._known.kept.count == 3
    with pytest.raises(IndexError):
        lane._known.kept.row(1)


# --- Which batches there are ----------------------------------------------------------------------------------------------
SPRING, AUTUMN = {"from": "03-01", "to": "03-31"}, {"from": "09-01", "to": "09-30"}
WINTER = {"from": "11-15", "to": "01-15"}
CLAIMED = "service.claim_on"


@pytest.mark.parametrize(
    "windows, days, ends",
    [
        ([], ("2026-01-01", "2026-12-31"), []),
        ([(CLAIMED, [SPRING, AUTUMN])], ("2026-01-01", "2026-12-31"), ["2026-03-31", "2026-09-30", "2027-03-31"]),
        ([(CLAIMED, [SPRING, AUTUMN])], ("2026-04-01", "2026-09-30"), ["2026-09-30"]),
        ([(CLAIMED, [WINTER])], ("2026-02-01", "2026-12-31"), ["2027-01-15"]),
        ([(CLAIMED, [{"from": "02-01", "to": "02-29"}])], ("2026-01-01", "2026-02-28"), ["2026-02-28"]),
        ([(CLAIMED, [{"from": "2026-03-01", "to": "2026-03-31"}])], ("2026-01-01", "2026-03-01"), ["2026-03-31"]),
        ([(CLAIMED, [{"from": "2026-03-01", "to": "2026-03-31"}])], ("2026-01-01", "2026-04-01"), []),
        ([(CLAIMED, [SPRING]), (CLAIMED, [AUTUMN])], ("2026-01-01", "2026-12-31"), []),
        ([("service.service_on", [SPRING])], ("2026-01-01", "2026-12-31"), []),
    ],
)  # fmt: skip
def test_batches_are_those_of_the_windows_for_claims_or_one_of_the_whole_period(windows, days, ends):
    made = {"validity": {"windows": [{"date": fact, "any_of": any_of} for fact, any_of in windows]}}
    first, last = map(date.fromisoformat, days)
    assert [each.isoformat() for each in batch_ends(made, first, last)] == ends


def test_a_time_after_another_date_forms_no_batches():
    within = {"date": CLAIMED, "within": {"after": "service.invoice_on", "months": 6, "last_day": "included"}}
    assert batch_ends({"validity": {"windows": [within]}}, date(2026, 1, 1), date(2026, 12, 31)) == ()
