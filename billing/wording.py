"""What the codes of money are called, and the sentences of a calculation's steps and refusals for people.

The engine speaks in codes (``billing.subsidy.rules.message_keys``); here they become words in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, ngettext, npgettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from billing.pricing.rules.tax import TaxTold
from billing.subsidy.rules.outcome import FACT_MISSING, home_platform
from booking.service_wording import KINDS
from config.kernel.date_wording import month_name
from config.kernel.messages import local_date, sentence
from instruments.queries.divisions import division_name

Word = Promise | str
BandNames = Mapping[str, Mapping[str, str]]

_KINDS: dict[str, Word] = {
    "firm": pgettext_lazy("applicant kind", "firm"),
    "team": pgettext_lazy("applicant kind", "start-up team"),
    "person": pgettext_lazy("applicant kind", "person"),
    "institution": pgettext_lazy("applicant kind", "institution"),
}
_SIZES: dict[str, Word] = {
    "micro": pgettext_lazy("firm size", "micro"),
    "small": pgettext_lazy("firm size", "small"),
    "medium": pgettext_lazy("firm size", "medium-sized"),
    "large": pgettext_lazy("firm size", "large"),
}
_SUBJECTS: dict[str, Word] = {
    "applicant": pgettext_lazy("subsidy party", "applicant"),
    "provider": pgettext_lazy("subsidy party", "provider"),
    "instrument": pgettext_lazy("subsidy party", "instrument"),
}
_AMOUNTS: dict[str, Word] = {
    "fee": pgettext_lazy("subsidised amount", "fee"),
    "contract": pgettext_lazy("subsidised amount", "contract amount"),
    "paid": pgettext_lazy("subsidised amount", "amount paid"),
    "invoice": pgettext_lazy("subsidised amount", "amount of the invoice"),
    "tax": pgettext_lazy("subsidised amount", "tax"),
    "excluded": pgettext_lazy("subsidised amount", "part that does not count"),
    "face_value": pgettext_lazy("subsidised amount", "face value of the voucher"),
    "other_subsidies": pgettext_lazy("subsidised amount", "other public money"),
    "lower_level": pgettext_lazy("subsidised amount", "amount of the lower level of government"),
    "lender": pgettext_lazy("subsidised amount", "amount a lender has set aside"),
    "external_income": pgettext_lazy("subsidised amount", "income from external services"),
    "prior_year_external_income": pgettext_lazy("subsidised amount", "income from external services in the year before"),
    "minimum_top_up": pgettext_lazy("subsidised amount", "part only due because of a minimum"),
    "asked": pgettext_lazy("subsidised amount", "amount asked for"),
}
_UNUSED: dict[str, Word] = {
    "late_cancel": pgettext_lazy("a fee", "Given back late"),
    "no_show": pgettext_lazy("a fee", "Nobody came"),
    "taken_again": pgettext_lazy("a fee", "Fee fell away: the time was used"),
    "came_late": pgettext_lazy("a fee", "Fee fell away: came late"),
    "waived": pgettext_lazy("a fee", "Fee waived by the lab"),
}
_BASES: dict[str, Word] = {
    "service": pgettext_lazy("date that counts", "date of the service"),
    "invoice": pgettext_lazy("date that counts", "date of the invoice"),
    "claim": pgettext_lazy("date that counts", "date of the claim"),
    "approval": pgettext_lazy("date that counts", "date of the approval"),
}
_CAPS: dict[str, Word] = {
    "order": pgettext_lazy("subsidy limit", "limit per order"),
    "session": pgettext_lazy("subsidy limit", "limit per session"),
    "contract": pgettext_lazy("subsidy limit", "limit per contract"),
    "payment": pgettext_lazy("subsidy limit", "limit per payment"),
    "applicant_year": pgettext_lazy("subsidy limit", "yearly limit of the applicant"),
    "person_year": pgettext_lazy("subsidy limit", "yearly limit of the person"),
    "controller_year": pgettext_lazy("subsidy limit", "yearly limit of all firms under one controller"),
    "instrument_year": pgettext_lazy("subsidy limit", "yearly limit of the instrument"),
    "owner_year": pgettext_lazy("subsidy limit", "yearly limit of the owner"),
    "voucher": pgettext_lazy("subsidy limit", "amount of the voucher"),
    "firm_year": pgettext_lazy("subsidy limit", "yearly limit of the firm"),
    "team_year": pgettext_lazy("subsidy limit", "yearly limit of the team"),
    "unit_total": pgettext_lazy("subsidy limit", "total limit of the applicant"),
    "pool": pgettext_lazy("subsidy limit", "budget of the programme"),
    "cost": pgettext_lazy("subsidy limit", "cost of the session"),
}
_CONDITIONS: dict[str, Word] = {
    "subsidy.unmet.validity": pgettext_lazy("condition that is not met", "days of validity"),
    "subsidy.unmet.fact_missing": pgettext_lazy("condition that is not met", "a fact that is not known"),
    "subsidy.unmet.imported": pgettext_lazy("condition that is not met", "sessions brought over from a lab's list"),
    "subsidy.unmet.applicant_kind": pgettext_lazy("condition that is not met", "kind of applicant"),
    "subsidy.unmet.firm_size": pgettext_lazy("condition that is not met", "size of the firm"),
    "subsidy.unmet.region": pgettext_lazy("condition that is not met", "region"),
    "subsidy.unmet.region_excluded": pgettext_lazy("condition that is not met", "excluded region"),
    "subsidy.unmet.verified_organisation": pgettext_lazy("condition that is not met", "verified identity"),
    "subsidy.unmet.service_kind": pgettext_lazy("condition that is not met", "kind of service"),
    "subsidy.unmet.service_excluded": pgettext_lazy("condition that is not met", "excluded kind of service"),
    "subsidy.unmet.minimum_spend": pgettext_lazy("condition that is not met", "least amount"),
    "subsidy.unmet.spend_over_months": pgettext_lazy("condition that is not met", "least amount over several months"),
    "subsidy.unmet.condition": pgettext_lazy("condition that is not met", "condition of the clause"),
    "subsidy.unmet.window": pgettext_lazy("condition that is not met", "windows for the date"),
    "subsidy.unmet.lifetime": pgettext_lazy("condition that is not met", "time limit"),
    "subsidy.unmet.no_case": pgettext_lazy("condition that is not met", "cases of the rate"),
    "subsidy.unmet.no_side": pgettext_lazy("condition that is not met", "sides of the programme"),
    "subsidy.unmet.lines_differ": pgettext_lazy("condition that is not met", "sum of the lines"),
    "subsidy.unmet.alternatives": pgettext_lazy("condition that is not met", "alternatives of the clause"),
    "subsidy.unmet.grade_unknown": pgettext_lazy("condition that is not met", "quality grade"),
    "subsidy.unmet.limit_not_set": pgettext_lazy("condition that is not met", "limit that is not set"),
    "subsidy.unmet.cap_short": pgettext_lazy("condition that is not met", "what is left of a limit"),
    "subsidy.unmet.exclusive": pgettext_lazy("condition that is not met", "one programme of its kind only"),
    "subsidy.unmet.not_combined": pgettext_lazy("condition that is not met", "programmes that are not combined"),
}
_PAYERS: dict[str, Word] = {
    "province": pgettext_lazy("payer", "Province"),
    "prefecture": pgettext_lazy("payer", "Prefecture"),
    "city": pgettext_lazy("payer", "City"),
    "county": pgettext_lazy("payer", "County"),
    "district": pgettext_lazy("payer", "District"),
    "school": pgettext_lazy("payer", "School"),
    "lender": pgettext_lazy("payer", "Lender"),
    "shanghai": pgettext_lazy("payer", "Shanghai"),
    "jiangsu": pgettext_lazy("payer", "Jiangsu"),
    "zhejiang": pgettext_lazy("payer", "Zhejiang"),
    "anhui": pgettext_lazy("payer", "Anhui"),
}
_MODES: dict[str, Word] = {
    "deducted_now": pgettext_lazy("settlement mode", "Deducted now"),
    "refunded_later": pgettext_lazy("settlement mode", "Refunded later"),
    "paid_beside": pgettext_lazy("settlement mode", "Paid to the owner beside the bill"),
}
REVERSAL_CAUSES: dict[str, Word] = {
    "credit_note": pgettext_lazy("why subsidy comes back", "Credit note"),
    "dispute": pgettext_lazy("why subsidy comes back", "Dispute"),
    "recheck": pgettext_lazy("why subsidy comes back", "Re-check"),
    "batch_rule": pgettext_lazy("why subsidy comes back", "Rule over the batch"),
    "not_claimable": pgettext_lazy("why subsidy comes back", "Not claimable"),
    "declared": pgettext_lazy("why subsidy comes back", "Less by what was declared with the claim"),
}
_EXCLUDED: dict[str, Word] = {
    "minimum_charge": pgettext_lazy("why a fee is not eligible", "minimum charge"),
    "agreed_beyond": pgettext_lazy("why a fee is not eligible", "agreed beyond the price"),
}
_WHOSE: dict[str, Word] = {
    "user": pgettext_lazy("whose claim", "user"),
    "owner": pgettext_lazy("whose claim", "owner of the instrument"),
}
_PAYEES: dict[str, Word] = {
    "provider": pgettext_lazy("payee", "the institution that owns the instrument"),
    "firm": pgettext_lazy("payee", "the customer"),
}
_SERVICES: dict[str, Word] = {
    "instrument_use": pgettext_lazy("kind of service", "use of an instrument"),
    "testing": pgettext_lazy("kind of service", "testing"),
    **KINDS,
    "technology_consulting": pgettext_lazy("kind of service", "technology consulting"),
    "technology_transaction": pgettext_lazy("kind of service", "technology transaction"),
    "intellectual_property": pgettext_lazy("kind of service", "intellectual property service"),
    "incubation": pgettext_lazy("kind of service", "incubation"),
    "research_design": pgettext_lazy("kind of service", "research and design"),
    "commissioned_development": pgettext_lazy("kind of service", "commissioned development"),
    "joint_research": pgettext_lazy("kind of service", "joint research"),
    "technical_solution": pgettext_lazy("kind of service", "technical solution"),
    "innovation_support": pgettext_lazy("kind of service", "innovation support"),
    "commercial_filming": pgettext_lazy("kind of service", "commercial filming"),
    "telecom_billing": pgettext_lazy("kind of service", "telecom billing"),
    "batch_quality_test": pgettext_lazy("kind of service", "batch quality test"),
    "bulk_goods_inspection": pgettext_lazy("kind of service", "inspection of bulk goods"),
    "government_fee": pgettext_lazy("kind of service", "government fee"),
    "licence_agency": pgettext_lazy("kind of service", "licence agency"),
    "tax_agency": pgettext_lazy("kind of service", "tax agency"),
    "legal_service": pgettext_lazy("kind of service", "legal service"),
    "research": pgettext_lazy("kind of service", "research"),
}
_WAYS: dict[str, Word] = {
    "self_operated": pgettext_lazy("service way", "Occupancy"),
    "assisted": pgettext_lazy("service way", "Assisted"),
    "commissioned": pgettext_lazy("service way", "Commissioned"),
    "remote": pgettext_lazy("service way", "Remote"),
}
_CLASSES: dict[str, Word] = {
    "inside": pgettext_lazy("customer class", "In-house"),
    "academic": pgettext_lazy("customer class", "Academic and public"),
    "team": pgettext_lazy("customer class", "Start-up team"),
    "firm_sme": pgettext_lazy("customer class", "Small and medium-sized firm"),
    "firm_large": pgettext_lazy("customer class", "Large firm"),
}
_FACTS: dict[str, Word] = {
    "applicant.kind": pgettext_lazy("missing fact", "the kind of the applicant"),
    "applicant.size": pgettext_lazy("missing fact", "the size of the firm (staff and revenue in its profile)"),
    "applicant.region_code": pgettext_lazy("missing fact", "the region of the applicant"),
    "provider.region_code": pgettext_lazy("missing fact", "the region of the provider"),
    "instrument.region_code": pgettext_lazy("missing fact", "the place of the instrument"),
    "service.kind": pgettext_lazy("missing fact", "the kind of service"),
    "service.service_on": pgettext_lazy("missing fact", "the date of the service"),
    "service.invoice_on": pgettext_lazy("missing fact", "the date of the invoice"),
    "service.claim_on": pgettext_lazy("missing fact", "the date of the claim"),
    "service.approval_on": pgettext_lazy("missing fact", "the date of the approval"),
    "amounts.fee": pgettext_lazy("missing fact", "the fee"),
    "amounts.contract": pgettext_lazy("missing fact", "the contract amount"),
    "applicant.id": pgettext_lazy("missing fact", "the identity of the applicant"),
    "applicant.policy_zones": pgettext_lazy("missing fact", "the policy zones of the applicant"),
    "applicant.verified": pgettext_lazy("missing fact", "whether the applicant is verified"),
    "applicant.first_use": pgettext_lazy("missing fact", "whether the applicant uses the programme for the first time"),
    "applicant.staff": pgettext_lazy("missing fact", "the number of staff"),
    "applicant.annual_revenue": pgettext_lazy("missing fact", "the revenue of the last year"),
    "applicant.previous_annual_revenue": pgettext_lazy("missing fact", "the revenue of the year before the last"),
    "applicant.total_assets": pgettext_lazy("missing fact", "the total assets"),
    "applicant.net_assets": pgettext_lazy("missing fact", "the net assets"),
    "applicant.registered_capital": pgettext_lazy("missing fact", "the registered capital"),
    "applicant.group_staff": pgettext_lazy("missing fact", "the staff of the whole group"),
    "applicant.group_annual_revenue": pgettext_lazy("missing fact", "the revenue of the whole group"),
    "applicant.group_total_assets": pgettext_lazy("missing fact", "the total assets of the whole group"),
    "applicant.founded_on": pgettext_lazy("missing fact", "the day of foundation"),
    "applicant.incorporated": pgettext_lazy("missing fact", "whether the applicant is a firm already"),
    "applicant.industry_code": pgettext_lazy("missing fact", "the industry of the applicant"),
    "applicant.controller": pgettext_lazy("missing fact", "the actual controller of the applicant"),
    "applicant.related_to_provider": pgettext_lazy("missing fact", "whether applicant and provider are related"),
    "applicant.labels": pgettext_lazy("missing fact", "the labels of the applicant"),
    "applicant.credit_listings": pgettext_lazy("missing fact", "the credit record of the applicant"),
    "applicant.violations": pgettext_lazy("missing fact", "the applicant's violations on the platform"),
    "applicant.lists": pgettext_lazy("missing fact", "the lists on which the applicant stands"),
    "provider.id": pgettext_lazy("missing fact", "the identity of the provider"),
    "provider.policy_zones": pgettext_lazy("missing fact", "the policy zones of the provider"),
    "provider.verified": pgettext_lazy("missing fact", "whether the provider is verified"),
    "provider.owner_class": pgettext_lazy("missing fact", "the class of the owner institution"),
    "provider.certified": pgettext_lazy("missing fact", "whether the provider is certified"),
    "provider.grade": pgettext_lazy("missing fact", "the yearly grade of the owner"),
    "provider.controller": pgettext_lazy("missing fact", "the actual controller of the provider"),
    "provider.labels": pgettext_lazy("missing fact", "the labels of the provider"),
    "provider.credit_listings": pgettext_lazy("missing fact", "the credit record of the provider"),
    "provider.violations": pgettext_lazy("missing fact", "the provider's violations on the platform"),
    "provider.lists": pgettext_lazy("missing fact", "the lists on which the provider stands"),
    "instrument.id": pgettext_lazy("missing fact", "the identity of the instrument"),
    "instrument.policy_zones": pgettext_lazy("missing fact", "the policy zones of the instrument"),
    "instrument.original_value": pgettext_lazy("missing fact", "the original value of the instrument"),
    "instrument.listed": pgettext_lazy("missing fact", "whether the instrument is listed"),
    "instrument.resource_class": pgettext_lazy("missing fact", "the class of the instrument"),
    "instrument.lists": pgettext_lazy("missing fact", "the lists on which the instrument stands"),
    "service.awaited": pgettext_lazy("missing fact", "what has not come yet (invoice, claim, payment, declaration)"),
    "service.imported": pgettext_lazy("missing fact", "whether it came with a list of the lab's"),
    "service.contract_on": pgettext_lazy("missing fact", "the date of the contract"),
    "service.payment_on": pgettext_lazy("missing fact", "the day of payment"),
    "service.way": pgettext_lazy("missing fact", "how the service was done"),
    "service.purpose": pgettext_lazy("missing fact", "what the service was for"),
    "service.project": pgettext_lazy("missing fact", "the project of the service"),
    "service.project_evidence": pgettext_lazy("missing fact", "the evidence of the project"),
    "service.project_subsidised": pgettext_lazy("missing fact", "whether the project was subsidised before"),
    "service.contract_number": pgettext_lazy("missing fact", "the number of the contract"),
    "service.order": pgettext_lazy("missing fact", "what was ordered together with it"),
    "service.invoice_number": pgettext_lazy("missing fact", "the number of the invoice"),
    "service.invoice_subsidised": pgettext_lazy("missing fact", "whether the invoice was subsidised before"),
    "service.person": pgettext_lazy("missing fact", "the person who used the service"),
    "service.listed": pgettext_lazy("missing fact", "whether the service is listed"),
    "amounts.minimum_top_up": pgettext_lazy("missing fact", "what is only due because of a minimum"),
    "amounts.asked": pgettext_lazy("missing fact", "the amount asked for"),
    "amounts.paid": pgettext_lazy("missing fact", "the amount paid"),
    "amounts.invoice": pgettext_lazy("missing fact", "the amount of the invoice"),
    "amounts.tax": pgettext_lazy("missing fact", "the tax"),
    "amounts.excluded": pgettext_lazy("missing fact", "the part that does not count"),
    "amounts.face_value": pgettext_lazy("missing fact", "the face value of the voucher"),
    "amounts.other_subsidies": pgettext_lazy("missing fact", "other public money for the same thing"),
    "amounts.lower_level": pgettext_lazy("missing fact", "the amount of the lower level of government"),
    "amounts.lender": pgettext_lazy("missing fact", "the amount a lender has set aside"),
    "amounts.external_income": pgettext_lazy("missing fact", "the income from external services"),
    "amounts.prior_year_external_income": pgettext_lazy("missing fact", "the income from external services in the year before"),
    "quantities.minutes": pgettext_lazy("missing fact", "the minutes on the instrument"),
    "quantities.samples": pgettext_lazy("missing fact", "the number of samples"),
    "quantities.external_minutes": pgettext_lazy("missing fact", "the minutes of use by others"),
    "quantities.elements": pgettext_lazy("missing fact", "the number of elements"),
    "quantities.runs": pgettext_lazy("missing fact", "the number of runs"),
    "quantities.units": pgettext_lazy("missing fact", "the number of units"),
    "quantities.days": pgettext_lazy("missing fact", "the number of days"),
    "quantities.persons": pgettext_lazy("missing fact", "the number of persons"),
    "quantities.sessions": pgettext_lazy("missing fact", "the number of sessions"),
    "quantities.vouchers": pgettext_lazy("missing fact", "the number of vouchers"),
    "quality.grade": pgettext_lazy("missing fact", "the quality grade"),
    "quality.score": pgettext_lazy("missing fact", "the score"),
    "request.side": pgettext_lazy("missing fact", "whose claim it is"),
    "request.settlement": pgettext_lazy("missing fact", "the way of settlement chosen"),
    "request.rate": pgettext_lazy("missing fact", "the rate chosen"),
    "request.voucher": pgettext_lazy("missing fact", "the voucher"),
    "request.voucher_issued_on": pgettext_lazy("missing fact", "the day on which the voucher was issued"),
    "request.classes_taken": pgettext_lazy("missing fact", "the classes of programmes taken already"),
    "before.fee": pgettext_lazy("missing fact", "what was counted before under the limit"),
    "before.minutes": pgettext_lazy("missing fact", "the minutes counted before under the limit"),
    "before.samples": pgettext_lazy("missing fact", "the samples counted before under the limit"),
    "before.awards": pgettext_lazy("missing fact", "the number of awards before under the limit"),
    "before.subsidised": pgettext_lazy("missing fact", "the subsidy granted before under the limit"),
    "batch.pool": pgettext_lazy("missing fact", "the money to be divided"),
    "batch.claims": pgettext_lazy("missing fact", "the sum of all claims"),
}
_UNITS: dict[str, Word] = {
    "sample": pgettext_lazy("unit of a price", "sample"),
    "element": pgettext_lazy("unit of a price", "element and sample"),
    "test": pgettext_lazy("unit of a price", "test"),
    "hour": pgettext_lazy("unit of a price", "hour"),
    "day": pgettext_lazy("unit of a price", "day"),
    "batch": pgettext_lazy("unit of a price", "batch"),
    "half_day": pgettext_lazy("unit of a price", "half-day"),
    "run": pgettext_lazy("unit of a price", "run"),
    "consumable": pgettext_lazy("unit of a price", "piece of consumables"),
    "operator_hour": pgettext_lazy("unit of a price", "hour of the operator"),
}
#: Lines of a price that stand for no time in a band and for no unit of what is counted, or for time in a band that was not used.
_LINES: dict[str, Word] = {
    "setup": pgettext_lazy("line of a price", "Setting up"),
    "extra": pgettext_lazy("line of a price", "Used besides"),
    "minimum": pgettext_lazy("line of a price", "Up to the least charge"),
    "minimum_charge": pgettext_lazy("line of a price", "Up to the least charge"),
    "minimum_time": pgettext_lazy("line of a price", "up to the least time"),
    "rounded_time": pgettext_lazy("line of a price", "up to what is charged whole"),
    "operator": pgettext_lazy("line of a price", "Operator"),
    "tax": pgettext_lazy("line of a price", "Tax"),
}
_QUANTITIES: dict[str, Word] = {
    "machine_hours": pgettext_lazy("subsidised quantity", "machine hours"),
    "external_machine_hours": pgettext_lazy("subsidised quantity", "machine hours used by others"),
    "samples": pgettext_lazy("subsidised quantity", "samples"),
    "elements": pgettext_lazy("subsidised quantity", "elements"),
    "runs": pgettext_lazy("subsidised quantity", "runs"),
    "units": pgettext_lazy("subsidised quantity", "units"),
    "days": pgettext_lazy("subsidised quantity", "days"),
    "persons": pgettext_lazy("subsidised quantity", "persons"),
    "sessions": pgettext_lazy("subsidised quantity", "sessions"),
    "vouchers": pgettext_lazy("subsidised quantity", "vouchers"),
}
_STEPS: dict[str, Word] = {
    "fen": pgettext_lazy("rounding step", "fen"),
    "yuan": pgettext_lazy("rounding step", "yuan"),
}
_ROUNDINGS: dict[str, Word] = {
    "half_up": pgettext_lazy("rounding", "half up"),
    "down": pgettext_lazy("rounding", "down"),
    "half_even": pgettext_lazy("rounding", "half to even"),
    "up": pgettext_lazy("rounding", "up"),
}
_BANDS: dict[str, Word] = {
    "standard": pgettext_lazy("price band", "Standard hours"),
    "peak": pgettext_lazy("price band", "Peak hours"),
    "night": pgettext_lazy("price band", "Night hours"),
    "weekend": pgettext_lazy("price band", "Weekend"),
    "holiday": pgettext_lazy("price band", "Statutory holidays"),
}


def _from(words: Mapping[str, Word]) -> Callable[[Any], str]:
    """A code that is not known stays as it is: documents may bring new ones before we have a word for them."""
    return lambda code: str(words.get(str(code), code))


kind_word = _from(_KINDS)
size_word = _from(_SIZES)
condition_word = _from(_CONDITIONS)
"""What an unmet condition is about, in a word or two."""
_known_payer = _from(_PAYERS)
mode_word = _from(_MODES)
payee_word = _from(_PAYEES)
service_way_word = _from(_WAYS)
service_word = _from(_SERVICES)
subject_word = _from(_SUBJECTS)
amount_word = _from(_AMOUNTS)
date_basis_word = _from(_BASES)
customer_class_word = _from(_CLASSES)
unit_word = _from(_UNITS)
reversal_cause_word = _from(REVERSAL_CAUSES)
excluded_word = _from(_EXCLUDED)
quantity_word = _from(_QUANTITIES)
fact_word = _from(_FACTS)


def in_english() -> bool:
    """Whether the reader's language is English; everything else reads the Chinese texts of documents."""
    return (get_language() or "").startswith("en")


def document_text(text: Mapping[str, str]) -> str:
    """The zh or en text of a document, whichever the reader's language asks for and is there."""
    first, second = ("en", "zh") if in_english() else ("zh", "en")
    return text.get(first) or text.get(second) or ""


def cap_word(per: str, payer: str = "") -> str:
    """What a limit is called; a limit of one payer names it."""
    word = _from(_CAPS)(per)
    if not payer:
        return word
    return str(_("%(limit)s, part of %(payer)s")) % {"limit": word, "payer": payer_word(payer)}


def seconds_words(seconds: int) -> str:
    """A length of time in hours, minutes and, when there are any, seconds."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = []
    if hours:
        parts.append(npgettext("length of time", "%(count)s h", "%(count)s h", hours) % {"count": hours})
    if minutes:
        parts.append(npgettext("length of time", "%(count)s min", "%(count)s min", minutes) % {"count": minutes})
    if rest or not parts:
        parts.append(npgettext("length of time", "%(count)s s", "%(count)s s", rest) % {"count": rest})
    return " ".join(parts)


def percent(rate: str) -> str:
    """The text of a rate as per cent: ``"0.375"`` is ``37.5%``; a fraction stays one: ``"1/3"``."""
    return rate if "/" in rate else f"{(Decimal(rate) * 100).normalize():f}%"


def ratio_text(ratio: str) -> str:
    """The text of an exact ratio as per cent with at most four decimals: ``"20/23"`` is ``86.9565%``."""
    numerator, _bar, denominator = ratio.partition("/")
    share = Decimal(numerator) * 100 / Decimal(denominator or 1)
    return f"{share.quantize(Decimal('0.0001')).normalize():f}%"


def factor_text(factor: str) -> str:
    """The text of a factor without idle zeros: ``"0.90"`` is ``0.9``."""
    return f"{Decimal(factor).normalize():f}"


def class_word(code: str, names: BandNames) -> str:
    """What a class of customers is called: by the price's document, else by our word for its code, else the code."""
    named = names.get(code)
    return document_text(named) if named else customer_class_word(code)


def hourly(yuan_per_hour: str) -> str:
    """A rate per hour (or another unit) as money; digits beyond the fen stay."""
    amount = Decimal(yuan_per_hour)
    digits = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"¥{amount:,.{digits}f}"


def rate_words(line: Mapping[str, Any]) -> str:
    """The rate of a line of a price with its unit where that is not an hour; empty for an amount alone."""
    if line["yuan_per_hour"]:
        return hourly(line["yuan_per_hour"])
    if not line.get("yuan_per_unit"):
        return ""
    return f"{hourly(line['yuan_per_unit'])} / {unit_word(line['unit'])}"


def line_word(kind: str, band: str = "", names: BandNames | None = None) -> str:
    """What a line of a price is for: its band and what beside use it stands for; empty where its amount says all."""
    parts = (band_word(band, names or {}) if band else "", str(_LINES.get(kind, "")))
    return several(part for part in parts if part)


def tax_word(told: TaxTold) -> str:
    """What the line of a tax is called."""
    text = _("Contains tax of %(rate)s") if told.included else _("Tax of %(rate)s, added")
    return str(text) % {"rate": percent(told.rate)}


def region_word(code: str) -> str:
    """The name of a division given by its code or the beginning of it; other texts (policy zones) stay as they are."""
    name = division_name(code.ljust(6, "0"), "en" if in_english() else "zh") if code.isdigit() else ""
    return name or code


def payer_word(code: Any) -> str:
    """Who pays: a treasury, or the partner region that a recognised voucher comes from, by its place where its platform names one."""
    platform = home_platform(str(code))
    if not platform:
        return _known_payer(code)
    place = region_word(platform.rpartition("-")[2])
    return str(_("Partner region %(place)s")) % {"place": platform if place in platform else f"{place} ({platform})"}


def several(texts: Iterable[str]) -> str:
    """Texts one after the other, with the comma of the language."""
    return pgettext("between the items of a list", ", ").join(texts)


def _several(word: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda codes: several(word(code) for code in codes)


def window_word(shown: Any) -> str:
    """A window as documents and steps have it (``08-01 – 09-15``, or whole dates), in words."""
    first, _dash, last = str(shown).partition(" – ")
    return pgettext("days of a window", "%(first)s to %(last)s") % {"first": _day_word(first), "last": _day_word(last)}


def _day_word(shown: str) -> str:
    """A day of one year, or of every year (``MM-DD``)."""
    if len(shown) > len("MM-DD"):
        return local_date(shown)
    month, day = shown.split("-")
    return pgettext("day of every year", "%(day)s %(month)s") % {"day": int(day), "month": month_name(int(month))}


def _span(length: Mapping[str, int]) -> str:
    """How long a time after another date is."""
    months, days = length["months"], length["days"]
    found = [ngettext("%(count)s month", "%(count)s months", months) % {"count": months}] if months else []
    if days or not months:
        found.append(ngettext("%(count)s day", "%(count)s days", days) % {"count": days})
    return " ".join(found)


_SINGLE: dict[str, Callable[[Any], str]] = {
    "basis": _from(_BASES),
    "customer_class": customer_class_word,
    "fact": _from(_FACTS),
    "since": _from(_FACTS),
    "span": _span,
    "says": document_text,
    "lead": payer_word,
    "ratio": ratio_text,
    "lowest_rate": percent,
    "highest_rate": percent,
    "windows": _several(window_word),
    "programmes": several,
    "declares": lambda paths: several(_from(_FACTS)(path) for path in paths),
    "factor": factor_text,
    "first_day": local_date,
    "kind": kind_word,
    "last_day": local_date,
    "mode": _from(_ROUNDINGS),
    "of": _from(_AMOUNTS),
    "on": local_date,
    "payer": payer_word,
    "rate": percent,
    "region": region_word,
    "seconds": seconds_words,
    "service": _from(_SERVICES),
    "size": size_word,
    "step": lambda step: str(_STEPS[step]) if step in _STEPS else f"¥{step}",
    "subject": _from(_SUBJECTS),
    "unit": unit_word,
    "unit_seconds": seconds_words,
    "whose": _from(_WHOSE),
    "yuan_per_hour": hourly,
    "yuan_per_unit": hourly,
    "zones": _several(str),
    "excluded": _several(region_word),
}
_ALLOWED: dict[str, Callable[[Any], str]] = {
    "subsidy.unmet.applicant_kind": kind_word,
    "subsidy.unmet.firm_size": size_word,
    "subsidy.unmet.region": region_word,
    "subsidy.unmet.service_kind": _from(_SERVICES),
    "subsidy.unmet.grade_unknown": str,
}


#: What to do about a fact that is missing, where somebody has to tell it.
_WHAT_TO_DO: dict[str, Word] = {
    "amounts.prior_year_external_income": _(
        "The institution's finance or administrator declares it with its evidence (under the institution's facts), and an officer of its"
        " region confirms it; it counts for what is asked for after that."
    ),
}


def step_sentence(key: str, params: Mapping[str, Any], band_names: BandNames | None = None) -> str:
    """The sentence of a step or an unmet condition, every code in words.

    ``band_names`` are the names of the price's bands by code (zh, en).
    """
    shown: dict[str, Any] = {name: _SINGLE[name](value) if name in _SINGLE else value for name, value in params.items()}
    shown.pop("exact_fen", None)
    if "allowed" in params:
        shown["allowed"] = _several(_ALLOWED[key])(params["allowed"])
    if "per" in params:
        shown["cap"] = cap_word(params["per"], params.get("payer", ""))
    if key == "subsidy.step.base_quantity":
        shown["unit"] = quantity_word(params["unit"])
    if words_en := shown.pop("words_en", ""):
        shown["words"] = words_en if in_english() else params["words"]
    if "band" in params:
        shown["band"] = band_word(params["band"], band_names or {})
    if "asks" in params:
        said = str(_("Not answered with the booking: %(question)s")) % {"question": document_text(params["asks"])}
    else:
        said = sentence(key, shown)
    todo = _WHAT_TO_DO.get(params.get("fact", "")) if key == FACT_MISSING else None
    return f"{said}{' ' if in_english() else ''}{todo}" if todo else said


def unmet_words(unmet: Iterable[Iterable[str]]) -> str:
    """What did not hold in each alternative of a clause; a record keeps the codes alone."""
    return pgettext("between alternatives of a clause", "; ").join(
        pgettext("condition that is not met", "%(conditions)s (alternative %(place)s)")
        % {"place": place, "conditions": several(map(condition_word, dict.fromkeys(codes)))}
        for place, codes in enumerate(unmet, start=1)
    )


def unused_word(code: str) -> Word:
    """What a fee for unused time is for, or why a part of it fell away."""
    return _UNUSED[code]


def slip_cause(content: Mapping[str, Any]) -> Word:
    """What an internal slip is for by its content; empty where it is for use."""
    return _UNUSED.get(content.get("cause", ""), "")


def band_word(code: str, names: BandNames) -> str:
    """What a band of a price is called: by its document, else by a word for its code, else the code."""
    named = names.get(code)
    return document_text(named) if named else _from(_BANDS)(code)
