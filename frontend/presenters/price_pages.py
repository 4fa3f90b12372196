"""The pages on which a lab writes its prices: what is in force in words, what a new one changes, what it would have made of a quarter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing import wording
from billing.price_words import band_name, charging_standard
from billing.pricing.drafts import Written
from billing.pricing.overview import KnownVersion, Priced
from billing.pricing.rules import compare
from billing.pricing.rules.compare import RateChange
from billing.pricing.rules.counted import CountedTerms, compile_counted, is_of_time
from billing.pricing.rules.describe import describe
from billing.pricing.rules.schedule import PriceSchedule, compile_schedule
from billing.pricing.subjects import Kind, Subject
from billing.settlement.services.price_effects import Effects
from config.kernel.messages import duration_words
from frontend import display
from frontend.presenters.prices import BandWords, ClassRow, PriceWords, words_of
from instruments.rules.price_change import Jump

KIND_WORDS: Mapping[Kind, Promise | str] = {
    Kind.INSTRUMENT: gettext_lazy("Instruments"),
    Kind.TEST_ITEM: gettext_lazy("Test items"),
    Kind.FAMILY: gettext_lazy("Families"),
}
_JUMPS: Mapping[Jump, Promise | str] = {
    Jump.UP: gettext_lazy("more than doubles"),
    Jump.DOWN: gettext_lazy("falls to less than half"),
    Jump.TO_REQUEST: gettext_lazy("has no price any more"),
    Jump.FROM_REQUEST: gettext_lazy("had no price before"),
}
_PARTS: Mapping[str, Promise | str] = {
    compare.SETUP: gettext_lazy("Setting up"),
    compare.OPERATOR: gettext_lazy("Operator, per hour"),
    compare.MINIMUM: gettext_lazy("Least charge"),
}
_COSTS: Mapping[str, Promise | str] = {
    "depreciation": gettext_lazy("Depreciation"),
    "consumables": gettext_lazy("Consumables"),
    "energy": gettext_lazy("Water and power"),
    "labour": gettext_lazy("Labour"),
    "upkeep": gettext_lazy("Upkeep"),
    "management": gettext_lazy("Management"),
}


@dataclass(frozen=True, slots=True)
class ListRow:
    """A thing on the list of prices; ``range``: its standard rates, empty without a price."""

    kind: Kind
    thing: Any
    range: str
    has_draft: bool
    family: str
    members: int


@dataclass(frozen=True, slots=True)
class CostWords:
    """A cost sheet: what a unit costs line by line, and what it proposes for each class."""

    parts: list[tuple[str, int]]
    cost_fen: int
    proposed: list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A rate that differs. ``word`` says why it is asked about, empty for a small change."""

    change: RateChange
    name: str
    band: str
    word: str

    @property
    def sentence(self) -> str:
        """For the tick beside it."""
        params = {
            "who": self.name,
            "band": self.band,
            "was": _amount(self.change.was_fen),
            "becomes": _amount(self.change.becomes_fen),
            "word": self.word,
        }
        return _("%(who)s, %(band)s: %(was)s becomes %(becomes)s (%(word)s)") % params


@dataclass(frozen=True, slots=True)
class EffectRow:
    """The sessions of a class in the quarter, in fen; ``change`` in per cent as text, empty where nothing was paid before."""

    name: str
    count: int
    was_fen: int
    becomes_fen: int
    change: str


def list_row(priced: Priced) -> ListRow:
    """A row of the list."""
    return ListRow(priced.kind, priced.thing, _range(priced), priced.has_draft, priced.family, priced.members)


def _range(priced: Priced) -> str:
    if priced.schedule is not None:
        unit = wording.unit_word(priced.schedule.unit)
        rates = sorted(rate.fen for rate in priced.schedule.rates.values())
        ends = [int(rates[0]), int(rates[-1])]
    elif priced.price is not None:
        unit = wording.unit_word(priced.price.unit)
        found = [priced.price.rate_fen(name) for name in priced.price.customer_classes]
        ends = [min(found), max(found)]
    else:
        return ""
    amounts = " – ".join(dict.fromkeys(display.yuan(fen) for fen in ends))
    return f"{amounts} / {unit}"


def version_words(version: KnownVersion) -> PriceWords | None:
    """A version as a table and sentences; None for a price on request."""
    return None if version.document is None else document_words(version.document)


def document_words(document: Mapping[str, Any]) -> PriceWords:
    """A checked document as a table and sentences."""
    if document["format"] == 1 or is_of_time(document):
        return words_of(describe(compile_schedule(document)))
    return counted_words(compile_counted(document))


def written_words(made: Written) -> PriceWords:
    """A draft as a table and sentences."""
    return document_words(made.document)


def standard_text(version: KnownVersion, subject: Subject) -> str:
    """The reference charging standard of the national record; empty for what is no instrument."""
    if version.document is None or subject.counts:
        return ""
    return charging_standard(describe(compile_schedule(version.document)))


def counted_words(terms: CountedTerms) -> PriceWords:
    """A price of what is counted."""
    unit = wording.unit_word(terms.unit)
    names = terms.class_names
    columns = [BandWords(_("Price"), "")]
    if terms.steps:
        columns = [BandWords(_step_name(terms, place), "") for place in range(len(terms.steps))]
    evidence = {rule.code: rule.evidence for rule in terms.classes}
    rates = terms.step_rates_fen or (terms.rates_fen,)
    rows = [
        ClassRow(
            wording.class_word(code, names),
            False,
            [display.yuan(each[code]) for each in rates],
            wording.document_text(evidence.get(code, {})),
        )
        for code in terms.rates_fen
    ]
    return PriceWords(columns, rows, _counted_notes(terms), unit)


def _step_name(terms: CountedTerms, place: int) -> str:
    step = terms.steps[place]
    after = terms.steps[place - 1].up_to if place else None
    if step.up_to is None:
        return _("beyond %(after)s") % {"after": after}
    return _("up to %(up_to)s") % {"up_to": step.up_to}


def _counted_notes(terms: CountedTerms) -> list[str]:
    notes = []
    if any(terms.setup_fen.values()):
        amounts = wording.several(
            f"{wording.class_word(code, terms.class_names)} {display.yuan(fen)}" for code, fen in terms.setup_fen.items() if fen
        )
        notes.append(_("For setting up, once a job: %(rates)s.") % {"rates": amounts})
    if terms.minimum_fen:
        notes.append(_("A job costs at least %(amount)s.") % {"amount": display.yuan(terms.minimum_fen)})
    if terms.tax is not None:
        rate = {"rate": wording.percent(f"{terms.tax.rate:f}")}
        notes.append(
            _("The prices contain tax of %(rate)s.") % rate if terms.tax.included else _("Tax of %(rate)s is added.") % rate
        )
    return notes


def cost_words(sheet: Mapping[str, Any], names: wording.BandNames) -> CostWords:
    """A cost sheet as it was kept (``cost_recovery.sheet_to_json``)."""
    return CostWords(
        [(str(_COSTS[part["code"]]), part["amount_fen"]) for part in sheet["parts"]],
        sheet["cost_fen"],
        [(wording.class_word(code, names), fen) for code, fen in sheet["proposed_fen"].items()],
    )


def change_rows(made: Written, changes: list[RateChange]) -> list[ChangeRow]:
    """The changes in words."""
    names = names_of(made)
    bands = {band.code: band_name(band) for band in describe(made.schedule).bands} if made.schedule is not None else {}
    return [
        ChangeRow(
            each,
            wording.class_word(each.customer_class, names),
            _place_words(each, bands, timed=made.schedule is not None),
            jump_word(each),
        )
        for each in changes
    ]


def jump_word(change: RateChange) -> str:
    """Why a change is asked about; empty for a small one."""
    if not change.large:
        return ""
    if change.part == compare.UNIT:
        return _("is for another unit")
    if not change.was_fen:
        return _("was free before")
    return str(_JUMPS[change.jump]) if change.jump is not None else ""


def flat_change_rows(changes: Sequence[RateChange]) -> list[ChangeRow]:
    """The changes of a price without a schedule in words."""
    return [
        ChangeRow(each, wording.customer_class_word(each.customer_class), _place_words(each, {}, timed=False), jump_word(each))
        for each in changes
    ]


def _place_words(change: RateChange, bands: Mapping[str, str], *, timed: bool) -> str:
    """The part of the price, or the band; of marginal steps with where they begin."""
    if change.part in _PARTS:
        return str(_PARTS[change.part])
    if change.part == compare.ADDON:
        return _("Add-on %(code)s") % {"code": change.band}
    band = bands.get(change.band, wording.band_word(change.band, {}))
    if not change.beyond:
        return band
    start = duration_words(change.beyond) if timed else str(change.beyond)
    return _("%(band)s, beyond %(start)s") % {"band": band, "start": start}


def names_of(made: Written) -> wording.BandNames:
    """The names that a draft gives its classes."""
    found: PriceSchedule | CountedTerms | None = made.schedule or made.terms
    return found.class_names if found is not None else {}


def effect_rows(effects: Effects, names: wording.BandNames) -> list[EffectRow]:
    """The quarter by class, and all of it in the last row."""
    rows = [
        EffectRow(wording.class_word(each.customer_class, names), each.count, each.was_fen, each.becomes_fen, _change(each))
        for each in effects.classes
    ]
    return [*rows, EffectRow(_("All"), effects.count, effects.was_fen, effects.becomes_fen, _change(effects))]


def _change(pair: Any) -> str:
    if not pair.was_fen:
        return ""
    tenths = (pair.becomes_fen - pair.was_fen) * 1000 // pair.was_fen
    sign = "+" if tenths >= 0 else "−"
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10} %"


def _amount(fen: int | None) -> str:
    return _("no price") if fen is None else display.yuan(fen)
