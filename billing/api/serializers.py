"""The requests and answers about money, for checking and for the OpenAPI description. Amounts are fen."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from billing.pricing.rules.samples import UNITS
from billing.settlement.fee_figures import WhyFree
from billing.settlement.fee_models import ReliefCause
from billing.settlement.models import RenderState
from billing.subsidy.rules.outcome import Payee, SettlementMode
from billing.subsidy.rules.questions import Kind as QuestionKind
from booking.api.serializers import ExpectedIn, SaidIn, addons_field, direction_field
from booking.rules.leaving import Fault
from config.kernel.api.fields import Day, Id, Instant, Text, WholeNumber
from config.kernel.api.serializers import PageParameters, StrictSerializer
from instruments.models import ServiceMode

_MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
MOST_FEN = 10**15


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Three hours",
            value={
                "instrument": 12,
                "organisation": 3,
                "starts_at": "2026-11-25T09:00:00+08:00",
                "ends_at": "2026-11-25T12:00:00+08:00",
            },
            request_only=True,
        )
    ]
)
class PreviewIn(SaidIn):
    instrument = Id()
    organisation = Id(help_text="The customer on whose account it would go.")
    starts_at = Instant(help_text="With an offset from UTC.")
    ends_at = Instant(help_text="With an offset from UTC.")
    service_mode = serializers.ChoiceField(
        choices=ServiceMode.values, required=False, help_text="How it would be served; the lab's first way when it is left out."
    )
    research_project = Text(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="The research project; a programme may look at it.",
    )
    service_direction = direction_field()
    addons = addons_field("Add-ons of the price.")
    for_person = Id(required=False, allow_null=True, help_text="A colleague who lets me book in their name; their limits count.")


class AcceptQuoteIn(StrictSerializer):
    expected = ExpectedIn(required=False, help_text="The new figures that the person saw; with others nothing is accepted (409).")


class StepOut(serializers.Serializer):
    part = serializers.CharField(help_text="Kind of rule: price, gate, base, rate, cap, payers, total ...")
    clause = serializers.CharField(help_text="The clause of the programme it rests on; empty for prices.")
    clause_text = serializers.CharField()
    code = serializers.CharField()
    params = serializers.DictField()
    sentence = serializers.CharField()
    amount_fen = serializers.IntegerField(help_text="The running amount after the step.")


class UnmetOut(serializers.Serializer):
    clause = serializers.CharField()
    clause_text = serializers.CharField()
    code = serializers.CharField()
    params = serializers.DictField()
    sentence = serializers.CharField()


class PayerOut(serializers.Serializer):
    payer = serializers.CharField()
    amount_fen = serializers.IntegerField()


class OutcomeOut(serializers.Serializer):
    """What one programme says: an award, or every reason against one."""

    programme = serializers.CharField()
    version = serializers.CharField()
    name = serializers.CharField()
    awarded = serializers.BooleanField()
    mode = serializers.ChoiceField(choices=[str(mode) for mode in SettlementMode], allow_blank=True)
    payee = serializers.ChoiceField(choices=[str(payee) for payee in Payee], allow_blank=True)
    total_fen = serializers.IntegerField()
    estimate = serializers.BooleanField()
    payers = PayerOut(many=True)
    cut_by = serializers.ListField(child=serializers.CharField(), help_text="Ids of the limits that cut the amount.")
    reasons = UnmetOut(many=True)
    steps = StepOut(many=True)


class PriceLineOut(serializers.Serializer):
    """One line of a price: an amount alone, or so much time (or so many units) at a rate."""

    kind = serializers.CharField(
        help_text="time, minimum_time, rounded_time, setup, operator, minimum_charge, tax, extra; units ..."
    )
    words = serializers.CharField(help_text="What it is for, in the reader's language; empty where unit and rate say all.")
    unit = serializers.CharField(help_text="What the rate is for; empty for an amount alone.")
    quantity = serializers.IntegerField(allow_null=True, help_text="Of what is counted.")
    seconds = serializers.IntegerField(allow_null=True, help_text="Of time.")
    yuan_per_unit = serializers.CharField(help_text="The exact rate; empty for an amount alone.")
    amount_fen = serializers.IntegerField()


class TaxOut(serializers.Serializer):
    rate = serializers.CharField(help_text='"0.06" is six per cent.')
    amount_fen = serializers.IntegerField()
    included = serializers.BooleanField(help_text="The rates contain it; otherwise it is one of the lines.")


class AssessmentOut(serializers.Serializer):
    """payable now = gross - deducted; final cost = payable now - refunded."""

    lines = PriceLineOut(many=True, help_text="They make the gross.")
    gross_fen = serializers.IntegerField()
    tax = TaxOut(allow_null=True, help_text="The tax in gross_fen; null where the price names no rate.")
    deducted_fen = serializers.IntegerField()
    payable_now_fen = serializers.IntegerField()
    refunded_fen = serializers.IntegerField()
    final_cost_fen = serializers.IntegerField()
    estimate = serializers.BooleanField()
    customer_class = serializers.CharField()
    outcomes = OutcomeOut(many=True)
    steps = StepOut(many=True)


class CapLeftOut(serializers.Serializer):
    programme = serializers.CharField()
    cap = serializers.CharField()
    name = serializers.CharField()
    limit_fen = serializers.IntegerField(allow_null=True)
    left_fen = serializers.IntegerField()


class UnusedOut(serializers.Serializer):
    """What a booking costs that is not used; never subsidised. 0: nothing."""

    free_until = serializers.DateTimeField(help_text="Until when it may be given back without being late.")
    late_cancel_fee_fen = serializers.IntegerField()
    no_show_fee_fen = serializers.IntegerField()


class WordsOut(serializers.Serializer):
    zh = serializers.CharField()
    en = serializers.CharField()


class SettlementWayOut(serializers.Serializer):
    settlement = serializers.CharField(help_text="What to send; empty: none is chosen.")
    says = WordsOut(many=True, help_text="The programmes' own words; empty: nothing is for it.")
    payable_now_fen = serializers.IntegerField()
    final_cost_fen = serializers.IntegerField()


class RateRangeOut(serializers.Serializer):
    lowest = serializers.CharField()
    highest = serializers.CharField()
    needed = serializers.BooleanField(help_text="Without a rate nothing is given.")


class AnswerOut(serializers.Serializer):
    value = serializers.CharField(help_text="What to send.")
    says = WordsOut()


class QuestionOut(serializers.Serializer):
    """What programmes ask of whoever books; without an answer the fact is not known."""

    fact = serializers.CharField(help_text="By which it is answered.")
    kind = serializers.ChoiceField(choices=[str(kind) for kind in QuestionKind])
    says = WordsOut(many=True, help_text="The words of each programme that asks it.")
    hints = WordsOut(many=True)
    choices = AnswerOut(many=True, help_text="Of a choice; else empty.")


class ChoicesOut(serializers.Serializer):
    """What can be chosen under the programmes in force."""

    settlements = SettlementWayOut(many=True, help_text="The ways of settlement; empty where no programme asks.")
    rate = RateRangeOut(allow_null=True, help_text="Null where no programme lets choose one.")
    service_kinds = serializers.ListField(
        child=serializers.CharField(), help_text="The kinds of service to say; empty where no programme looks at it."
    )
    questions = QuestionOut(many=True, help_text="What the programmes ask; empty where none asks.")


class CappedOut(AssessmentOut):
    caps_left = CapLeftOut(many=True)


class AddonOut(serializers.Serializer):
    addon = serializers.CharField(help_text="Its code.")
    name = serializers.CharField()
    name_en = serializers.CharField(help_text="Empty where it has no English name.")
    rate_fen = serializers.IntegerField(help_text="For one.")
    quantity = serializers.IntegerField(help_text="What was asked about; 0: nothing.")
    amount_fen = serializers.IntegerField()


class PreviewOut(CappedOut):
    choices = ChoicesOut()
    unused = UnusedOut()
    addons = AddonOut(many=True, help_text="What the price offers besides the time.")
    addons_fen = serializers.IntegerField(help_text="What is asked about comes to; beside the other figures, without subsidy.")


class IfCancelledOut(serializers.Serializer):
    late = serializers.BooleanField(help_text="It would count as given back late by the customer.")
    fee_fen = serializers.IntegerField()
    later_fee_fen = serializers.IntegerField(help_text="What it costs after free_until.")
    free_until = serializers.DateTimeField()
    notice_minutes = serializers.IntegerField(help_text="How long before the start it may be given back without being late.")
    why_free = serializers.ChoiceField(
        choices=[str(each) for each in WhyFree],
        allow_null=True,
        help_text="Why it costs nothing now nor after free_until: the lab has not promised the time, gives it back itself, or the time "
        "cannot be used. Null where it does, or is late already.",
    )
    may_pay = serializers.BooleanField(
        help_text="False for a fee for a colleague in whose name one books no longer: cancelling is refused with consent.over."
    )
    released_fen = serializers.IntegerField(help_text="Subsidy that is held for it and would go back to the programmes.")
    steps = StepOut(many=True)


class ReliefOut(serializers.Serializer):
    cause = serializers.ChoiceField(choices=ReliefCause.values)
    amount_fen = serializers.IntegerField()
    used_minutes = serializers.IntegerField(help_text="Of the lost time, by all uses until then.")
    lost_minutes = serializers.IntegerField()
    reason = serializers.CharField(help_text="Why the lab waived it; empty otherwise.")
    at = serializers.DateTimeField()


class FeeOut(serializers.Serializer):
    """A charge of its own kind, without subsidy: the fee is gross price, payable now and final cost in one."""

    kind = serializers.CharField(help_text=" or ".join(Fault) + ".")
    fee_fen = serializers.IntegerField()
    fallen_fen = serializers.IntegerField(
        help_text="What fell away because the time was used after all, and what the lab waived."
    )
    left_fen = serializers.IntegerField(help_text="Of the fee, whoever pays it.")
    paid_from_card_fen = serializers.IntegerField()
    returned_to_card_fen = serializers.IntegerField(help_text="Of that, because of what fell away.")
    to_pay_fen = serializers.IntegerField(help_text="What the card has not paid of left_fen.")
    at = serializers.DateTimeField()
    steps = StepOut(many=True)
    reliefs = ReliefOut(many=True)
    inputs_sha256 = serializers.CharField()
    engine_version = serializers.CharField()


class WaiveIn(StrictSerializer):
    amount_fen = WholeNumber(min_value=1, max_value=10**15, help_text="Up to what is left of the fee.")
    reason = Text(max_length=500, help_text="The customer reads it.")


class ReservationFeeOut(serializers.Serializer):
    reservation = serializers.IntegerField()
    if_cancelled = IfCancelledOut(allow_null=True, help_text="Null where it cannot be given back any more, or not by the caller.")
    fee = FeeOut(allow_null=True, help_text="Null where none was taken.")


class SampleQuoteIn(SaidIn):
    organisation = Id(help_text="The customer on whose account it would go.")
    samples = Id(help_text="How many samples; of a price per hour or day so many of those.")
    elements = Id(required=False, default=1, help_text="How many elements are measured in each, where each costs.")
    arrive_on = Day(required=False, help_text="When the samples come to the lab; today when it is left out.")
    commission = Id(required=False, help_text="A commission sheet whose price takes the place of the lab's list.")
    research_project = Text(
        max_length=200,
        required=False,
        allow_blank=True,
        default="",
        help_text="The research project; a programme may look at it.",
    )
    service_direction = direction_field()


class SampleQuoteOut(CappedOut):
    choices = ChoicesOut()
    promised_on = serializers.DateField(allow_null=True, help_text="What the lab can promise beside what is promised to others.")


class TestPriceIn(StrictSerializer):
    """A new version of a test item's price; without an amount it is given on request."""

    __test__ = False  # not a test of pytest's

    unit = serializers.ChoiceField(choices=list(UNITS))
    amount_fen = WholeNumber(allow_null=True)
    class_fen = serializers.DictField(
        child=WholeNumber(), required=False, help_text="Class of customers to what they pay instead."
    )
    effective_from = Day(required=False, help_text="Today when it is left out.")
    confirmed = serializers.ListField(
        child=Text(max_length=200),
        required=False,
        help_text="The keys of large changes that are meant, as the refusal price.jump_not_confirmed names them.",
    )


class TestPriceOut(serializers.Serializer):
    __test__ = False  # not a test of pytest's

    resource = serializers.IntegerField()
    effective_from = serializers.DateField(allow_null=True)
    unit = serializers.CharField()
    amount_fen = serializers.IntegerField(allow_null=True, help_text="Null: on request.")
    class_fen = serializers.DictField(child=serializers.IntegerField())


class ChargeOut(CappedOut):
    inputs_sha256 = serializers.CharField()
    engine_version = serializers.CharField()
    at = serializers.DateTimeField()
    reservation = serializers.IntegerField()


class AskedLaterOut(serializers.Serializer):
    """A later version of a programme that may come to count, and what it asks that nothing was decided by so far."""

    programme = serializers.CharField(help_text="Its code.")
    version = serializers.CharField()
    date_basis = serializers.CharField(help_text="The date that decides it: of the invoice, the claim or the approval.")
    from_on = serializers.DateField(help_text="From when on.")
    questions = QuestionOut(many=True)


class QuoteOut(ChargeOut):
    revision = serializers.IntegerField(
        help_text="The latest one; a new one waits where the money of the first was no longer there."
    )
    valid_until = serializers.DateTimeField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True, help_text="Empty: it waits for the customer.")
    held_at = serializers.DateTimeField(allow_null=True, help_text="When its money was held, with the approval.")
    asked_later = AskedLaterOut(
        many=True,
        help_text="Answer it with the facts of the reservation until its use is agreed; empty where no later version asks.",
    )


class ProgrammeOut(serializers.Serializer):
    code = serializers.CharField()
    version = serializers.CharField()
    state = serializers.CharField(help_text="future, current or ended; draft for officials.")
    name = serializers.DictField(child=serializers.CharField())
    kind = serializers.CharField()
    mode = serializers.ChoiceField(choices=[str(mode) for mode in SettlementMode])
    payee = serializers.ChoiceField(choices=[str(payee) for payee in Payee])
    synthetic = serializers.BooleanField()
    first_day = serializers.DateField()
    last_day = serializers.DateField(
        help_text="Until which it is chosen: that of its document, or the earlier one on which it was ended."
    )


class ProgrammesOut(serializers.Serializer):
    results = ProgrammeOut(many=True)


class VersionOut(serializers.Serializer):
    version = serializers.CharField()
    state = serializers.CharField()


class PoolOut(serializers.Serializer):
    cap = serializers.CharField()
    payer = serializers.CharField()
    granted_fen = serializers.IntegerField(allow_null=True, help_text="null: nobody has set a figure.")
    held_fen = serializers.IntegerField()
    spent_fen = serializers.IntegerField()
    left_fen = serializers.IntegerField(allow_null=True)


class EndedOut(serializers.Serializer):
    last_before = serializers.DateField(help_text="The last day before that.")
    successor = serializers.CharField(allow_null=True, help_text="The version that begins the day after; null: it was stopped.")
    reason = serializers.CharField(help_text="Why it was stopped; empty where a successor begins.")


class ProgrammeDetailOut(ProgrammeOut):
    sha256 = serializers.CharField()
    document = serializers.DictField(help_text="Clauses, conditions, rates, limits and worked examples: all of it is public.")
    ended = EndedOut(allow_null=True, help_text="What ended it before the last day of its document; null: nothing did.")
    versions = VersionOut(many=True)
    pools = PoolOut(many=True)


class ProgrammeParameters(StrictSerializer):
    version = serializers.CharField(max_length=40, required=False, help_text="Without it the one in force, else the latest.")


class BalanceIn(StrictSerializer):
    limit_fen = WholeNumber(required=False, allow_null=True, default=None, max_value=MOST_FEN)
    used_fen = WholeNumber(required=False, default=0, max_value=MOST_FEN)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A medium-sized firm, 3,000 yuan",
            value={
                "programme": "DEMO-QH-A",
                "facts": {
                    "applicant": {"kind": "firm", "size": "medium", "region_code": "630104", "verified": True},
                    "provider": {"region_code": "630104", "verified": True},
                    "service": {"kind": "instrument_use", "service_on": "2025-06-10"},
                    "amounts": {"fee": "3000"},
                    "quality": {"grade": "A"},
                },
            },
            request_only=True,
        )
    ]
)
class EvaluateIn(StrictSerializer):
    programme = Text(max_length=40)
    version = Text(max_length=40, required=False)
    facts = serializers.DictField(help_text="The public schema of facts (docs/programmes.md); amounts are yuan as text.")
    balances = serializers.DictField(child=BalanceIn(), required=False, help_text="What limits say already, by their id.")


class PriceParameters(StrictSerializer):
    on = Day(required=False, help_text="A day at the site; today when it is left out.")


class NamedCodeOut(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class BandOut(NamedCodeOut):
    weekdays = serializers.ListField(child=serializers.IntegerField(), help_text="Monday is 1; empty: all other time.")
    from_time = serializers.CharField()
    to_time = serializers.CharField()
    until_next_day = serializers.BooleanField()
    on_holidays = serializers.BooleanField(help_text="It starts on statutory holidays too.")
    yuan_per_hour = serializers.DictField(
        child=serializers.CharField(), help_text="By customer class; empty when the unit is no hour."
    )
    yuan_per_unit = serializers.DictField(child=serializers.CharField(), help_text="By customer class.")


class FeeRuleOut(serializers.Serializer):
    kind = serializers.CharField(help_text=" or ".join(Fault) + ".")
    share = serializers.CharField(help_text="Of the gross price of the booking, an exact decimal between 0 and 1.")
    at_least_fen = serializers.IntegerField()
    at_most_fen = serializers.IntegerField(allow_null=True)


class PriceOut(serializers.Serializer):
    instrument = serializers.IntegerField()
    on = serializers.DateField()
    currency = serializers.CharField()
    customer_classes = NamedCodeOut(many=True)
    unit = serializers.CharField(help_text="hour, half_day or day.")
    unit_minutes = serializers.IntegerField()
    step_minutes = serializers.IntegerField(help_text="A started step is charged whole; 0: time is charged exactly.")
    terms = serializers.ListField(child=serializers.CharField(), help_text="What the rates do not say, in sentences.")
    bands = BandOut(many=True)
    minimum_minutes = serializers.IntegerField()
    minimum_charge_fen = serializers.IntegerField()
    rounding = serializers.CharField()
    rounding_step_fen = serializers.IntegerField()
    fees = FeeRuleOut(many=True, help_text="What unused time costs; a kind that is left out costs nothing.")


class PriceIn(StrictSerializer):
    """A new version of an instrument's price."""

    document = serializers.DictField(help_text="A price schedule of format 1 or 2 (docs/prices.md); amounts are yuan as text.")
    effective_from = Day(required=False, help_text="A day at the site from today on; today when it is left out.")
    confirmed = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        help_text="The large changes that somebody said yes to, as class:band:was:becomes (fen); a refusal names those that are missing.",
    )


class ExpectedTotalsIn(StrictSerializer):
    """The totals that were looked at; when they differ, nothing is issued (409)."""

    line_count = WholeNumber()
    total_fen = WholeNumber()
    lines_sha256 = Text(max_length=64, required=False, default="", allow_blank=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "October for one payee",
            value={"programme_version": 2, "payee": 7, "month": "2026-10", "expected": {"line_count": 12, "total_fen": 960000}},
            request_only=True,
        )
    ]
)
class StatementIn(StrictSerializer):
    programme_version = Id()
    payee = Id()
    month = serializers.RegexField(_MONTH, help_text="YYYY-MM")
    mode = serializers.ChoiceField(
        choices=[str(mode) for mode in SettlementMode],
        required=False,
        help_text="The way of settlement; needed only where the programme gives this payee money in several ways.",
    )
    expected = ExpectedTotalsIn(required=False, allow_null=True)


class StatementParameters(PageParameters):
    month = serializers.RegexField(_MONTH, required=False, help_text="YYYY-MM")
    payee = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    render_state = serializers.ChoiceField(choices=RenderState.values, required=False)


class PayeeOut(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()


class CameOfOut(serializers.Serializer):
    taken_back_fen = serializers.IntegerField(help_text="What was taken back of it since it was issued.")
    paid_fen = serializers.IntegerField(help_text="What treasuries paid of it, whatever came back later.")
    failed_fen = serializers.IntegerField(help_text="What they were to pay and did not, and what stands on no list again.")


class StatementOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    programme_version = serializers.IntegerField()
    programme = serializers.CharField()
    payee = PayeeOut()
    month = serializers.CharField()
    total_fen = serializers.IntegerField(help_text="As it was issued.")
    came_of = CameOfOut()
    line_count = serializers.IntegerField()
    issued_at = serializers.DateTimeField()
    render_state = serializers.ChoiceField(choices=RenderState.values)
    render_percent = serializers.IntegerField()
    render_error = serializers.CharField(help_text="A code, when making the documents failed.")
    sha256 = serializers.CharField(help_text="Of the frozen content.")


class IssuedOut(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField()
    url = serializers.CharField(help_text="Where the statement is read.")


class StatementDetailOut(StatementOut):
    content = serializers.DictField(help_text="Everything the PDF and the XLSX show, frozen at issue.")


def as_errors(faults: list[tuple[str, str]]) -> dict[str, Any]:
    """(JSON path, message) pairs of facts as the detail of a ValidationError."""
    return {f"facts{path.removeprefix('$')}": serializers.ErrorDetail(text[:300], code="facts") for path, text in faults}
