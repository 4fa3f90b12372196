"""A price schedule: a document of rates by customer class and time band, compiled once for pricing.

Document (all amounts in yuan, as text or whole numbers, never floats)::

    {"format": 1, "currency": "CNY",
     "rates": {"inside": "200", "firm_sme": "400.00"},            # per hour, outside every band
     "bands": [{"code": "peak", "weekdays": [1, 2, 3, 4, 5], "from": "09:00", "to": "18:00", "ratio": "1.5"}],
     "minimum": {"minutes": 30, "amount": "100"},
     "fees": {"late_cancel": {"share": "0.5", "at_least": "50", "at_most": "500"}, "no_show": {"share": "1"}},
     "rounding": {"step": "fen", "mode": "half_up"}}

A band has either ``ratio`` (of the rates above, exact) or its own ``rates`` for every class. A band whose ``to`` is
not after its ``from`` ends on the next day. Bands may touch and never overlap. ``fees`` are what giving a time back too late and not
coming cost, as a share of the gross price (``billing.pricing.rules.fees``); what is left out costs nothing.

Format 2 has all of that and besides (docs/prices.md): ``unit`` (with ``unit_minutes``, ``step_minutes``), ``classes``, ``steps``,
``holidays``, ``setup``, ``operator``, ``tax``. A document of format 1 is priced as it always was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing.ledger.rules.documents import Document, DocumentError, Fault, load_schema, schema_faults, sha256_of
from billing.ledger.rules.money import EXACT, FEN_PER_YUAN, Rounding, parse_yuan
from billing.pricing.rules.classes import ClassRule, Customer, class_faults, class_in, class_rules
from billing.pricing.rules.fees import FeeRule, fee_rules
from billing.pricing.rules.marginal import NO_STEPS, Marginal, ends_in_time, marginal_faults, marginal_steps
from billing.pricing.rules.public_days import HOLIDAY
from billing.pricing.rules.tax import Tax, tax_of
from billing.pricing.rules.week import DayBands, HolidayRule, band_time, holiday_rule, overlap_faults, week_of
from booking.rules import leaving

#: The code of the time outside every band.
STANDARD_BAND = "standard"
STEP_FEN = {"fen": 1, "yuan": FEN_PER_YUAN}
HOUR = "hour"
DAY = "day"
#: How long a unit of time is unless the document says so, in minutes.
TIME_UNITS = {HOUR: 60, "half_day": 240, DAY: 480}
#: In which ways of service an operator works along, unless the document says so.
OPERATED_MODES = ("assisted", "commissioned")

_SCHEMAS = {1: "price_schedule.schema.json", 2: "price_schedule_2.schema.json"}


@dataclass(frozen=True, slots=True)
class UnitRate:
    """What one unit costs: exact fen, and the same in yuan as text for steps and pages."""

    fen: Decimal
    yuan_text: str


Rates = Mapping[str, UnitRate]
"""By customer class."""


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the local week with its own rates. ``from_minute``/``to_minute`` count from local midnight;
    ``to_minute`` <= ``from_minute`` means the next day. ``ratio`` is None when the band has rates of its own."""

    code: str
    name: Mapping[str, str]
    weekdays: tuple[int, ...]
    on_holidays: bool
    from_minute: int
    to_minute: int
    ratio: Decimal | None
    rates: Rates


@dataclass(frozen=True, slots=True)
class Operator:
    """What an hour of the operator costs besides, in which ways of service (``ServiceMode`` values)."""

    rates: Rates
    modes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Addon:
    """Something that may be used besides the time (a consumable, a cell, a gas), at so much (fen) each by customer class."""

    code: str
    name: Mapping[str, str]
    fen: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PriceSchedule:
    """A compiled price schedule. ``document`` is what it was read from and ``sha256`` its fingerprint.

    ``rates`` are for one ``unit`` of ``unit_minutes``; a started step of ``step_minutes`` is charged whole (0: time is charged
    exactly). ``step_rates`` are the rates by (band, step) where the price has marginal ``steps``, which end after ``step_ends``.
    """

    sha256: str
    currency: str
    rates: Rates
    bands: tuple[Band, ...]
    week: tuple[DayBands, ...]
    minimum_minutes: int
    minimum_charge_fen: int
    rounding: Rounding
    step_fen: int
    fees: Mapping[leaving.Fault, FeeRule]
    document: Document = field(repr=False, compare=False)
    unit: str = HOUR
    unit_minutes: int = TIME_UNITS[HOUR]
    unit_microseconds: Decimal = Decimal(3_600_000_000)
    step_minutes: int = 0
    classes: tuple[ClassRule, ...] = ()
    holidays: HolidayRule | None = None
    steps: tuple[Marginal, ...] = ()
    step_ends: tuple[timedelta, ...] = ()
    step_rates: Mapping[tuple[int, int], Rates] = field(default_factory=dict, repr=False)
    setup_fen: Mapping[str, int] = field(default_factory=dict)
    operator: Operator | None = None
    tax: Tax | None = None
    addons: tuple[Addon, ...] = ()

    @property
    def customer_classes(self) -> tuple[str, ...]:
        """The codes, in the document's order of classes where it names them."""
        return tuple(rule.code for rule in self.classes) or tuple(self.rates)

    @property
    def class_names(self) -> Mapping[str, Mapping[str, str]]:
        """The names (zh, en) that the document gives classes, by code."""
        return {rule.code: rule.name for rule in self.classes if rule.name}

    def class_of(self, customer: Customer) -> str:
        """The class in which a customer pays."""
        return class_in(self.classes, tuple(self.rates), customer)

    def is_operated(self, service_mode: str) -> bool:
        """Whether the operator's time is charged in a way of service."""
        return self.operator is not None and service_mode in self.operator.modes

    def rate(self, band: int, customer_class: str, step: int = NO_STEPS) -> UnitRate:
        """The rate in band index ``band`` (-1 = standard) and marginal step. Raises KeyError for a class without a price."""
        if step != NO_STEPS:
            return self.step_rates[band, step][customer_class]
        return (self.rates if band < 0 else self.bands[band].rates)[customer_class]

    def band_code(self, band: int) -> str:
        return STANDARD_BAND if band < 0 else self.bands[band].code


def parse_schedule(document: Document) -> PriceSchedule:
    """Check and compile a price schedule of an instrument's time. Raises DocumentError with every fault and its JSON path."""
    require_schema(document)
    faults = shared_faults(document)
    unit = document.get("unit", HOUR)
    if unit not in TIME_UNITS:
        faults.append(Fault("$.unit", f"an instrument's time is priced per {', '.join(TIME_UNITS)}"))
    elif unit == HOUR and "unit_minutes" in document:
        faults.append(Fault("$.unit_minutes", "an hour has 60 minutes: leave it out"))
    if unit in TIME_UNITS:
        faults += marginal_faults(document, document.get("unit_minutes", TIME_UNITS[unit]))
    if faults:
        raise DocumentError(faults)
    return compile_schedule(document)


def require_schema(document: Document) -> None:
    """Raises DocumentError where the schema of the document's format does not allow something."""
    version = document.get("format", 1) if isinstance(document, Mapping) else 1
    if type(version) is not int or version not in _SCHEMAS:
        raise DocumentError([Fault("$.format", f"the formats of price schedules are {', '.join(map(str, _SCHEMAS))}")])
    faults = schema_faults(load_schema(Path(__file__).with_name(_SCHEMAS[version])), document)
    if faults:
        raise DocumentError(faults)


def shared_faults(document: Document) -> list[Fault]:
    """What the schema cannot say, of any document: codes, classes, bands, fees."""
    names = set(document["rates"])
    bands = document.get("bands", [])
    faults = [*_code_faults(bands), *_own_rate_faults(document, names), *_holiday_faults(document, bands)]
    faults += _addon_faults(document.get("addons", []), names)
    faults += overlap_faults(bands, holidays="holidays" in document)
    faults += _fee_faults(document.get("fees", {}))
    return faults + class_faults(document.get("classes", []), names)


def compile_schedule(document: Document) -> PriceSchedule:
    """Compile a price schedule that was checked when it was published: twenty times faster than checking it again."""
    rates = {name: own_rate(amount) for name, amount in document["rates"].items()}
    bands = tuple(_band(each, rates) for each in document.get("bands", []))
    times = [band_time(each) for each in document.get("bands", [])]
    minimum = document.get("minimum", {})
    unit = document.get("unit", HOUR)
    unit_minutes = document.get("unit_minutes", TIME_UNITS[unit])
    steps = marginal_steps(document.get("steps", ()))
    return PriceSchedule(
        sha256=sha256_of(document),
        currency=document["currency"],
        rates=rates,
        bands=bands,
        week=week_of(times),
        minimum_minutes=minimum.get("minutes", 0),
        minimum_charge_fen=parse_yuan(minimum.get("amount", 0)),
        rounding=Rounding(document["rounding"]["mode"]),
        step_fen=STEP_FEN[document["rounding"]["step"]],
        fees=fee_rules(document.get("fees", {})),
        document=document,
        unit=unit,
        unit_minutes=unit_minutes,
        unit_microseconds=Decimal(unit_minutes * 60_000_000),
        step_minutes=document.get("step_minutes", 0),
        classes=class_rules(document.get("classes", ())),
        holidays=holiday_rule(document["holidays"], times) if "holidays" in document else None,
        steps=steps,
        step_ends=ends_in_time(steps, unit_minutes),
        step_rates=_step_rates(steps, rates, bands),
        setup_fen={name: parse_yuan(amount) for name, amount in document.get("setup", {}).items()},
        operator=_operator(document.get("operator")),
        tax=tax_of(document.get("tax")),
        addons=tuple(
            Addon(each["code"], each["name"], {name: parse_yuan(amount) for name, amount in each["rates"].items()})
            for each in document.get("addons", ())
        ),
    )


def unit_rate(fen: Decimal) -> UnitRate:
    """A rate of exact fen with its text in yuan."""
    whole, _, rest = f"{EXACT.scaleb(fen, -2).normalize(EXACT):f}".partition(".")
    return UnitRate(fen, f"{whole}.{rest.ljust(2, '0')}")


def own_rate(amount: str | int) -> UnitRate:
    """A rate as a document writes it."""
    return unit_rate(Decimal(parse_yuan(amount)))


def _operator(document: Mapping[str, Any] | None) -> Operator | None:
    if document is None:
        return None
    rates = {name: own_rate(amount) for name, amount in document["rates"].items()}
    return Operator(rates, frozenset(document.get("modes", OPERATED_MODES)))


def _step_rates(steps: Sequence[Marginal], rates: Rates, bands: Sequence[Band]) -> dict[tuple[int, int], Rates]:
    """The rate of every class in every band and step: the step's, times the band's ratio."""
    found: dict[tuple[int, int], Rates] = {}
    for place, step in enumerate(steps):
        own = {name: step.fen(name, rate.fen) for name, rate in rates.items()}
        found[-1, place] = {name: unit_rate(fen) for name, fen in own.items()}
        for number, band in enumerate(bands):
            in_band = (
                {name: step.fen(name, rate.fen) for name, rate in band.rates.items()}
                if band.ratio is None
                else {name: EXACT.multiply(fen, band.ratio) for name, fen in own.items()}
            )
            found[number, place] = {name: unit_rate(fen) for name, fen in in_band.items()}
    return found


def _band(document: Mapping[str, Any], rates: Rates) -> Band:
    ratio = Decimal(document["ratio"]) if "ratio" in document else None
    own = (
        {name: own_rate(amount) for name, amount in document["rates"].items()}
        if ratio is None
        else {name: unit_rate(EXACT.multiply(rate.fen, ratio)) for name, rate in rates.items()}
    )
    time = band_time(document)
    return Band(
        code=document["code"],
        name=document.get("name", {}),
        weekdays=tuple(sorted(document["weekdays"])),
        on_holidays=HOLIDAY in time.kinds,
        from_minute=time.from_minute,
        to_minute=time.to_minute,
        ratio=ratio,
        rates=own,
    )


def _code_faults(bands: Sequence[Mapping[str, Any]]) -> list[Fault]:
    seen = {STANDARD_BAND}
    faults = []
    for place, band in enumerate(bands):
        if band["code"] in seen:
            faults.append(Fault(f"$.bands[{place}].code", f"the code {band['code']!r} is taken"))
        seen.add(band["code"])
    return faults


def _addon_faults(addons: Sequence[Mapping[str, Any]], names: set[str]) -> list[Fault]:
    faults = []
    for place, each in enumerate(addons):
        if each["code"] in [other["code"] for other in addons[:place]]:
            faults.append(Fault(f"$.addons[{place}].code", f"the code {each['code']!r} is taken"))
        if set(each["rates"]) != names:
            faults.append(Fault(f"$.addons[{place}].rates", f"it prices exactly the classes {sorted(names)}"))
    return faults


def _fee_faults(fees: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault(f"$.fees.{kind}.at_most", "the most that a fee may be is not below the least")
        for kind, rule in fee_rules(fees).items()
        if rule.at_most_fen is not None and rule.at_most_fen < rule.at_least_fen
    ]


def _own_rate_faults(document: Document, names: set[str]) -> list[Fault]:
    """Rates beside the main ones are for the same classes."""
    faults = [
        Fault(f"$.bands[{place}].rates", f"a band with rates of its own prices exactly the classes {sorted(names)}")
        for place, band in enumerate(document.get("bands", []))
        if "rates" in band and set(band["rates"]) != names
    ]
    beside = {"$.setup": document.get("setup"), "$.operator.rates": document.get("operator", {}).get("rates")}
    return faults + [
        Fault(path, f"it prices exactly the classes {sorted(names)}")
        for path, rates in beside.items()
        if rates is not None and set(rates) != names
    ]


def _holiday_faults(document: Document, bands: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """A band starts on some day, and on holidays only where the price knows them."""
    faults = []
    for place, band in enumerate(bands):
        if band.get("holidays") and "holidays" not in document:
            faults.append(Fault(f"$.bands[{place}].holidays", "the price does not know holidays: add $.holidays, {} is enough"))
        if not band["weekdays"] and not band.get("holidays"):
            faults.append(Fault(f"$.bands[{place}].weekdays", "name a weekday (1 is Monday), or holidays"))
    return faults
