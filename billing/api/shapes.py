"""What money looks like over the API: amounts in fen, every step as code, parameters and sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from billing import price_words, wording
from billing.ledger.rules.money import plain_yuan
from billing.month.rules.came_of import CameOf
from billing.pricing.rules.describe import DescribedBand, describe
from billing.pricing.rules.pricing import AnyLine, line_json
from billing.pricing.rules.samples import UNITS, SampleLine
from billing.pricing.rules.schedule import HOUR, PriceSchedule
from billing.pricing.rules.steps import Step
from billing.settlement import reservation_figures
from billing.settlement.fee_figures import FeeState, IfCancelled
from billing.settlement.frozen import read as read_frozen
from billing.settlement.models import FrozenAssessment, Statement
from billing.settlement.offered import Asked, Offered
from billing.settlement.services.assessing import SERVICE_KIND, TESTING_KIND
from billing.settlement.services.later_questions import Coming
from billing.settlement.services.quotes import CapLeft, QuotePreview, caps_left
from billing.settlement.services.sample_quotes import SampleQuote
from billing.settlement.services.session_extras import OnOffer
from billing.subsidy.end_models import VersionEnd
from billing.subsidy.queries import KnownVersion, PoolLeft
from billing.subsidy.rules.assess import Assessment
from billing.subsidy.rules.for_customers import for_customers
from billing.subsidy.rules.outcome import Award, Outcome, Unmet
from billing.subsidy.rules.programme import Clause, Programme
from booking.models import Reservation
from booking.rules.leaving import Fault
from booking.rules.policy import free_until
from booking.rules.service_facts import PUBLIC_KINDS
from config.kernel.access import Actor

Json = dict[str, Any]


def figures_of(actor: Actor, reservations: Iterable[Reservation]) -> Mapping[int, Json]:
    """``booking.api.serializers.FiguresOut`` of reservations by id, in two queries however many."""
    return {
        pk: {
            "gross_fen": found.gross_fen,
            "deducted_fen": found.gross_fen - found.payable_now_fen,
            "payable_now_fen": found.payable_now_fen,
            "refunded_fen": found.payable_now_fen - found.final_cost_fen,
            "final_cost_fen": found.final_cost_fen,
            "estimate": found.estimate,
            "charged": found.charged,
            "waits_for_customer": found.waits_for_customer,
        }
        for pk, found in reservation_figures.figures_of(actor, reservations).items()
    }


def preview_json(preview: QuotePreview, chosen: Mapping[str, int]) -> Json:
    """A live quote with what it leaves of each limit; ``chosen``: how many of each add-on, by code."""
    programmes = [version.programme for version in preview.prepared.versions]
    shown = assessment_json(preview.assessment, programmes, preview.prepared.inputs.schedule)
    addons = addons_json(preview.addons, chosen)
    beside = {"addons": addons, "addons_fen": sum(each["amount_fen"] for each in addons)}
    shown["choices"] = _choices_json(preview.offered, SERVICE_KIND)
    return {**shown, "caps_left": _caps_json(preview.caps_left), "unused": _unused_json(preview), **beside}


def addons_json(offered: Mapping[str, OnOffer], chosen: Mapping[str, int]) -> list[Json]:
    """``billing.api.serializers.AddonOut``: what is offered besides a time by code, and how many are chosen of it."""
    return [
        {
            "addon": code,
            "name": one.name,
            "name_en": one.name_en,
            "rate_fen": one.rate_fen,
            "quantity": chosen.get(code, 0),
            "amount_fen": one.rate_fen * chosen.get(code, 0),
        }
        for code, one in offered.items()
    ]


def _unused_json(preview: QuotePreview) -> Json:
    inputs = preview.prepared.inputs
    until = free_until(inputs.time_range.starts_at, preview.notice_minutes or 0).astimezone(inputs.zone)
    fees = preview.fees
    return {
        "free_until": until.isoformat(),
        **{f"{kind}_fee_fen": fees[kind].fee_fen if kind in fees else 0 for kind in Fault},
    }


def if_cancelled_json(found: IfCancelled, zone: ZoneInfo) -> Json:
    """What giving the time back would do."""
    return {
        "late": found.late,
        "fee_fen": found.fee_fen,
        "later_fee_fen": found.later_fee_fen,
        "free_until": found.free_until.astimezone(zone).isoformat(),
        "notice_minutes": found.notice_minutes,
        "why_free": found.why_free,
        "may_pay": found.may_pay,
        "released_fen": found.released_fen,
        "steps": [_step(step, {}, {}) for step in found.steps],
    }


def fee_json(state: FeeState, zone: ZoneInfo) -> Json:
    """A fee with what of it fell away."""
    fee = state.fee
    return {
        "kind": fee.kind,
        "fee_fen": fee.payable_now_fen,
        "fallen_fen": state.fallen_fen,
        "left_fen": state.left_fen,
        "paid_from_card_fen": fee.covered_fen,
        "returned_to_card_fen": state.returned_fen,
        "to_pay_fen": state.to_pay_fen,
        "at": fee.created_at.astimezone(zone).isoformat(),
        "steps": [_step(step, {}, {}) for step in state.steps],
        "reliefs": [
            {
                "cause": relief.cause,
                "amount_fen": relief.amount_fen,
                "used_minutes": relief.result["covered_seconds"] // 60,
                "lost_minutes": relief.result["lost_seconds"] // 60,
                "reason": relief.reason,
                "at": relief.created_at.astimezone(zone).isoformat(),
            }
            for relief in state.reliefs
        ],
        "inputs_sha256": fee.inputs_sha256,
        "engine_version": fee.engine_version,
    }


def _caps_json(caps: Iterable[CapLeft]) -> list[Json]:
    return [
        {
            "programme": cap.programme,
            "cap": cap.cap_id,
            "name": wording.cap_word(cap.per),
            "limit_fen": cap.limit_fen,
            "left_fen": cap.left_fen,
        }
        for cap in caps
    ]


def frozen_json(frozen: FrozenAssessment) -> Json:
    """A Quote or a Charge, from what was frozen then, with what it left of each limit."""
    found = read_frozen(frozen)
    return {
        **assessment_json(*found),
        "caps_left": _caps_json(caps_left(found.programmes, found.assessment.outcomes)),
        "inputs_sha256": frozen.inputs_sha256,
        "engine_version": frozen.engine_version,
        "at": frozen.created_at.isoformat(),
    }


def sample_quote_json(quote: SampleQuote) -> Json:
    """A live quote of a commissioned test, with the day on which its result is promised."""
    programmes = [version.programme for version in quote.versions]
    promised = quote.promised_on.isoformat() if quote.promised_on is not None else None
    shown = assessment_json(quote.assessment, programmes, None)
    shown["choices"] = _choices_json(quote.offered, TESTING_KIND, quote.marked)
    return {**shown, "caps_left": _caps_json(quote.caps_left), "promised_on": promised}


def _choices_json(found: Offered, ordinary: str, marked: str = "") -> Json:
    """``billing.api.serializers.ChoicesOut``; of a test that its lab has ``marked`` there is one kind."""
    rate, kinds = found.rate, [marked] if marked else [ordinary, *PUBLIC_KINDS]
    return {
        "settlements": [
            {
                "settlement": way.value,
                "says": [dict(words) for words in way.says],
                "payable_now_fen": way.payable_now_fen,
                "final_cost_fen": way.final_cost_fen,
            }
            for way in found.ways
        ],
        "rate": rate and {"lowest": str(rate.lowest), "highest": str(rate.highest), "needed": rate.needed},
        "service_kinds": kinds if found.asks_kind else [],
        "questions": [_question_json(each) for each in found.asked],
    }


def _question_json(asked: Asked) -> Json:
    """``billing.api.serializers.QuestionOut``."""
    return {
        "fact": asked.question.fact,
        "kind": str(asked.question.kind),
        "says": [dict(words) for words in asked.says],
        "hints": [dict(words) for words in asked.hints],
        "choices": [{"value": value, "says": dict(words)} for value, words in asked.question.choices],
    }


def asked_later_json(found: Sequence[Coming]) -> list[Json]:
    """``billing.api.serializers.AskedLaterOut`` of later versions."""
    return [
        {
            "programme": each.programme.code,
            "version": each.programme.version,
            "date_basis": each.basis,
            "from_on": each.from_on.isoformat(),
            "questions": [_question_json(asked) for asked in each.asked],
        }
        for each in found
    ]


def assessment_json(assessment: Assessment, programmes: Sequence[Programme], schedule: PriceSchedule | None) -> Json:
    """The four numbers, what each programme says to the customer, and every step. A commissioned test has no schedule."""
    outcomes = for_customers(assessment.outcomes, programmes)
    bands = {band.code: band.name for band in schedule.bands} if schedule is not None else {}
    return {
        "lines": [_line_json(line, bands) for line in assessment.priced.lines],
        "gross_fen": assessment.gross_fen,
        "tax": assessment.tax._asdict() if assessment.tax is not None else None,
        "deducted_fen": assessment.deducted_fen,
        "payable_now_fen": assessment.payable_now_fen,
        "refunded_fen": assessment.refunded_fen,
        "final_cost_fen": assessment.final_cost_fen,
        "estimate": any(each.estimate for each in outcomes if isinstance(each, Award)),
        "customer_class": assessment.priced.customer_class,
        "outcomes": [outcome_json(outcome, programme) for outcome, programme in zip(outcomes, programmes, strict=True)],
        "steps": [_step(step, {}, bands) for step in assessment.steps],
    }


def _line_json(line: AnyLine | SampleLine, bands: wording.BandNames) -> Json:
    if isinstance(line, SampleLine):
        counted = line.unit in UNITS
        return {
            "kind": "units" if counted else line.unit,
            "words": wording.line_word(line.unit),
            "unit": line.unit if counted else "",
            "quantity": line.quantity if counted else None,
            "seconds": None,
            "yuan_per_unit": plain_yuan(line.rate_fen) if counted else "",
            "amount_fen": line.amount_fen,
        }
    told = line_json(line)
    rate = told["yuan_per_hour"] or told.get("yuan_per_unit", "")
    return {
        "kind": told["kind"],
        "words": wording.line_word(told["kind"], told["band"], bands),
        "unit": told.get("unit", HOUR) if rate else "",
        "quantity": None,
        "seconds": told["seconds"] if rate else None,
        "yuan_per_unit": rate,
        "amount_fen": told["amount_fen"],
    }


def outcome_json(outcome: Outcome, programme: Programme) -> Json:
    """What one programme says: an award, or every reason against one."""
    clauses = programme.clauses
    common: Json = {
        "programme": outcome.programme,
        "version": outcome.version,
        "name": wording.document_text(programme.name),
        "awarded": isinstance(outcome, Award),
        "steps": [_step(step, clauses, {}) for step in outcome.steps],
    }
    if not isinstance(outcome, Award):
        return {**common, **_NO_AWARD, "reasons": [_reason(each, clauses) for each in outcome.reasons]}
    return {
        **common,
        "mode": outcome.mode.value,
        "payee": outcome.payee.value,
        "total_fen": outcome.total_fen,
        "estimate": outcome.estimate,
        "payers": [{"payer": line.payer, "amount_fen": line.amount_fen} for line in outcome.lines],
        "cut_by": list(outcome.binding_caps),
        "reasons": [],
    }


_NO_AWARD: Json = {"mode": "", "payee": "", "total_fen": 0, "estimate": False, "payers": [], "cut_by": []}


def _step(step: Step, clauses: Mapping[str, Clause], bands: wording.BandNames) -> Json:
    return {
        "part": step.part,
        "clause": step.clause,
        "clause_text": _clause_text(step.clause, clauses),
        "code": step.key,
        "params": dict(step.params),
        "sentence": wording.step_sentence(step.key, step.params, bands),
        "amount_fen": step.amount_fen,
    }


def _reason(unmet: Unmet, clauses: Mapping[str, Clause]) -> Json:
    return {
        "clause": unmet.clause,
        "clause_text": _clause_text(unmet.clause, clauses),
        "code": unmet.code,
        "params": dict(unmet.params),
        "sentence": wording.step_sentence(unmet.code, unmet.params),
    }


def _clause_text(number: str, clauses: Mapping[str, Clause]) -> str:
    clause = clauses.get(number)
    return wording.document_text({"zh": clause.zh, "en": clause.en}) if clause else ""


def programme_json(known: KnownVersion) -> Json:
    """A version for a list."""
    programme = known.programme
    return {
        "code": programme.code,
        "version": programme.version,
        "state": known.state,
        "name": dict(programme.name),
        "kind": programme.kind,
        "mode": programme.mode.value,
        "payee": programme.payee.value,
        "synthetic": programme.synthetic,
        "first_day": known.version.valid.lower.isoformat(),
        "last_day": known.version.last_on.isoformat(),
    }


def programme_detail_json(
    known: KnownVersion, versions: Sequence[KnownVersion], pools: Sequence[PoolLeft], ended: VersionEnd | None
) -> Json:
    """A version with its public document, the other versions, what is left of its budgets, and what ended it before the last day of the
    document."""
    return {
        **programme_json(known),
        "sha256": known.version.document_sha256,
        "document": known.version.document,
        "ended": ended
        and {
            "last_before": ended.last_before.isoformat(),
            "successor": None if ended.successor is None else ended.successor.label,
            "reason": ended.reason,
        },
        "versions": [{"version": each.programme.version, "state": each.state} for each in versions],
        "pools": [
            {
                "cap": pool.cap_id,
                "payer": pool.payer,
                "granted_fen": pool.granted_fen if pool.limited else None,
                "held_fen": pool.held_fen,
                "spent_fen": pool.posted_fen,
                "left_fen": pool.left_fen if pool.limited else None,
            }
            for pool in pools
        ],
    }


def price_json(instrument_id: int, on: str, schedule: PriceSchedule) -> Json:
    """The price in force on a local day. Rates are yuan per hour as text."""
    described = describe(schedule)
    return {
        "instrument": instrument_id,
        "on": on,
        "currency": described.currency,
        "customer_classes": [
            {"code": code, "name": wording.class_word(code, described.class_names)} for code in described.customer_classes
        ],
        "unit": described.unit,
        "unit_minutes": described.unit_minutes,
        "step_minutes": described.step_minutes,
        "terms": price_words.terms_words(described),
        "bands": [_band(band, described.unit) for band in described.bands],
        "minimum_minutes": described.minimum_minutes,
        "minimum_charge_fen": described.minimum_charge_fen,
        "rounding": described.rounding.value,
        "rounding_step_fen": described.step_fen,
        "fees": [
            {"kind": str(kind), "share": f"{rule.share:f}", "at_least_fen": rule.at_least_fen, "at_most_fen": rule.at_most_fen}
            for kind, rule in described.fees.items()
        ],
    }


def _band(band: DescribedBand, unit: str) -> Json:
    return {
        "code": band.code,
        "name": wording.band_word(band.code, {band.code: band.name}),
        "weekdays": list(band.weekdays),
        "from_time": band.from_time,
        "to_time": band.to_time,
        "until_next_day": band.until_next_day,
        "on_holidays": band.on_holidays,
        "yuan_per_hour": dict(band.yuan_per_unit) if unit == HOUR else {},
        "yuan_per_unit": dict(band.yuan_per_unit),
    }


def statement_json(statement: Statement, came_of: CameOf) -> Json:
    """A statement for a list, with what became of it; its programme version and payee are loaded."""
    return {
        "id": statement.pk,
        "number": statement.number,
        "programme_version": statement.programme_version_id,
        "programme": statement.programme_version.programme.code,
        "payee": {"id": statement.payee_id, "name": statement.payee.name},
        "month": f"{statement.period_on:%Y-%m}",
        "total_fen": statement.total_fen,
        "came_of": {name: getattr(came_of, name) for name in ("taken_back_fen", "paid_fen", "failed_fen")},
        "line_count": statement.line_count,
        "issued_at": statement.issued_at.isoformat(),
        "render_state": statement.render_state,
        "render_percent": statement.render_percent,
        "render_error": statement.render_error,
        "sha256": statement.content_sha256,
    }
