"""What the codes of money are called, and the sentences of a calculation's steps and refusals for people.

The engine speaks in codes (``billing.subsidy.rules.message_keys``); here they become words in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, npgettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from config.kernel.messages import local_date, sentence
from instruments.rules.regions import regions

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
    "firm_year": pgettext_lazy("subsidy limit", "yearly limit of the firm"),
    "team_year": pgettext_lazy("subsidy limit", "yearly limit of the team"),
    "unit_total": pgettext_lazy("subsidy limit", "total limit of the applicant"),
    "pool": pgettext_lazy("subsidy limit", "budget of the programme"),
    "cost": pgettext_lazy("subsidy limit", "cost of the session"),
}
_PAYERS: dict[str, Word] = {
    "province": pgettext_lazy("payer", "Province"),
    "prefecture": pgettext_lazy("payer", "Prefecture"),
    "city": pgettext_lazy("payer", "City"),
    "county": pgettext_lazy("payer", "County"),
}
_MODES: dict[str, Word] = {
    "deducted_now": pgettext_lazy("settlement mode", "Deducted now"),
    "refunded_later": pgettext_lazy("settlement mode", "Refunded later"),
}
_PAYEES: dict[str, Word] = {
    "provider": pgettext_lazy("payee", "the institution that owns the instrument"),
    "firm": pgettext_lazy("payee", "the customer"),
}
_SERVICES: dict[str, Word] = {
    "instrument_use": pgettext_lazy("kind of service", "use of an instrument"),
    "testing": pgettext_lazy("kind of service", "testing"),
    "statutory_test": pgettext_lazy("kind of service", "statutory test"),
    "certification": pgettext_lazy("kind of service", "certification"),
    "enforcement_inspection": pgettext_lazy("kind of service", "enforcement inspection"),
    "commercial_inspection": pgettext_lazy("kind of service", "commercial inspection"),
    "medical": pgettext_lazy("kind of service", "medical service"),
    "technology_consulting": pgettext_lazy("kind of service", "technology consulting"),
    "technology_transaction": pgettext_lazy("kind of service", "technology transaction"),
    "intellectual_property": pgettext_lazy("kind of service", "intellectual property service"),
    "incubation": pgettext_lazy("kind of service", "incubation"),
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
#: Lines of a price that stand for no time in a band, and for no unit of what is counted.
_LINES: dict[str, Word] = {
    "setup": pgettext_lazy("line of a price", "Setting up"),
    "minimum": pgettext_lazy("line of a price", "Up to the least charge"),
    "operator": pgettext_lazy("line of a price", "Operator"),
    "tax": pgettext_lazy("line of a price", "Tax"),
}
_STEPS: dict[str, Word] = {
    "fen": pgettext_lazy("rounding step", "fen"),
    "yuan": pgettext_lazy("rounding step", "yuan"),
}
_ROUNDINGS: dict[str, Word] = {
    "half_up": pgettext_lazy("rounding", "half up"),
    "down": pgettext_lazy("rounding", "down"),
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
payer_word = _from(_PAYERS)
mode_word = _from(_MODES)
payee_word = _from(_PAYEES)
service_way_word = _from(_WAYS)
service_word = _from(_SERVICES)
subject_word = _from(_SUBJECTS)
amount_word = _from(_AMOUNTS)
date_basis_word = _from(_BASES)
customer_class_word = _from(_CLASSES)
unit_word = _from(_UNITS)


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
    """The text of a rate as per cent: ``"0.375"`` is ``37.5%``."""
    return f"{(Decimal(rate) * 100).normalize():f}%"


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


def line_word(kind: str) -> str:
    """What a line without a band is for; empty for what its amount says alone."""
    return str(_LINES.get(kind, ""))


def region_word(code: str) -> str:
    """The name of a division given by its code or the beginning of it; other texts (policy zones) stay as they are."""
    region = regions().get(code.ljust(6, "0")) if code.isdigit() else None
    if region is None:
        return code
    return region.en if in_english() else region.zh


def several(texts: Iterable[str]) -> str:
    """Texts one after the other, with the comma of the language."""
    return pgettext("between the items of a list", ", ").join(texts)


def _several(word: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda codes: several(word(code) for code in codes)


_SINGLE: dict[str, Callable[[Any], str]] = {
    "basis": _from(_BASES),
    "customer_class": customer_class_word,
    "fact": _from(_FACTS),
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
    "step": _from(_STEPS),
    "subject": _from(_SUBJECTS),
    "unit": unit_word,
    "unit_seconds": seconds_words,
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


def step_sentence(key: str, params: Mapping[str, Any], band_names: BandNames | None = None) -> str:
    """The sentence of a step or an unmet condition, every code in words.

    ``band_names`` are the names of the price's bands by code (zh, en).
    """
    shown: dict[str, Any] = {name: _SINGLE[name](value) if name in _SINGLE else value for name, value in params.items()}
    shown.pop("exact_fen", None)
    shown.pop("unmet", None)
    if "allowed" in params:
        shown["allowed"] = _several(_ALLOWED[key])(params["allowed"])
    if "per" in params:
        shown["cap"] = cap_word(params["per"], params.get("payer", ""))
    if "band" in params:
        shown["band"] = band_word(params["band"], band_names or {})
    return sentence(key, shown)


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
