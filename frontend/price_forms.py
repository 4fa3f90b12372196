"""The form of a price: rates by class, steps, bands of the week, what comes on top, and the sheet of costs behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing import wording
from billing.ledger.rules.documents import Fault
from billing.pricing.rules.compare import RateChange
from billing.pricing.rules.counted import COUNTED_UNITS
from billing.pricing.rules.customer_class import ACADEMIC, FIRM_LARGE, FIRM_SME, INSIDE, TEAM
from billing.pricing.rules.schedule import OPERATED_MODES, TIME_UNITS
from billing.pricing.rules.typed import codes_of, rows_of
from instruments.models import ServiceMode
from instruments.registry_wording import WEEKDAY_NAMES

#: The rows of a form that begins with nothing: the platform's own classes.
PLATFORM_ROWS = (INSIDE, ACADEMIC, TEAM, FIRM_SME, FIRM_LARGE)
MOST_ROWS = {"class": 30, "step": 20, "band": 60, "addon": 50}
SPARE_ROWS = {"class": 1, "step": 2, "band": 1, "addon": 1}

_WHO: list[tuple[str, Promise | str]] = [
    (INSIDE, pgettext_lazy("who is in a class", "the lab's own people")),
    (ACADEMIC, pgettext_lazy("who is in a class", "academic and public institutions")),
    (TEAM, pgettext_lazy("who is in a class", "start-up teams")),
    ("firm_small", pgettext_lazy("who is in a class", "micro and small firms")),
    (FIRM_SME, pgettext_lazy("who is in a class", "micro, small and medium firms")),
    (FIRM_LARGE, pgettext_lazy("who is in a class", "all other firms")),
    ("everybody", pgettext_lazy("who is in a class", "everybody else")),
]
_DAYS = [(str(number), name) for number, name in enumerate(WEEKDAY_NAMES, 1)]
_OWN_WEEKDAY: tuple[str, Promise | str] = ("", _("their own weekday"))
_LISTS = re.compile(r"band-\d+-weekdays|operator_modes")

#: What to do about a fault, by its path in the document: the first that fits.
_FAULTS: list[tuple[str, Promise | str]] = [
    (r"\$\.(rates|setup|operator\.rates)\.", _("Give an amount in yuan, for example 400 or 400.50.")),
    (r"\$\.rates$", _("Give at least one class of customers a price.")),
    (r"\$\.classes\[\d+\]\.when\.regions", _("Give codes of divisions or their beginnings, for example 63 or 6301.")),
    (
        r"\$\.classes",
        _("The first class that fits counts. Only the last one takes everybody else, and it must; no class stands there twice."),
    ),
    (
        r"\$\.steps",
        _(
            "Steps end one above the other, at whole numbers (of minutes, of samples); the last has no end. Each has a share or amounts."
        ),
    ),
    (r"\$\.bands\[\d+\]\.(from|to)", _("Give a time of the day, for example 09:00; a band may end at 24:00.")),
    (r"\$\.bands\[\d+\]\.weekdays", _("Choose on which days the band starts.")),
    (r"\$\.bands\[\d+\]\.holidays", _("Tick below that statutory holidays are days of their own.")),
    (r"\$\.bands\[\d+\]\.(ratio|rates)", _("Give a share in per cent, for example 80, or an amount for each class.")),
    (r"\$\.bands\[\d+\]\.(code|name)", _("Two bands have the same short name. Give one of them another.")),
    (r"\$\.bands\[\d+\]$", _("It overlaps another band: on some day both would hold at once. Bands may touch.")),
    (r"\$\.addons\[\d+\]\.rates", _("Give each class of customers an amount in yuan for one of it; 0 where it is free.")),
    (r"\$\.addons\[\d+\]", _("Give it a name of its own, as the lab and the customer call it.")),
    (r"\$\.tax", _("Give a rate in per cent between 0 and 99, for example 6.")),
    (r"\$\.fees\.\w+\.at_most", _("The most is not below the least; both are amounts in yuan.")),
    (r"\$\.fees", _("Give a share in per cent between 0 and 100, and amounts in yuan.")),
    (r"\$\.minimum\.amount", _("Give an amount in yuan, for example 400 or 400.50.")),
    (r"\$\.cost_sheet", _("Give a number that can stand here: amounts in yuan, years and units from 1, shares in per cent.")),
    (r"\$\.(unit_minutes|step_minutes|minimum\.minutes)", _("Give a whole number of minutes.")),
]
_OTHER_FAULT = _("This does not fit the rest of the price.")


@dataclass(frozen=True, slots=True)
class Row:
    """The fields of one class, step, band or add-on; ``more`` are those that are rarely filled. ``filled``: something was typed in it."""

    number: int
    name: str
    fields: list[forms.BoundField]
    more: list[forms.BoundField]
    filled: bool


def typed_from(data: QueryDict) -> dict[str, str | list[str]]:
    """What a form sent, as drafts keep it."""
    left_out = {"csrfmiddlewaretoken", "go", "revision", "idempotency_key"}
    return {
        name: data.getlist(name) if _LISTS.fullmatch(name) else data.get(name, "")
        for name in data
        if name not in left_out and any(data.getlist(name))
    }


def empty_price(unit: str) -> dict[str, str | list[str]]:
    """What the form of a first price begins with."""
    return {"unit": unit, **{f"class-{row}-who": who for row, who in enumerate(PLATFORM_ROWS)}}


class PriceForm(forms.Form):
    """``typed`` is what is shown (``billing.pricing.rules.typed``); ``counts``: it is a price of what is counted."""

    all_optional = True  # what is needed follows from what else is typed; the check tells it

    def __init__(self, typed: Mapping[str, Any], *, counts: bool) -> None:
        super().__init__(initial=dict(typed))
        self.typed, self.counts = typed, counts
        units = COUNTED_UNITS if counts else tuple(TIME_UNITS)
        self._choice("unit", _("The rates are per"), [(unit, wording.unit_word(unit)) for unit in units])
        self._shared()
        if not counts:
            self._of_time()
        self.counts_of = {kind: self._count(kind) for kind in MOST_ROWS}
        for row in range(self.counts_of["class"]):
            self._class(row)
        for row in range(self.counts_of["step"]):
            self._step(row)
        for row in range(0 if counts else self.counts_of["band"]):
            self._band(row)
        for row in range(0 if counts else self.counts_of["addon"]):
            self._addon(row)
        self._costs()

    def tell(self, faults: Iterable[tuple[str, Fault]]) -> None:
        """Show faults at their fields."""
        self.is_bound, self._errors = True, forms.utils.ErrorDict()
        self.cleaned_data: dict[str, Any] = {}
        self.data = self.initial
        said: set[tuple[str, str]] = set()
        for name, fault in faults:
            sentence = next((text for pattern, text in _FAULTS if re.match(pattern, fault.path)), _OTHER_FAULT)
            place = name if name in self.fields else ""
            if (place, str(sentence)) not in said:
                said.add((place, str(sentence)))
                self.add_error(place or None, str(sentence))

    # --- Groups of fields, for the template ---
    @property
    def class_rows(self) -> list[Row]:
        """Who pays what."""
        main = ("who", "rate", "setup") if self.counts else ("who", "rate", "setup", "operator")
        more = ("regions", "zones", "verified", "name_zh", "name_en", "evidence_zh", "evidence_en")
        return [self._row("class", row, main, more) for row in range(self.counts_of["class"])]

    @property
    def step_rows(self) -> list[Row]:
        """Marginal steps."""
        return [
            self._row("step", row, ("up_to", "percent"), self._rate_names("step", row)) for row in range(self.counts_of["step"])
        ]

    @property
    def band_rows(self) -> list[Row]:
        """Bands of the week."""
        if self.counts:
            return []
        main = ("name_zh", "name_en", "from", "to", "percent", "weekdays", "holidays")
        return [self._row("band", row, main, self._rate_names("band", row)) for row in range(self.counts_of["band"])]

    @property
    def addon_rows(self) -> list[Row]:
        """What may be used besides the time."""
        if self.counts:
            return []
        return [
            self._row("addon", row, ("name_zh", "name_en", *self._rate_names("addon", row)), ())
            for row in range(self.counts_of["addon"])
        ]

    @property
    def unit_fields(self) -> list[forms.BoundField]:
        return self._those("unit", "unit_minutes", "step_minutes")

    @property
    def least_fields(self) -> list[forms.BoundField]:
        return self._those("minimum_minutes", "minimum_amount", "tax_percent", "tax_included", "rounding_step", "rounding_mode")

    @property
    def operator_fields(self) -> list[forms.BoundField]:
        return self._those("operator_modes")

    @property
    def holiday_fields(self) -> list[forms.BoundField]:
        return self._those("knows_holidays", "makeup_weekday")

    @property
    def fee_fields(self) -> list[forms.BoundField]:
        return self._those(*(f"{kind}_{part}" for kind in ("late", "noshow") for part in ("percent", "least", "most")))

    @property
    def cost_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("cost-")]

    @property
    def hidden(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.endswith("-code")]

    def _those(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]

    def _row(self, kind: str, row: int, main: Sequence[str], more: Sequence[str]) -> Row:
        named = [
            [self[f"{kind}-{row}-{name}"] for name in names if f"{kind}-{row}-{name}" in self.fields] for names in (main, more)
        ]
        filled = any(self.typed.get(f"{kind}-{row}-{name}") for name in more)
        title = str(self.typed.get(f"{kind}-{row}-name_zh") or "")
        return Row(row + 1, title, named[0], named[1], filled or any(bound.errors for bound in named[1]))

    def _rate_names(self, kind: str, row: int) -> list[str]:
        return [f"rate-{one}" for one in range(self.counts_of["class"]) if f"{kind}-{row}-rate-{one}" in self.fields]

    # --- Making the fields ---
    def _count(self, kind: str) -> int:
        return min(rows_of(self.typed, kind) + SPARE_ROWS[kind], MOST_ROWS[kind])

    def _text(self, name: str, label: Promise | str, size: int = 8, hint: Promise | str = "", mode: str = "") -> None:
        attrs = {"size": size, **({"inputmode": mode} if mode else {})}
        self.fields[name] = forms.CharField(
            label=str(label), required=False, help_text=str(hint), widget=forms.TextInput(attrs=attrs)
        )

    def _number(self, name: str, label: Promise | str, hint: Promise | str = "") -> None:
        self._text(name, label, 8, hint, "decimal")

    def _choice(self, name: str, label: Promise | str, choices: Sequence[tuple[str, Any]]) -> None:
        self.fields[name] = forms.ChoiceField(label=str(label), required=False, choices=choices)

    def _tick(self, name: str, label: Promise | str) -> None:
        self.fields[name] = forms.BooleanField(label=str(label), required=False)

    def _ticks(self, name: str, label: Promise | str, choices: Sequence[tuple[str, Any]]) -> None:
        widget = forms.CheckboxSelectMultiple
        self.fields[name] = forms.MultipleChoiceField(label=str(label), required=False, choices=choices, widget=widget)

    def _shared(self) -> None:
        self._number("minimum_amount", _("At least, in yuan"))
        self._number("tax_percent", _("Tax in per cent"))
        self._choice("tax_included", _("The tax is"), [("included", _("in the prices")), ("added", _("added to the prices"))])
        self._choice("rounding_step", _("Rounded to"), [("fen", _("fen")), ("yuan", _("whole yuan"))])
        self._choice("rounding_mode", _("Rounding"), [("half_up", _("half up")), ("down", _("down"))])

    def _of_time(self) -> None:
        self._number("unit_minutes", _("Minutes of a half-day or day"), _("Left empty: 240 and 480."))
        self._number("step_minutes", _("Started minutes charged whole"), _("Left empty, time is charged exactly."))
        self._number("minimum_minutes", _("At least, in minutes"))
        self._ticks("operator_modes", _("An operator works along when it is"), [
            (mode, wording.service_way_word(mode)) for mode in ServiceMode.values
        ])  # fmt: skip
        self.initial.setdefault("operator_modes", list(OPERATED_MODES))
        self._tick("knows_holidays", _("Statutory holidays are days of their own"))
        self._choice("makeup_weekday", _("Make-up workdays are priced as"), [_OWN_WEEKDAY, *_DAYS])
        self._number("late_percent", _("Given back too late, in per cent"))
        self._number("late_least", _("Given back too late, at least, in yuan"))
        self._number("late_most", _("Given back too late, at most, in yuan"))
        self._number("noshow_percent", _("Did not come, in per cent"))
        self._number("noshow_least", _("Did not come, at least, in yuan"))
        self._number("noshow_most", _("Did not come, at most, in yuan"))

    def _class(self, row: int) -> None:
        prefix = f"class-{row}"
        self.fields[f"{prefix}-code"] = forms.CharField(required=False, widget=forms.HiddenInput)
        self._choice(f"{prefix}-who", _("Customers of this class"), [("", _("nobody yet")), *_WHO])
        self._number(f"{prefix}-rate", _("Rate in yuan"))
        self._number(f"{prefix}-setup", _("Setting up, in yuan"))
        if not self.counts:
            self._number(f"{prefix}-operator", _("Operator, yuan an hour"))
        self._text(f"{prefix}-regions", _("Only in the divisions (codes)"), 16, _("Several with blanks between: 63 6201."))
        self._text(f"{prefix}-zones", _("Only in the policy zones (codes)"), 16)
        self._tick(f"{prefix}-verified", _("Only with a checked identity"))
        for part, label in (("name", _("Name of the class")), ("evidence", _("What shows it"))):
            self._both(f"{prefix}-{part}", label)

    def _both(self, prefix: str, label: Promise | str) -> None:
        for language, named in (("zh", _("in Chinese")), ("en", _("in English"))):
            self._text(f"{prefix}_{language}", _("%(what)s, %(language)s") % {"what": label, "language": named}, 16)

    def _step(self, row: int) -> None:
        prefix = f"step-{row}"
        self._number(f"{prefix}-up_to", _("Up to (units)"), _("The last step has no end."))
        self._number(f"{prefix}-percent", _("Per cent of the rate"))
        self._own_rates(prefix)

    def _band(self, row: int) -> None:
        prefix = f"band-{row}"
        self.fields[f"{prefix}-code"] = forms.CharField(required=False, widget=forms.HiddenInput)
        self._both(f"{prefix}-name", _("Name"))
        self._text(f"{prefix}-from", _("From"), 6, "", "numeric")
        self._text(f"{prefix}-to", _("To"), 6, _("Not after From: on the next day."), "numeric")
        self._number(f"{prefix}-percent", _("Per cent of the rate"), _("80 is a discount of a fifth."))
        self._ticks(f"{prefix}-weekdays", _("Starts on"), _DAYS)
        self._tick(f"{prefix}-holidays", _("Starts on statutory holidays"))
        self._own_rates(prefix)

    def _addon(self, row: int) -> None:
        prefix = f"addon-{row}"
        self.fields[f"{prefix}-code"] = forms.CharField(required=False, widget=forms.HiddenInput)
        self._both(f"{prefix}-name", _("Name"))
        for one in codes_of(self.typed):
            self._number(f"{prefix}-rate-{one}", _("One of it, in yuan: %(who)s") % {"who": self._class_name(one)})

    def _own_rates(self, prefix: str) -> None:
        """Amounts instead of a share, for each class that has a rate."""
        for row in codes_of(self.typed):
            self._number(f"{prefix}-rate-{row}", _("Instead, in yuan: %(who)s") % {"who": self._class_name(row)})

    def _costs(self) -> None:
        self._number("cost-value", _("Value of the instrument in yuan"))
        self._number("cost-years", _("Years of use"))
        self._number("cost-units_a_year", _("Hours (units) a year"))
        parts = {"consumables": _("Consumables"), "energy": _("Water and power"), "labour": _("Labour"), "upkeep": _("Upkeep")}
        for name, label in parts.items():
            self._number(f"cost-{name}", _("%(what)s, yuan a unit") % {"what": label})
        self._number("cost-management_percent", _("Management on top, in per cent"))
        for row, code in codes_of(self.typed).items():
            self._number(f"cost-share-{code}", _("%(who)s pay, in per cent of the cost") % {"who": self._class_name(row)})

    def _class_name(self, row: int) -> str:
        who = dict(_WHO).get(str(self.typed.get(f"class-{row}-who")), "")
        return str(self.typed.get(f"class-{row}-name_zh") or who)


class PublishForm(forms.Form):
    """From when a price counts, and a yes to each large change."""

    effective_from = forms.DateField(label=_("Valid from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, large: Sequence[tuple[RateChange, str]], today: date, data: Any = None) -> None:
        super().__init__(data, initial={"effective_from": today})
        self.large = large
        for change, label in large:
            self.fields[f"yes-{change.key}"] = forms.BooleanField(
                label=label, error_messages={"required": _("Look at this change and tick it, or go back and change it.")}
            )

    @property
    def large_fields(self) -> list[forms.BoundField]:
        return [self[f"yes-{change.key}"] for change, _label in self.large]

    @property
    def confirmed(self) -> set[str]:
        """The keys of the changes that were said yes to."""
        return {change.key for change, _label in self.large if self.cleaned_data.get(f"yes-{change.key}")}
