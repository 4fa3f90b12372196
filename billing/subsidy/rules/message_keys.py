"""Every key a step or a refusal can carry, with its parameters and an English sentence.

The presentation layer translates the sentence with gettext and formats the parameters: names ending in ``_fen`` are ints of fen,
``rate``/``factor``/``yuan_per_hour`` are texts of decimals, ``ratio`` is the text of a fraction, ``on``/``*_day`` are ISO dates,
``allowed``/``excluded``/``zones``/``unmet``/``windows`` are lists, ``programmes`` a list of codes, ``declares`` of paths of facts,
``says`` are the zh and en words of a condition as its document has them, ``fact``/``since`` are paths of facts; the rest are codes of the
platform (kinds, sizes, regions, bands, caps). ``exact_fen`` (text) may stand beside the named parameters of any step whose amount has a
fraction of a fen, and ``asks`` (zh, en) beside a fact that is missing: the question of the document that was not answered.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """The parameters a key always carries, and its sentence with ``%(name)s`` for those it uses."""

    params: tuple[str, ...]
    sentence: str


#: Time at a rate per unit (half-day, day, or within a marginal step).
_UNIT = ("band", "seconds", "unit", "unit_seconds", "yuan_per_unit", "line_fen")
_UNIT_STEP = (*_UNIT, "marginal")
_AT_UNIT = "%(seconds)s seconds at %(yuan_per_unit)s yuan per %(unit)s of %(unit_seconds)s seconds = %(line_fen)s"

MESSAGES: dict[str, Message] = {
    # Price of a session
    "price.step.time": Message(
        ("band", "seconds", "yuan_per_hour", "line_fen"),
        "%(band)s: %(seconds)s seconds at %(yuan_per_hour)s yuan per hour = %(line_fen)s",
    ),
    "price.step.minimum_time": Message(
        ("band", "seconds", "yuan_per_hour", "line_fen"),
        "Up to the least time: %(seconds)s more seconds at %(yuan_per_hour)s yuan per hour = %(line_fen)s",
    ),
    "price.step.minimum_charge": Message(
        ("minimum_fen", "added_fen"), "Up to the least charge of %(minimum_fen)s: %(added_fen)s more"
    ),
    "price.step.unit_time": Message(_UNIT, f"%(band)s: {_AT_UNIT}"),
    "price.step.unit_time_in_step": Message(_UNIT_STEP, f"%(band)s, step %(marginal)s: {_AT_UNIT}"),
    "price.step.unit_minimum_time": Message(_UNIT, f"Up to the least time: {_AT_UNIT}"),
    "price.step.unit_minimum_time_in_step": Message(_UNIT_STEP, f"Up to the least time, step %(marginal)s: {_AT_UNIT}"),
    "price.step.unit_rounded_time": Message(_UNIT, f"Up to what is charged whole: {_AT_UNIT}"),
    "price.step.unit_rounded_time_in_step": Message(_UNIT_STEP, f"Up to what is charged whole, step %(marginal)s: {_AT_UNIT}"),
    "price.step.setup": Message(("line_fen",), "Setting up: %(line_fen)s"),
    "price.step.operator": Message(
        ("seconds", "yuan_per_hour", "line_fen"),
        "The operator: %(seconds)s seconds at %(yuan_per_hour)s yuan per hour = %(line_fen)s",
    ),
    "price.step.tax_included": Message(("rate", "tax_fen"), "The price contains tax of %(rate)s: %(tax_fen)s"),
    "price.step.tax_in_extras": Message(("rate", "tax_fen"), "Of what is charged besides, %(tax_fen)s are tax of %(rate)s"),
    "price.step.tax_added": Message(("rate", "net_fen", "line_fen"), "Tax of %(rate)s on %(net_fen)s: %(line_fen)s more"),
    "price.step.samples_in_step": Message(
        ("quantity", "unit", "rate_fen", "line_fen", "marginal"),
        "Step %(marginal)s: %(quantity)s x %(rate_fen)s per %(unit)s = %(line_fen)s",
    ),
    "price.step.samples": Message(
        ("quantity", "unit", "rate_fen", "line_fen"), "%(quantity)s x %(rate_fen)s per %(unit)s = %(line_fen)s"
    ),
    "price.class_without_rate": Message(("customer_class",), "There is no price for customers of class %(customer_class)s"),
    # The four numbers
    "session.step.gross": Message(("gross_fen",), "Price of the session: %(gross_fen)s"),
    "session.step.extras": Message(("beyond_fen",), "Used besides the time and agreed to, without subsidy: %(beyond_fen)s"),
    "session.step.beyond_booked": Message(("beyond_fen",), "Use beyond the booked end, without subsidy: %(beyond_fen)s more"),
    "samples.step.gross": Message(("gross_fen",), "Price of the test: %(gross_fen)s"),
    "session.step.payable_now": Message(("deducted_fen",), "Deducted at once: %(deducted_fen)s; the rest is payable now"),
    "session.step.final_cost": Message(("refunded_fen",), "Expected back later: %(refunded_fen)s; the rest is the final cost"),
    # Conditions that were met
    "subsidy.step.validity": Message(("basis", "on"), "The %(basis)s date %(on)s lies within the programme's validity"),
    "subsidy.step.imported": Message((), "The programme covers sessions that came with a list of the lab's"),
    "subsidy.step.applicant_kind": Message(("kind",), "The applicant is a %(kind)s"),
    "subsidy.step.firm_size": Message(("size",), "The firm is of %(size)s size"),
    "subsidy.step.region": Message(("subject", "region", "zones"), "The %(subject)s is in an area of the programme (%(region)s)"),
    "subsidy.step.verified_organisation": Message(("subject",), "The identity of the %(subject)s has been verified"),
    "subsidy.step.service_kind": Message(("service",), "The service (%(service)s) is covered"),
    "subsidy.step.minimum_spend": Message(
        ("of", "spent_fen", "minimum_fen"), "The %(of)s of %(spent_fen)s reaches the least amount of %(minimum_fen)s"
    ),
    "subsidy.step.alternative": Message(("alternative",), "Alternative %(alternative)s of the clause is met"),
    "subsidy.step.condition": Message(("says",), "It holds: %(says)s"),
    "subsidy.step.spend_over_months": Message(
        ("spent_fen", "minimum_fen", "months"),
        "The %(spent_fen)s spent in %(months)s months reach the least amount of %(minimum_fen)s",
    ),
    "subsidy.step.window": Message(("fact", "on"), "%(fact)s (%(on)s) lies in a window of the programme"),
    "subsidy.step.lifetime": Message(
        ("fact", "on", "since", "last_day"), "%(fact)s (%(on)s) is in time: from %(since)s until %(last_day)s"
    ),
    "subsidy.step.declared_later": Message(("declares",), "It depends on what is declared with the claim: %(declares)s"),
    "subsidy.step.given_here": Message(
        ("programmes", "given_fen"), "What %(programmes)s give for the same service counts as other public money: %(given_fen)s"
    ),
    "subsidy.step.claim_of": Message(("whose",), "The %(whose)s's claim"),
    "subsidy.step.claim_refused": Message(("whose",), "The %(whose)s's claim gets nothing"),
    "subsidy.step.window_open": Message(
        ("fact", "windows", "from_on", "until_on"),
        "On condition that %(fact)s lies in %(windows)s: next from %(from_on)s to %(until_on)s",
    ),
    "subsidy.step.lifetime_open": Message(
        ("fact", "on", "since", "last_day"), "On condition that %(fact)s comes until %(last_day)s, counted from %(since)s"
    ),
    "subsidy.step.lifetime_after": Message(
        ("fact", "since", "span"), "On condition that %(fact)s comes within %(span)s of %(since)s"
    ),
    "subsidy.step.case": Message(("says",), "The case that holds: %(says)s"),
    "subsidy.step.best_case": Message(("says", "count"), "The best of %(count)s cases that hold: %(says)s"),
    # The amount
    "subsidy.step.base": Message(("of", "whole_fen"), "Eligible amount: the %(of)s of %(whole_fen)s"),
    "subsidy.step.base_without_minimum": Message(
        ("of", "whole_fen", "left_out_fen"),
        "Eligible amount: the %(of)s of %(whole_fen)s without %(left_out_fen)s that are only a minimum charge",
    ),
    "subsidy.step.base_less": Message(("of", "left_out_fen"), "Left out: the %(of)s of %(left_out_fen)s"),
    "subsidy.step.base_above": Message(("above_fen",), "Only what lies above %(above_fen)s counts"),
    "subsidy.step.base_at_most": Message(("limit_fen",), "No more than %(limit_fen)s counts"),
    "subsidy.step.base_quantity": Message(("unit", "quantity"), "Eligible quantity: %(quantity)s (%(unit)s)"),
    "subsidy.step.line": Message(("line_fen",), "A line of %(line_fen)s"),
    "subsidy.step.bracket_rate": Message(("base_fen", "rate"), "%(base_fen)s as a whole at the rate of its bracket, %(rate)s"),
    "subsidy.step.bracket_amount": Message(
        ("base_fen", "bracket_fen"), "%(base_fen)s lies in the bracket that gives %(bracket_fen)s"
    ),
    "subsidy.step.rate_chosen": Message(
        ("base_fen", "rate", "lowest_rate", "highest_rate"),
        "%(base_fen)s at the rate that was chosen between %(lowest_rate)s and %(highest_rate)s: %(rate)s",
    ),
    "subsidy.step.rate_not_chosen": Message(
        ("base_fen", "rate", "lowest_rate", "highest_rate"),
        "No rate between %(lowest_rate)s and %(highest_rate)s was chosen yet; %(base_fen)s at %(rate)s",
    ),
    "subsidy.step.level_rate": Message(("payer", "base_fen", "rate"), "%(payer)s: %(base_fen)s at a rate of %(rate)s"),
    "subsidy.step.per_unit": Message(("quantity", "unit_fen"), "%(quantity)s units at %(unit_fen)s each"),
    "subsidy.step.fixed": Message(("amount_fen",), "A fixed amount of %(amount_fen)s"),
    "subsidy.step.own_share": Message(("base_fen", "rate"), "Of %(base_fen)s the applicant bears %(rate)s itself"),
    "subsidy.step.face_value": Message(("face_fen",), "Up to the face value of the voucher, %(face_fen)s"),
    "subsidy.step.vouchers": Message(
        ("count", "face_fen", "co_funded", "own_fen"),
        "%(count)s vouchers of %(face_fen)s are used up; %(co_funded)s of them ask for own money, %(own_fen)s",
    ),
    "subsidy.step.ex_post": Message(
        ("base_fen", "ratio", "pool_fen", "claims_fen"),
        "%(base_fen)s at the rate of the batch, %(ratio)s (a pool of %(pool_fen)s for claims of %(claims_fen)s)",
    ),
    "subsidy.step.ex_post_assumed": Message(
        ("base_fen", "rate"), "The rate is fixed when all claims are in; estimated with %(rate)s of %(base_fen)s"
    ),
    "subsidy.step.ex_post_rate": Message(
        ("pool_fen", "claims_fen", "count", "ratio"),
        "The rate of the batch: %(pool_fen)s for %(count)s claims of %(claims_fen)s together = %(ratio)s",
    ),
    "subsidy.step.uplift": Message(("says", "rate", "base_fen"), "%(rate)s of %(base_fen)s on top: %(says)s"),
    "subsidy.step.where": Message(("says",), "On condition: %(says)s"),
    "subsidy.step.rate_limit": Message(("rate", "base_fen"), "Together at most %(rate)s of %(base_fen)s"),
    "subsidy.step.limit_together": Message(
        ("rate", "whole_fen", "counted_fen"), "With %(counted_fen)s given elsewhere or before, at most %(rate)s of %(whole_fen)s"
    ),
    "subsidy.step.factor": Message(("says", "factor"), "Times %(factor)s: %(says)s"),
    "subsidy.step.bonus": Message(("says", "bonus_fen"), "%(bonus_fen)s more: %(says)s"),
    "subsidy.step.deduct": Message(("of", "less_fen"), "Less the %(of)s of %(less_fen)s"),
    "subsidy.step.least_award": Message(("least_fen",), "An amount below %(least_fen)s is not paid"),
    "subsidy.step.flat_rate": Message(("base_fen", "rate"), "%(base_fen)s at a rate of %(rate)s"),
    "subsidy.step.tier": Message(("from_fen", "slice_fen", "rate"), "The %(slice_fen)s above %(from_fen)s at a rate of %(rate)s"),
    "subsidy.step.quality": Message(("grade", "factor"), "Quality grade %(grade)s: times %(factor)s"),
    "subsidy.step.quality_assumed": Message(
        ("grade", "factor"), "The quality grade is not known yet; estimated with grade %(grade)s: times %(factor)s"
    ),
    "subsidy.step.first_use_bonus": Message(("bonus_fen",), "First use: %(bonus_fen)s more"),
    "subsidy.step.asked_enough": Message(("asked_fen",), "%(asked_fen)s were asked for, which is not less"),
    "subsidy.step.asked_less": Message(("asked_fen",), "Only %(asked_fen)s were asked for"),
    "subsidy.step.rounding": Message(("step", "mode"), "Rounded to whole %(step)s (%(mode)s)"),
    "subsidy.step.within_cost": Message(("cost_fen",), "Never more than what is left of the cost, %(cost_fen)s"),
    "subsidy.step.cap_kept": Message(
        ("cap", "per", "payer", "left_fen"), "Within the limit %(cap)s (%(per)s), of which %(left_fen)s are left"
    ),
    "subsidy.step.cap_cut": Message(
        ("cap", "per", "payer", "left_fen", "wanted_fen"),
        "Of the limit %(cap)s (%(per)s) only %(left_fen)s are left instead of %(wanted_fen)s",
    ),
    "subsidy.step.promise_cut": Message(
        ("cap", "per", "payer", "promised_fen", "wanted_fen"),
        "Of the limit %(cap)s (%(per)s) %(promised_fen)s were kept at approval, no more is given instead of %(wanted_fen)s",
    ),
    "subsidy.step.divided": Message(
        ("cap", "per", "payer", "left_fen", "claims_fen", "count"),
        "The %(left_fen)s left of the limit %(cap)s (%(per)s) are divided over %(count)s claims of %(claims_fen)s in proportion",
    ),
    "subsidy.step.matched": Message(
        ("payer", "lead", "rate", "part_fen"), "%(payer)s adds %(rate)s of what %(lead)s pays: %(part_fen)s"
    ),
    "subsidy.step.payer": Message(("payer", "part_fen"), "%(payer)s pays %(part_fen)s"),
    "subsidy.step.home_pays": Message(
        ("payer", "part_fen"), "%(part_fen)s of a recognised voucher are paid by %(payer)s, from no pool of this programme"
    ),
    "subsidy.step.total": Message(("total_fen",), "Subsidy: %(total_fen)s"),
    # Conditions that were not met
    "subsidy.unmet.fact_missing": Message(("fact",), "It is not known yet: %(fact)s"),
    "subsidy.unmet.imported": Message((), "The session came with a list of the lab's, and the programme does not cover those"),
    "subsidy.unmet.validity": Message(
        ("basis", "on", "first_day", "last_day"),
        "The %(basis)s date %(on)s lies outside the programme's validity, %(first_day)s to %(last_day)s",
    ),
    "subsidy.unmet.applicant_kind": Message(("kind", "allowed"), "The programme is for %(allowed)s; the applicant is a %(kind)s"),
    "subsidy.unmet.firm_size": Message(("size", "allowed"), "The programme is for %(allowed)s firms; this one is %(size)s"),
    "subsidy.unmet.region": Message(
        ("subject", "region", "zones", "allowed"), "The %(subject)s (%(region)s) is not in the area %(allowed)s"
    ),
    "subsidy.unmet.region_excluded": Message(
        ("subject", "region", "zones", "excluded"), "The %(subject)s (%(region)s) is in the excluded area %(excluded)s"
    ),
    "subsidy.unmet.verified_organisation": Message(("subject",), "The identity of the %(subject)s is not verified"),
    "subsidy.unmet.service_kind": Message(("service", "allowed"), "The service (%(service)s) is not one of %(allowed)s"),
    "subsidy.unmet.service_excluded": Message(("service",), "The service (%(service)s) is never subsidised"),
    "subsidy.unmet.minimum_spend": Message(
        ("of", "spent_fen", "minimum_fen"), "The %(of)s of %(spent_fen)s is below the least amount of %(minimum_fen)s"
    ),
    "subsidy.unmet.condition": Message(("says",), "It does not hold: %(says)s"),
    "subsidy.unmet.spend_over_months": Message(
        ("spent_fen", "minimum_fen", "months"),
        "The %(spent_fen)s spent in %(months)s months are below the least amount of %(minimum_fen)s",
    ),
    "subsidy.unmet.window": Message(
        ("fact", "on", "windows"), "%(fact)s (%(on)s) lies outside the windows of the programme: %(windows)s"
    ),
    "subsidy.unmet.lifetime": Message(
        ("fact", "on", "since", "last_day"), "%(fact)s (%(on)s) is not in time: from %(since)s until %(last_day)s"
    ),
    "subsidy.unmet.no_case": Message(("count",), "None of the %(count)s cases of the rate holds"),
    "subsidy.unmet.no_side": Message(("count",), "None of the %(count)s sides of the programme is for this request"),
    "subsidy.unmet.lines_differ": Message(
        ("lines_fen", "base_fen"), "The lines of the claim sum to %(lines_fen)s and not to its base of %(base_fen)s"
    ),
    "subsidy.unmet.alternatives": Message(("count", "unmet"), "None of the %(count)s alternatives of the clause is met"),
    "subsidy.unmet.grade_unknown": Message(("grade", "allowed"), "The grade %(grade)s is not one of %(allowed)s"),
    "subsidy.unmet.limit_not_set": Message(("cap",), "The limit %(cap)s has not been set yet"),
    "subsidy.unmet.cap_short": Message(
        ("cap", "per", "left_fen", "needed_fen"),
        "Of the limit %(cap)s (%(per)s) only %(left_fen)s are left, and %(needed_fen)s are needed as a whole",
    ),
    "subsidy.unmet.exclusive": Message(
        ("exclusive_class", "programme", "version", "winner_fen", "instead_fen"),
        "The session already takes %(programme)s, which gives %(winner_fen)s; it may take only one programme of its class",
    ),
    "subsidy.unmet.not_combined": Message(
        ("programme", "version", "winner_fen", "instead_fen", "says", "clause"),
        "The session already takes %(programme)s, which gives %(winner_fen)s; %(says)s (clause %(clause)s) does not combine the two",
    ),
}
