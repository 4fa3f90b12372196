"""A programme over many sessions: limits are used up in order, a state can be taken up again, and variants move what they say."""

from __future__ import annotations

import json
from datetime import date

import pytest

from billing.sandbox.rules.lanes import Beside, Here, Order
from billing.sandbox.rules.purses import by_holder, issued_under, moved
from billing.sandbox.rules.report import report
from billing.sandbox.rules.rows import Row
from billing.sandbox.rules.simulation import Known, Simulation
from billing.sandbox.rules.variants import (
    AGAINST,
    CAP_DOWN,
    CAP_UP,
    RATE_DOWN,
    RATE_UP,
    TRIED,
    as_if_in_force,
    budget_of,
    variant_of,
)
from billing.subsidy.drafts import template_names
from billing.subsidy.rules.programme import read_programme
from billing.vouchers.rules.backing import Usable
from tests.conftest import programme_document, voucher_document

FIRM = {
    "applicant": {"kind": "firm", "size": "small", "region_code": "630104", "verified": True},
    "provider": {"region_code": "630104", "verified": True},
    "instrument": {"region_code": "630104"},
}
LARGE = FIRM | {"applicant": FIRM["applicant"] | {"size": "large"}}
SERVICES = [
    {"kind": kind, "service_on": f"2026-{month:02d}-10"} for kind in ("instrument_use", "testing") for month in range(1, 13)
]


def known() -> Known:
    made = Known()
    made.add([FIRM, LARGE], SERVICES)
    return made


def row(customer=1, fee=1000_00, month=1, facts=0, owner=7, samples=0, instrument=3, order=0, sheet=0):
    minutes, place = (0, 11 + month) if samples else (120, month - 1)
    return Row(facts, place, fee, 0, minutes, samples, customer, owner, instrument, 9, order, sheet, f"2026-{month:02d}")


def simulated(rows, document=None, budget=None, full=True, state=None, vouchers=None):
    made = Simulation(document or programme_document("DEMO-QH-V"), budget, full=full, state=state, vouchers=vouchers)
    made.feed(rows, known())
    return made


def test_each_session_gets_its_share_and_the_sums_are_those_of_the_sessions():
    made = simulated([row(), row(2, 2000_00, 2), row(3, 1000_00, 2, facts=1)])
    assert made.total == [3, 2, 1200_00, 4000_00]
    assert made.groups["months"] == {"2026-01": [1, 1, 400_00, 1000_00], "2026-02": [2, 1, 800_00, 3000_00]}
    assert made.groups["sizes"] == {"small": [2, 2, 1200_00, 3000_00], "large": [1, 0, 0, 1000_00]}
    assert made.refused == {"subsidy.unmet.firm_size": 1} and made.firms[3] == [1, 0, 0]


def test_a_fact_that_is_missing_is_counted_by_its_name_and_once_for_a_service():
    gates = [
        {
            "type": "condition",
            "clause": clause,
            "says": {"zh": "用途", "en": "Purpose"},
            "when": {"all": [{"fact": fact, "is": "research"}]},
        }
        for clause, fact in (("1", "service.purpose"), ("2", "service.purpose"), ("2", "other.field"))
    ]
    made = simulated([row(), row(2)], programme_document("DEMO-QH-V") | {"gates": gates})
    assert made.refused == {"subsidy.unmet.fact_missing:service.purpose": 2, "subsidy.unmet.fact_missing:other.field": 2}


def test_tiers_of_a_year_go_on_from_session_to_session_and_from_a_state_that_was_kept():
    document = programme_document("DEMO-QH-B") | {"gates": []}
    document["rate"] = document["rate"] | {"tiers": [{"up_to": 3, "amount": "120"}, {"amount": "60"}]}
    rows = [row(number, 1000_00, number) for number in (1, 2, 3)]  # two hours each, all of one instrument
    whole = simulated(rows, document)
    assert whole.total[2] == 240_00 + 180_00 + 120_00
    begun = simulated(rows[:1], document)
    assert simulated(rows[1:], document, state=json.loads(json.dumps(begun.state()))).total[2] == whole.total[2]
    del document["rate"]["continues"]
    assert simulated(rows, document).total[2] == 3 * 240_00  # the control


def test_the_limit_of_a_firm_and_year_is_used_up_and_cut():
    made = simulated([row(1, 50_000_00, month) for month in range(1, 6)])
    assert made.firms[1][2] == 60_000_00 and made.cuts["firm-year"] >= 1
    assert simulated([row(n, 50_000_00) for n in range(5)]).total[2] == 100_000_00


def of_group(firm, controller):
    return FIRM | {"applicant": FIRM["applicant"] | {"id": firm, "controller": controller}}


def test_sister_firms_share_the_limit_of_their_controller():
    document = programme_document("DEMO-QH-V") | {"examples": []}
    yearly = next(cap for cap in document["caps"] if cap["id"] == "firm-year")
    document["caps"] = [yearly | {"per": "controller_year", "limit": "500"}]

    def given(*controllers):
        read = Known()
        read.add([of_group(f"firm-{place}", name) for place, name in enumerate(controllers)], SERVICES)
        made = Simulation(document, None, full=True)
        made.feed([row(place, facts=place) for place in range(len(controllers))], read)
        return made.total[2]

    assert given("Mother", "Mother") == 500_00 and given("Mother", "Aunt") == 800_00


@pytest.mark.parametrize(("per", "name"), [("order", "order"), ("contract", "sheet")])
def test_sessions_of_one_order_or_contract_share_its_limit_and_lone_ones_do_not(per, name):
    document = programme_document("DEMO-QH-V") | {"examples": []}
    yearly = next(cap for cap in document["caps"] if cap["id"] == "firm-year")
    document["caps"] = [yearly | {"per": per, "limit": "500"}]
    together = simulated([row(**{name: 4}), row(**{name: 4}), row(**{name: 5})], document)
    assert together.total[2] == 400_00 + 100_00 + 400_00 and sorted(together.used.values()) == [400_00, 500_00]
    alone = simulated([row(), row(), row()], document)
    assert alone.total[2] == 1200_00 and alone.used == {}


@pytest.mark.parametrize("amount", ["paid", "invoice"])
def test_what_was_paid_is_the_price_where_a_rule_asks_for_it(amount):
    document = programme_document("DEMO-QH-V")
    assert simulated([row()], document | {"base": document["base"] | {"amount": amount}}).total[2] == 400_00


def test_a_budget_ends_and_the_month_is_named():
    made = simulated([row(n, 1000_00, 1 + n) for n in range(10)], budget=1500_00)
    assert made.total[2] == 1500_00 and made.short_since == "2026-04"


def test_commissioned_tests_count_beside_sessions_and_draw_on_the_same_limits():
    sessions = [row(fee=50_000_00), row(fee=50_000_00), row(fee=45_000_00)]
    rows = [*sessions, row(fee=20_000_00, month=2, samples=4), row(2, 1000_00, 2, samples=1, instrument=0)]
    made = simulated(rows)
    assert made.firms[1] == [4, 4, 60_000_00], "the test gets what the sessions left of the firm's year"
    assert made.tests == {"2026-02": [2, 2, 2_400_00, 21_000_00]} and made.total == [5, 5, 60_400_00, 166_000_00]
    only = programme_document("DEMO-QH-V")
    only["gates"].append({"type": "service_kind", "clause": "1", "any_of": ["testing"]})
    assert simulated(rows, only).tests["2026-02"][2] == simulated(rows, only).total[2] == 8_400_00


def test_a_rate_by_the_sample_counts_the_samples_of_a_test():
    counted = {"base": {"quantity": "samples", "clause": "3"}, "rate": {"type": "per_unit", "amount": "20", "clause": "3"}}
    document = programme_document("DEMO-QH-B") | counted | {"gates": [], "examples": []}
    made = simulated([row(samples=4), row(2)], document)
    assert (made.firms[1][2], made.firms[2][2]) == (80_00, 0)


def test_what_is_priced_stands_together_in_a_row():
    assert Row._fields[2:6] == ("fee_fen", "top_up_fen", "minutes", "samples")


def test_tests_of_two_customers_are_not_one_instrument():
    """They have none: a limit of each instrument is one of each customer then, as it is kept."""
    document = programme_document("DEMO-QH-V") | {"examples": []}
    yearly = next(cap for cap in document["caps"] if cap["id"] == "firm-year")
    document["caps"] = [yearly | {"per": "instrument_year", "limit": "500"}]
    rows = [row(n, 1000_00, samples=1, instrument=0) for n in (1, 1, 2)]
    assert simulated(rows, document).total[2] == 400_00 + 100_00 + 400_00


def purse(number, fen, first=1, last=12, payer=""):
    days = date(2026, first, 1), date(2026, last, 28)
    return Usable(f"voucher:voucher:{number}", 1, "voucher", number, *days, payer, fen)


def test_vouchers_are_drawn_on_in_their_order_and_nobody_without_one_gets_anything():
    held = by_holder([(1, purse("JS/2", 500_00)), (1, purse("JS/1", 300_00, last=6)), (3, purse("JS/3", 100_00, first=6))])
    rows = [row(1, 1000_00, 2), row(1, 500_00, 3), row(1, 1000_00, 7), row(2, 1000_00, 3), row(3, 1000_00, 3), row(3, 1000_00, 7)]
    made = simulated(rows, voucher_document(), vouchers=held)
    # 400.00 of February: 300.00 of JS/1, which ends first, and 100.00 of JS/2; 200.00 of March, and what is left of it in July.
    assert [made.firms[n][2] for n in (1, 2, 3)] == [800_00, 0, 100_00]
    assert made.used == {"voucher:voucher:JS/1": 300_00, "voucher:voucher:JS/2": 500_00, "voucher:voucher:JS/3": 100_00}
    assert made.drawn == {"2026-02": [1, 400_00, 0], "2026-03": [1, 200_00, 0], "2026-07": [2, 300_00, 0]}
    half = json.loads(json.dumps(simulated(rows[:2], voucher_document(), vouchers=held).state()))
    again = simulated(rows[2:], voucher_document(), vouchers=held, state=half)
    assert json.dumps(again.state(), sort_keys=True) == json.dumps(made.state(), sort_keys=True)


def test_where_no_voucher_was_issued_the_limit_is_one_of_each_customer():
    document = voucher_document()
    assert simulated([row(1, 1000_00)], document).total[2] == 400_00
    document["caps"][0]["limit"] = "300"
    assert simulated([row(1, 1000_00), row(1, 1000_00), row(2, 1000_00)], document).total[2] == 600_00


def test_a_region_elsewhere_pays_from_its_vouchers_first_and_the_budget_is_not_asked_for_that():
    document = voucher_document()
    document["caps"].insert(0, {"id": "pool", "per": "pool", "limit": "150", "when_short": "partial", "clause": "7"})
    held = by_holder([(1, purse("JS/1", 900_00)), (1, purse("CN-310000/1", 300_00, payer="partner:CN-310000"))])
    made = simulated([row(1, 1000_00), row(1, 1000_00, 2)], document, vouchers=held)
    assert made.total[2] == 300_00 + 100_00 + 50_00 and made.used["pool"] == 150_00
    assert made.used["voucher:voucher:CN-310000/1"] == 300_00 and made.drawn["2026-01"] == [1, 400_00, 300_00]
    made_of = report({TRIED: made.state()}, {}, {TRIED: 150_00}, {TRIED: issued_under(made.programme, held)}, {})
    assert [each["spent_fen"] for each in made_of["months"]] == [100_00, 150_00], "what others pay is not spent"
    assert made_of["totals"][TRIED]["homes_fen"] == 300_00
    drawn = {"uses": 2, "drawn_fen": 450_00, "homes_fen": 300_00}
    assert made_of["vouchers"] == {TRIED: {"count": 2, "holders": 1, "worth_fen": 1200_00} | drawn}


def test_a_step_of_the_limits_moves_what_vouchers_are_worth():
    held = by_holder([(1, purse("JS/1", 100_01))])
    assert [moved(held, percent)["voucher"][1][0].face_fen for percent in (-20, 20)] == [80_01, 120_01]
    assert issued_under(read_programme(programme_document("DEMO-QH-V")), held) is None


def test_a_rule_that_looks_at_the_voucher_is_told_the_one_that_is_used_first():
    document = voucher_document()
    looked_at = {"fact": "request.voucher", "any_of": ["JS/1"]}
    says = {"zh": "第一张券", "en": "The first voucher"}
    document["gates"].append({"type": "condition", "clause": "1", "when": looked_at, "says": says})
    held = by_holder([(1, purse("JS/1", 900_00, last=6)), (1, purse("JS/2", 900_00))])
    assert simulated([row(1, month=2), row(1, month=8)], document, vouchers=held).firms[1] == [2, 1, 400_00]


def test_the_report_tells_the_parts_apart():
    made = simulated([row(1, 1000_00), row(2, 500_00, samples=2), row(3, 100_00, 2, samples=2)])
    found = report({TRIED: made.state()}, {}, {TRIED: None}, {TRIED: None}, {})
    assert [(each["code"], each["sessions"], each["cost_fen"], each["gross_fen"]) for each in found["parts"]] == [
        ("sessions", 1, 400_00, 1000_00),
        ("tests", 2, 240_00, 600_00),
    ]
    assert [each["tests_fen"] for each in found["months"]] == [200_00, 40_00] and found["vouchers"] == {}


FACTORS = {"type": "quality_factor", "factors": {"A": "1", "B": "0.9", "C": "0.7", "D": "0"}, "assume": "A", "clause": "5"}


@pytest.mark.parametrize(
    ("owner", "confirmed", "given"),
    [
        ("B", None, 360_00),
        ("B", "C", 280_00),
        ("B", "D", 0),
        ("B", "A", 360_00),  # never more than was promised
        (None, "C", 280_00),
        (None, None, 400_00),  # A is assumed
        ("B", "X", 0),  # a grade that has no factor gives nothing, as when it is charged
    ],
)
def test_a_grade_that_was_confirmed_lowers_what_the_owners_grade_promised(owner, confirmed, given):
    document = programme_document("DEMO-QH-V") | {"adjustments": [FACTORS], "examples": []}
    facts = FIRM | {"provider": FIRM["provider"] | ({"grade": owner} if owner else {})}
    facts |= {"quality": {"grade": confirmed}} if confirmed else {}
    read, made = Known(), Simulation(document, None, full=True)
    read.add([facts], SERVICES)
    made.feed([row(), row(2)], read)
    assert made.firms[1][2] == made.firms[2][2] == given and made.total == [2, 2 if given else 0, 2 * given, 2000_00]


# --- What owners earned in the year before -----------------------------------------------------------------------------------
def of_owners(*names):
    """The same firm at each of the owners."""
    return [FIRM | {"provider": FIRM["provider"] | {"id": name}} for name in names]


def asking(**changes):
    """40 % of the fee where the owner earned a million, 10 per mille of its income at an owner_reward."""
    document = programme_document("DEMO-QH-V") | {"examples": []} | changes
    when = {"fact": "amounts.prior_year_external_income", "at_least": "1000000"}
    gate = {"type": "condition", "clause": "1", "says": {"zh": "收入", "en": "Income"}, "when": when}
    return document | {"gates": [*document["gates"], gate]}


DAYS_OF_TWO_YEARS = [
    {"kind": "instrument_use", "service_on": "2026-01-10", "claim_on": "2027-02-01"},
    {"kind": "instrument_use", "service_on": "2027-01-10", "claim_on": "2027-02-01"},
]
INCOMES = [
    ("uscc:rich", 2025, 1_000_000_00),
    ("uscc:rich", 2026, 1_00),
    ("uscc:poor", 2025, 9_00),
    ("uscc:poor", 2026, 2_000_000_00),
]


@pytest.mark.parametrize(
    ("basis", "given"),
    [("service", {1: 400_00, 2: 0, 3: 0, 4: 400_00, 5: 0}), ("claim", {1: 0, 2: 0, 3: 400_00, 4: 400_00, 5: 0})],
)
def test_each_service_goes_by_what_its_own_owner_earned_in_the_year_before_the_day_that_counts(basis, given):
    made, read = Simulation(asking(date_basis=basis), None, full=True), Known()
    read.add(of_owners("uscc:rich", "uscc:poor", "uscc:unknown"), DAYS_OF_TWO_YEARS, INCOMES)
    of_each = {1: (0, 0), 2: (0, 1), 3: (1, 0), 4: (1, 1), 5: (2, 0)}
    rows = [row(customer, facts=facts)._replace(service=service) for customer, (facts, service) in of_each.items()]
    made.feed(rows * 2, read)
    assert {customer: made.firms[customer][2] for customer in of_each} == {each: 2 * fen for each, fen in given.items()}
    assert made.refused["subsidy.unmet.fact_missing:amounts.prior_year_external_income"] == 2


def test_an_amount_of_the_owners_income_is_worked_out_for_each_owner_and_kept_in_a_batch():
    """1 % of the income, of services that cost the same: 10,000.00 and 100.00 wait, and a divided pool of 5,050.00 gives half of each."""
    document = programme_document("DEMO-QH-V") | {
        "examples": [],
        "base": {"amount": "prior_year_external_income", "clause": "1"},
        "rate": {"type": "flat", "rate": "0.01", "clause": "1"},
        "settlement": {"mode": "paid_beside", "form": "yearly_reward", "payee": "provider", "clause": "1"},
        "caps": [
            {
                "id": "pool",
                "per": "pool",
                "limit": {"configured": True},
                "when_short": "partial",
                "divided": "pro_rata",
                "clause": "1",
            }
        ],
    }
    incomes = [("uscc:a", 2025, 1_000_000_00), ("uscc:b", 2025, 10_000_00)]
    read = Known()
    read.add(of_owners("uscc:a", "uscc:b"), SERVICES, incomes)
    first = Simulation(document, 20_000_00, full=True)
    first.feed([row(1, facts=0), row(2, facts=1)], read)
    assert [first.firms[each][2] for each in (1, 2)] == [10_000_00, 100_00]
    state = json.loads(json.dumps(first.state()))
    made = Simulation(document, 5_050_00, full=True, state=state)
    again = Known()
    again.add(of_owners("uscc:a", "uscc:b"), SERVICES, incomes)
    again.kept.take([row(1, facts=0), row(2, facts=1)])
    made.feed([], again)
    made.end(again)
    assert [made.firms[each][2] for each in (1, 2)] == [5_000_00, 50_00]


def test_the_bonus_of_the_first_use_is_given_once():
    document = programme_document("DEMO-QH-A")
    made = simulated([row(1, 10_000_00, facts=1), row(1, 10_000_00, facts=1)], document)
    assert made.firms[1][2] == 2 * simulated([row(1, 10_000_00, facts=1)], document).firms[1][2] - 1000_00 > 0


def test_work_that_was_written_down_goes_on_as_if_it_had_never_stopped():
    rows = [row(n % 7, 9000_00 + n, 1 + n % 12, facts=n % 2) for n in range(300)]
    whole = simulated(rows, budget=600_000_00).state()
    half = json.loads(json.dumps(simulated(rows[:131], budget=600_000_00).state()))
    assert json.dumps(simulated(rows[131:], budget=600_000_00, state=half).state(), sort_keys=True) == json.dumps(
        whole, sort_keys=True
    )


def test_another_process_gives_the_same():
    orders = [
        Order(TRIED, programme_document("DEMO-QH-V"), None, full=True),
        Order(RATE_UP, programme_document("DEMO-QH-A"), None, full=False),
    ]
    rows = [row(n % 5, 3000_00 + n, 1 + n % 12) for n in range(200)]
    here, beside = Here(orders), Beside(orders)
    try:
        for lane in (here, beside):
            lane.feed([FIRM, LARGE], SERVICES, rows[:120])
            lane.feed([], [], rows[120:], [("uscc:a", 2025, 1_00)])
        assert json.dumps(beside.states(), sort_keys=True) == json.dumps(here.states(), sort_keys=True)
    finally:
        beside.close()


def test_variants_move_rates_and_limits_and_nothing_else():
    document = programme_document("DEMO-QH-V")
    down, up = (variant_of(document, name, 10, 20) for name in (RATE_DOWN, RATE_UP))
    assert (down["rate"]["rate"], up["rate"]["rate"]) == ("0.36", "0.44")
    caps = {name: {cap["id"]: cap["limit"] for cap in variant_of(document, name, 10, 20)["caps"]} for name in (CAP_DOWN, CAP_UP)}
    assert caps[CAP_DOWN]["firm-year"] == "48000.00" and caps[CAP_UP]["firm-year"] == "72000.00"
    assert caps[CAP_DOWN]["pool"] == caps[CAP_UP]["pool"] == {"configured": True, "default": "2000000"}
    tiers = variant_of(programme_document("DEMO-QH-A"), RATE_UP, 50, 20)["rate"]["tiers"]
    assert [tier["rate"] for tier in tiers] == ["0.75", "0.6", "0.45"]
    assert document == programme_document("DEMO-QH-V")


@pytest.mark.parametrize("code", template_names())
def test_every_variant_of_a_shipped_document_is_a_document(code):
    for name in (RATE_DOWN, RATE_UP, CAP_DOWN, CAP_UP):
        Simulation(variant_of(as_if_in_force(programme_document(code)), name, 50, 50), None, full=False)


def test_next_years_rule_is_tried_on_this_years_sessions():
    document = programme_document("DEMO-QH-V")
    later = document | {"validity": document["validity"] | {"first_day": "2040-01-01", "last_day": "2040-12-31"}}
    assert simulated([row()], later).total[2] == 0, "the control: outside its days it gives nothing"
    assert simulated([row()], as_if_in_force(later)).total[2] == 400_00


def test_a_rate_is_never_more_than_the_whole():
    document = programme_document("DEMO-QH-V") | {"rate": {"type": "flat", "rate": "0.9", "clause": "5"}}
    assert variant_of(document, RATE_UP, 50, 20)["rate"]["rate"] == "1"


def test_a_rate_that_is_a_fraction_moves_too():
    third = programme_document("DEMO-QH-V") | {"rate": {"type": "flat", "rate": "1/3", "clause": "5"}}
    assert [variant_of(third, name, 10, 20)["rate"]["rate"] for name in (RATE_DOWN, RATE_UP)] == ["0.3", "0.366667"]


def test_the_report_says_who_wins_and_who_loses():
    rows = [row(n, 1000_00, 1 + n % 3) for n in range(6)] + [row(6, 1000_00, 1, facts=1)]
    dearer = programme_document("DEMO-QH-V") | {"rate": {"type": "flat", "rate": "0.3", "clause": "5"}}
    states = {
        TRIED: simulated(rows, dearer).state(),
        AGAINST: simulated(rows).state(),
        RATE_UP: simulated(rows, full=False).state(),
    }
    made = report(states, {str(n): "small" for n in range(6)} | {"6": "large"}, {TRIED: budget_of(dearer), AGAINST: None}, {}, {})
    assert made["totals"][TRIED]["cost_fen"] == 1800_00 and made["totals"][AGAINST]["cost_fen"] == 2400_00
    assert made["totals"][TRIED]["budget_fen"] == 2_000_000_00 and made["totals"][TRIED]["subsidised_firms"] == 6
    assert [each["spent_fen"] for each in made["months"]] == [600_00, 1200_00, 1800_00]
    assert made["change"]["sizes"][0] == {"code": "small", "win": 0, "lose": 6, "same": 0, "win_fen": 0, "lose_fen": 600_00}
    assert made["change"]["losers"][0]["difference_fen"] == -100_00 and made["change"]["winners"] == []
    assert made["steps"][RATE_UP]["cost_fen"] == 2400_00 and json.dumps(made)
