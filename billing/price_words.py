"""An instrument's price in sentences of the reader's language: one place for pages, the API and the national record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing import wording
from billing.ledger.rules.money import yuan
from billing.pricing.rules.describe import DescribedBand, DescribedSchedule
from billing.pricing.rules.schedule import OPERATED_MODES
from config.kernel.date_wording import weekday
from config.kernel.messages import duration_words

#: The national network takes so many characters of a charging standard (type 4 record, field ``fee``).
MOST_CHARACTERS = 1500


def unit_words(described: DescribedSchedule) -> str:
    """What the rates are for: ``hour``, ``half-day (4 hours)``."""
    word = wording.unit_word(described.unit)
    if described.unit == "hour":
        return word
    return _("%(unit)s (%(length)s)") % {"unit": word, "length": duration_words(described.unit_minutes)}


def band_name(band: DescribedBand) -> str:
    """A band's name."""
    return wording.band_word(band.code, {band.code: band.name})


def when_words(band: DescribedBand) -> str:
    """The days and hours in which a band holds; empty for the standard one."""
    days = [_weekdays(band.weekdays)] if band.weekdays else []
    days += [_("statutory holidays")] if band.on_holidays else []
    if not days:
        return ""
    params = {"days": wording.several(days), "from_time": band.from_time, "to_time": band.to_time}
    if band.until_next_day:
        return _("%(days)s from %(from_time)s to %(to_time)s the next day") % params
    return _("%(days)s from %(from_time)s to %(to_time)s") % params


def terms_words(described: DescribedSchedule) -> list[str]:
    """Everything of a price that its table of rates does not say, a sentence each."""
    return [*_step_sentences(described), *_time_sentences(described), *_beside_sentences(described)]


def charging_standard(described: DescribedSchedule) -> str:
    """The whole price in one text, at most ``MOST_CHARACTERS`` long: what does not fit is left out, from the end."""
    unit = unit_words(described)
    parts = []
    for band in described.bands:
        rates = _rates(described, band.yuan_per_unit)
        when = when_words(band)
        name = f"{band_name(band)} ({when})" if when else band_name(band)
        parts.append(
            pgettext("price in one line", "%(band)s, per %(unit)s: %(rates)s") % {"band": name, "unit": unit, "rates": rates}
        )
    parts += [each.rstrip(".。") for each in terms_words(described)]
    return _fitting(parts, pgettext("between the bands of a price", "; "))


def _fitting(parts: Sequence[str], between: str) -> str:
    text = ""
    for part in parts:
        longer = f"{text}{between}{part}" if text else part
        if len(longer) > MOST_CHARACTERS:
            break
        text = longer
    return text or parts[0][:MOST_CHARACTERS]


def _rates(described: DescribedSchedule, yuan_per_unit: Mapping[str, str]) -> str:
    names = described.class_names
    return wording.several(
        f"{wording.class_word(code, names)} {wording.hourly(yuan_per_unit[code])}" for code in described.customer_classes
    )


def _step_sentences(described: DescribedSchedule) -> Iterator[str]:
    """Marginal steps at their standard price."""
    unit = unit_words(described)
    for step in described.steps:
        params = {"unit": unit, "after": step.after, "up_to": step.up_to, "rates": _rates(described, step.yuan_per_unit)}
        if not step.after:
            yield _("The first %(up_to)s (counted per %(unit)s): %(rates)s.") % params
        elif step.up_to:
            yield _("Beyond %(after)s up to %(up_to)s: %(rates)s.") % params
        else:
            yield _("Beyond %(after)s: %(rates)s.") % params


def _time_sentences(described: DescribedSchedule) -> Iterator[str]:
    if described.step_minutes:
        yield _("Every started %(length)s is charged whole.") % {"length": duration_words(described.step_minutes)}
    if described.minimum_minutes:
        yield _("At least %(length)s are charged.") % {"length": duration_words(described.minimum_minutes)}
    if described.minimum_charge_fen:
        yield _("A session costs at least %(amount)s.") % {"amount": _money(described.minimum_charge_fen)}
    if described.knows_holidays:
        yield _("Statutory holidays count as days of their own; as long as a year's are not published, as their weekday.")


def _beside_sentences(described: DescribedSchedule) -> Iterator[str]:
    setup = {code: fen for code, fen in described.setup_fen.items() if fen}
    if setup:
        rates = _by_class(described, {code: _money(fen) for code, fen in described.setup_fen.items()})
        yield _("For setting up, once a session: %(rates)s.") % {"rates": rates}
    if described.operator is not None:
        rates = _by_class(described, {code: wording.hourly(rate.yuan_text) for code, rate in described.operator.rates.items()})
        ways = wording.several(wording.service_way_word(mode) for mode in sorted(described.operator.modes))
        if described.operator.modes == frozenset(OPERATED_MODES):
            yield _("When an operator works along, per hour besides: %(rates)s.") % {"rates": rates}
        else:
            yield _("For the operator (%(ways)s), per hour besides: %(rates)s.") % {"ways": ways, "rates": rates}
    for addon in described.addons:
        rates = _by_class(described, {code: _money(fen) for code, fen in addon.fen.items()})
        yield _("%(name)s, each where it is used: %(rates)s.") % {"name": wording.document_text(addon.name), "rates": rates}
    if described.tax is not None:
        rate = {"rate": wording.percent(f"{described.tax.rate:f}")}
        yield _("The prices contain tax of %(rate)s.") % rate if described.tax.included else _("Tax of %(rate)s is added.") % rate


def _by_class(described: DescribedSchedule, amounts: Mapping[str, str]) -> str:
    """One amount where all classes pay the same, else each with its class."""
    if len(set(amounts.values())) == 1:
        return next(iter(amounts.values()))
    names = described.class_names
    return wording.several(f"{wording.class_word(code, names)} {amounts[code]}" for code in described.customer_classes)


def _money(fen: int) -> str:
    return f"¥{yuan(fen)}"


def _weekdays(numbers: Sequence[int]) -> str:
    """Days of the week (Monday is 1); a run is written by its ends."""
    names = [weekday(date(2024, 1, number)) for number in numbers]  # 1 January 2024 was a Monday
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return _("%(first)s to %(last)s") % {"first": names[0], "last": names[-1]}
    return str(_(", ")).join(names)
