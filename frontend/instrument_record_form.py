"""The form with the whole record of an instrument, in sections. What a field may hold is checked by the service's own rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from frontend.code_choices import SCHEMES, class_choices, code_line, code_typed, nation_choices
from frontend.states import look_of
from instruments.field_wording import CHOICE_NAMES, CUSTOMS_NAMES, FACILITY_NAMES, FIELD_NAMES, FUNDING_NAMES, NO, YES
from instruments.models import CustomsRecord, FacilityRecord, Instrument, InstrumentFunding, InstrumentStatus, Site
from instruments.registry_wording import SERVICE_MODE_NAMES
from instruments.rules.details_values import CUSTOMS_CODES, CUSTOMS_DAYS, CUSTOMS_FLAGS, CUSTOMS_LENGTHS, FUNDING_SOURCES
from instruments.rules.facility_values import CHOICES as FACILITY_CHOICES
from instruments.rules.facility_values import LONG_TEXTS as FACILITY_LONG_TEXTS
from instruments.rules.facility_values import TEXTS as FACILITY_TEXTS
from instruments.rules.facility_values import proposed_facility
from instruments.rules.registry_values import (
    CHOICES,
    LIST_LENGTHS,
    LONG_TEXT_LENGTHS,
    NAME_LENGTH,
    TEXT_LENGTHS,
    URL_LENGTH,
    money_fen,
)
from instruments.services.instrument_changes import revived
from instruments.services.instrument_edits import Edit
from instruments.services.registry import InstrumentFields

Word = Any  # a text or one that is translated when it is shown
#: Field labels as forms take them.
_NAMES: Mapping[str, Any] = FIELD_NAMES
_NAMED_FUNDINGS: Mapping[str, Any] = FUNDING_NAMES
_NAMED_CUSTOMS: Mapping[str, Any] = CUSTOMS_NAMES
_KNOWN = frozenset(field.name for field in dataclass_fields(InstrumentFields))
_LISTS = tuple(LIST_LENGTHS)
_MAYBE = ("imported", "customs_supervised")
_DAYS = ("purchased_on", "commissioned_on")
_FLAGS = ("training_needed", "published")
_UNKNOWN = ("", pgettext_lazy("answer", "not known"))
_ROWS = {"description": 4, "description_en": 4, "technical_indicators": 5, "achievements": 4}
_HINTS: dict[str, Word] = {
    "inner_id": _("As it stands on the label."),
    "technique": _("What it measures or makes."),
    "technique_codes": _("Names or codes of the PaNET list, one on each line."),
    "subject_codes": _("Names or codes of GB/T 13745, one on each line; at most 8. For example: 150 or Chemistry."),
    "keywords": _("One on each line; at most 30."),
    "technical_indicators": _("What it reaches: ranges, resolution, limits."),
    "access_terms": _("Who may use it, and how."),
    "fee_note": _("In words; the prices themselves have their own page."),
    "service_url": _("Where people read more or ask, beginning with https://."),
    "use_type": _("The rated hours of the national assessment follow from it."),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form; ``note`` stands under its title."""

    key: str
    title: Word
    names: tuple[str, ...]
    note: Word = ""


SECTIONS: tuple[Section, ...] = (
    Section(
        "identity",
        _("What it is"),
        ("name", "name_en", "manufacturer", "model", "inner_id", "asset_number", "fixed_asset_code", "nation_code", "imported", "site",
         "new_place", "department", "doi", "cstr"),
    ),
    Section(
        "ability",
        _("What it can do"),
        ("technique", "status", "service_modes", "training_needed", "certification", "technical_indicators", "functions", "service_content",
         "accessories", "description", "description_en", "technique_codes", "keywords"),
    ),
    Section(
        "classes",
        _("How it is classified"),
        ("class_code", "use_type", "subject_codes", "affiliation", "affiliation_name"),
        _("National reporting asks for these."),
    ),
    Section(
        "purchase",
        _("Purchase and funding"),
        ("original_value", "acquisition", "purchased_on", "commissioned_on", *(f"funding_{one}" for one in FUNDING_SOURCES)),
        _("Under each source of money write the amount in yuan; a dash when only the source is known."),
    ),
    Section(
        "customs",
        _("Customs"),
        ("customs_supervised", *(f"customs_{name}" for name in CUSTOMS_NAMES)),
        _("For instruments imported free of tax. Until you record that customs allows sharing, people outside are warned."),
    ),
    Section(
        "facility",
        _("Large research facility"),
        tuple(f"facility_{name}" for name in FACILITY_NAMES),
        _("What the national sheet of large facilities asks for. Persons are shown to nobody but you; the addresses are public."),
    ),
    Section("sharing", _("Sharing and terms"), ("share_mode", "service_url", "access_terms", "fee_note")),
    Section(
        "contact",
        _("Contact"),
        ("contact_name", "contact_phone", "contact_email", "contact_postal_code", "contact_address"),
        _("Shown to everybody. Write only what the person agrees to."),
    ),
    Section("results", _("Results and effects"), ("achievements", "effect_1", "effect_2", "known_users")),
)  # fmt: skip
#: Fields that take the whole width of the form.
WIDE = frozenset({"name", "name_en", "service_modes", "contact_address", "access_terms", *LONG_TEXT_LENGTHS})


class LongText(forms.CharField):
    """Several lines; a line break counts once, whatever the browser sends for it."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class RecordForm(forms.Form):
    """Everything that is known about an instrument. ``shown_values`` are proposed values that stand in for the stored ones."""

    def __init__(
        self,
        sites: Iterable[Site],
        instrument: Instrument | None,
        *args: Any,
        customs: CustomsRecord | None = None,
        fundings: Iterable[InstrumentFunding] = (),
        shown_values: dict[str, Any] | None = None,
        may_publish: bool = True,
        facility: FacilityRecord | None = None,
        is_facility: bool = False,
        **kwargs: Any,
    ) -> None:
        proposed = revived(shown_values or {})
        sheet = proposed_facility(proposed)
        current = _initial(instrument, proposed, customs, fundings) | _facility_initial(facility, sheet or {})
        kwargs.setdefault("initial", current)
        super().__init__(*args, **kwargs)
        places = [(str(site.pk), site.name) for site in sites]
        self.is_facility = is_facility or facility is not None or sheet is not None
        for section in self._shown_sections():
            for name in section.names:
                self.fields[name] = _field(name, places, str(current.get("class_code", "")))
        if may_publish:
            self.fields["published"] = forms.BooleanField(label=_NAMES["published"], required=False)
        self.fields["revision"] = forms.CharField(required=False, widget=forms.HiddenInput)
        self._instrument = instrument

    def sections(self) -> Iterator[tuple[Section, list[tuple[forms.BoundField, bool]]]]:
        """Each section with its fields and whether a field takes the whole width."""
        for section in self._shown_sections():
            yield section, [(self[name], name in WIDE) for name in section.names]

    def _shown_sections(self) -> list[Section]:
        return [section for section in SECTIONS if section.key != "facility" or self.is_facility]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("site") and not cleaned.get("new_place") and "site" not in self.errors:
            self.add_error("site", forms.ValidationError(_("Choose a place, or name a new one.")))
        for name in ("original_value", *(f"funding_{source}" for source in FUNDING_SOURCES)):
            if name not in self.errors:
                cleaned[name] = self._money(name, cleaned.get(name, ""))
        return cleaned

    def _money(self, name: str, text: str) -> Any:
        if name.startswith("funding_") and text.strip() in ("-", "\u2013", "\u2014"):
            return "known"
        try:
            return money_fen(text, "yuan", name)
        except Refusal as refusal:
            self.add_error(name, forms.ValidationError([reason_sentence(reason) for reason in refusal.reasons]))
            return None

    def values(self) -> dict[str, Any]:
        """What was typed, by the names of ``InstrumentFields``."""
        given = {name: _typed(name, value) for name, value in self.cleaned_data.items() if name in _KNOWN}
        return given | {"original_value_fen": self.cleaned_data["original_value"]}

    def edit(self) -> Edit:
        """What was typed, for the service."""
        typed = self.cleaned_data
        changes = self.values() | ({"site_id": int(typed["site"])} if typed["site"] else {})
        return Edit(changes, typed["new_place"], self.customs(), self.fundings(), self._seen(), self.facility())

    def customs(self) -> dict[str, Any]:
        return {name: _typed(name, self.cleaned_data[f"customs_{name}"]) for name in CUSTOMS_NAMES}

    def facility(self) -> dict[str, Any] | None:
        """What was typed about the facility; None when it is none."""
        return {name: self.cleaned_data[f"facility_{name}"] for name in FACILITY_NAMES} if self.is_facility else None

    def fundings(self) -> tuple[tuple[str, int | None], ...]:
        amounts = {source: self.cleaned_data[f"funding_{source}"] for source in FUNDING_SOURCES}
        return tuple((source, None if amount == "known" else amount) for source, amount in amounts.items() if amount is not None)

    def _seen(self) -> datetime | None:
        """The revision that the form was made from; a form without one, or with nonsense, is not compared."""
        try:
            return datetime.fromisoformat(self.cleaned_data["revision"])
        except ValueError:
            return None


def _typed(name: str, value: Any) -> Any:
    if name in _LISTS:
        lines = value.split("\n")
        return [code_typed(name, line) for line in lines if line.strip()] if name in SCHEMES else lines
    if name in (*_MAYBE, *CUSTOMS_FLAGS):
        return {"yes": True, "no": False}.get(value)
    return value


def _field(name: str, places: list[tuple[str, str]], class_code: str) -> forms.Field:
    """The form field of a field of the record."""
    if name.startswith("funding_"):
        return forms.CharField(label=_NAMED_FUNDINGS[name.removeprefix("funding_")], required=False, max_length=30)
    if name.startswith("customs_") and name != "customs_supervised":
        return _customs_field(name.removeprefix("customs_"))
    if name.startswith("facility_"):
        return _facility_field(name.removeprefix("facility_"))
    common: dict[str, Any] = {"required": False, "help_text": _HINTS.get(name, "")}
    label: dict[str, Any] = {"label": _NAMES.get(name, "")}
    if name in LONG_TEXT_LENGTHS:
        return LongText(**label, **common, max_length=LONG_TEXT_LENGTHS[name], widget=_area(_ROWS.get(name, 3)))
    if name in _LISTS:
        return LongText(**label, **common, max_length=4000, widget=_area(3, counted=False))
    if name in TEXT_LENGTHS:
        return forms.CharField(**label, **common, max_length=TEXT_LENGTHS[name])
    if name in CHOICES:
        return forms.ChoiceField(**label, **common, choices=[_UNKNOWN, *CHOICE_NAMES[name].items()])
    if name in _MAYBE:
        return _maybe(_NAMES[name])
    if name in _DAYS:
        return _day(_NAMES[name])
    if name in _FLAGS:
        return forms.BooleanField(**label, required=False)
    return _special_field(name, places, class_code)


def _special_field(name: str, places: list[tuple[str, str]], class_code: str) -> forms.Field:
    made: dict[str, Any] = {
        "name": lambda: forms.CharField(label=_NAMES["name"], max_length=NAME_LENGTH),
        "contact_email": lambda: forms.EmailField(label=_NAMES["contact_email"], required=False),
        "service_url": lambda: forms.CharField(
            label=_NAMES["service_url"], required=False, max_length=URL_LENGTH, help_text=_HINTS["service_url"]
        ),
        "nation_code": lambda: forms.ChoiceField(
            label=_NAMES["nation_code"], required=False, choices=[_UNKNOWN, *nation_choices()]
        ),
        "class_code": lambda: forms.ChoiceField(
            label=_NAMES["class_code"], required=False, choices=[("", _("Not classified")), *class_choices(class_code)]
        ),
        "status": lambda: forms.ChoiceField(
            label=_NAMES["status"], choices=[(value, look_of("instrument", value).word) for value in InstrumentStatus.values]
        ),
        "service_modes": lambda: forms.MultipleChoiceField(
            label=_NAMES["service_modes"],
            required=False,
            choices=list(SERVICE_MODE_NAMES.items()),
            widget=forms.CheckboxSelectMultiple,
        ),
        "site": lambda: forms.ChoiceField(label=_NAMES["site_id"], required=False, choices=[("", _("Choose a place")), *places]),
        "new_place": lambda: forms.CharField(
            label=_("Or a new place"),
            required=False,
            max_length=200,
            help_text=_("Building or campus, if it is not in the list."),
        ),
        "original_value": lambda: forms.CharField(label=_NAMES["original_value_fen"], required=False, max_length=30),
    }
    field: forms.Field = made[name]()
    return field


def _customs_field(name: str) -> forms.Field:
    if name in CUSTOMS_FLAGS:
        return _maybe(_NAMED_CUSTOMS[name])
    if name in CUSTOMS_DAYS:
        return _day(_NAMED_CUSTOMS[name])
    length = CUSTOMS_LENGTHS.get(name) or CUSTOMS_CODES[name][1]
    return forms.CharField(label=_NAMED_CUSTOMS[name], required=False, max_length=length)


def _facility_field(name: str) -> forms.Field:
    label: Any = FACILITY_NAMES[name]
    if name in FACILITY_CHOICES:
        return forms.ChoiceField(label=label, required=False, choices=[_UNKNOWN, *CHOICE_NAMES[name].items()])
    if name == "accepted_on":
        return _day(label)
    if name in FACILITY_LONG_TEXTS:
        return LongText(label=label, required=False, max_length=FACILITY_LONG_TEXTS[name], widget=_area(3))
    return forms.CharField(label=label, required=False, max_length=FACILITY_TEXTS.get(name, URL_LENGTH))


def _facility_initial(facility: FacilityRecord | None, proposed: Mapping[str, Any]) -> dict[str, Any]:
    known = {} if facility is None else {name: getattr(facility, name) for name in FACILITY_NAMES}
    return {f"facility_{name}": _shown(name, value) for name, value in (known | dict(proposed)).items()}


def _area(rows: int, *, counted: bool = True) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, **({"data-count": "true"} if counted else {})})


def _maybe(label: Word) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[_UNKNOWN, ("yes", YES), ("no", NO)])


def _day(label: Word) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def _initial(
    instrument: Instrument | None,
    proposed: dict[str, Any],
    customs: CustomsRecord | None,
    fundings: Iterable[InstrumentFunding],
) -> dict[str, Any]:
    if instrument is None:
        return {"status": InstrumentStatus.NORMAL.value, "published": True}
    stored = {name: getattr(instrument, name) for name in (*_KNOWN, "site_id")} | proposed
    shown: dict[str, Any] = {name: _shown(name, value) for name, value in stored.items()}
    shown |= {f"customs_{name}": _shown(name, getattr(customs, name)) for name in CUSTOMS_NAMES} if customs is not None else {}
    shown |= {f"funding_{each.source}": _yuan(each.amount_fen) or "-" for each in fundings}
    shown |= {"original_value": _yuan(stored["original_value_fen"]), "site": str(stored["site_id"])}
    return shown | {"revision": instrument.updated_at.isoformat()}


def _shown(name: str, value: Any) -> Any:
    if name in _LISTS:
        return "\n".join(code_line(name, code) for code in value) if name in SCHEMES else "\n".join(value)
    if isinstance(value, bool) and name not in _FLAGS:
        return "yes" if value else "no"
    return value.isoformat() if isinstance(value, date) else value


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen // 100}.{fen % 100:02d}"
