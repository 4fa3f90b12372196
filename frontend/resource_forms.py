"""The forms with which an owner keeps its test items, germplasm, data sets and literature, and with which others ask for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing import wording
from billing.pricing.rules.samples import CUSTOMER_CLASSES, UNITS
from billing.pricing.sample_prices import InForce
from config.kernel.errors import Refusal
from config.kernel.messages import reason_sentence
from frontend.templatetags.jishi import bilingual
from instruments.models import Instrument, Organisation, Resource
from instruments.resource_wording import (
    CODE_NAMES,
    DARWIN_CORE_NAMES,
    DELIVERY_NAMES,
    LITERATURE_TYPE_NAMES,
    MCPD_NAMES,
    SERVICE_KIND_NAMES,
)
from instruments.rules.registry_values import LONG_TEXT_LENGTHS, TEXT_LENGTHS, money_fen
from instruments.rules.resource_values import (
    CORE_FIELDS,
    LICENCE_LENGTH,
    MAX_DAILY_CAPACITY,
    MAX_QUALIFICATIONS,
    MAX_TURNAROUND_DAYS,
    NAME_LENGTH,
    SAMPLE_PREPARATION_LENGTH,
    URL_LENGTH,
)
from instruments.rules.resource_values import TEXT_LENGTHS as PART_LENGTHS
from instruments.rules.standards import darwin_core, mcpd
from instruments.rules.test_item_cells import analytes_cell, read_analytes
from instruments.services import resource_requests
from instruments.services.resource_parts import part_values

#: So many are offered at least, with one more than there are.
QUALIFICATION_ROWS = 4
MOST_INSTRUMENTS = 300
_CORE = (
    "name",
    "name_en",
    "inner_id",
    "description",
    "description_en",
    "access_terms",
    "licence",
    "contact_name",
    "contact_phone",
    "contact_email",
    "doi",
    "cstr",
    "published",
)
_Label = Any  # a text or a lazy one; Django's stubs know only their own kind of both


def _line(label: _Label, length: int, help_text: _Label = "") -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=length, help_text=help_text)


def _area(label: _Label, length: int, help_text: _Label = "", rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=length, help_text=help_text, widget=forms.Textarea(attrs={"rows": rows})
    )


def _day(label: _Label) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


class ResourceForm(forms.Form):
    """The core of every kind. Lengths and contents are checked by the service's own rules."""

    kind = ""
    name = forms.CharField(label=_("Name"), max_length=NAME_LENGTH)
    name_en = _line(_("Name in English"), NAME_LENGTH)
    inner_id = _line(_("Your own number"), TEXT_LENGTHS["inner_id"])
    keywords = _line(_("Keywords"), 1000, _("Separated by commas."))
    description = _area(_("Description"), LONG_TEXT_LENGTHS["description"], rows=4)
    description_en = _area(_("Description in English"), LONG_TEXT_LENGTHS["description_en"], rows=4)
    access_terms = _area(
        _("Terms of access"),
        LONG_TEXT_LENGTHS["access_terms"],
        _("Who requests it accepts this text; it is kept with the request."),
    )
    licence = _line(pgettext_lazy("terms of use", "Licence"), LICENCE_LENGTH, _("For example CC BY 4.0."))
    doi = _line(_("DOI"), TEXT_LENGTHS["doi"])
    cstr = _line(_("CSTR identifier"), TEXT_LENGTHS["cstr"])
    contact_name = _line(_("Contact"), TEXT_LENGTHS["contact_name"])
    contact_phone = _line(_("Telephone"), TEXT_LENGTHS["contact_phone"])
    contact_email = forms.EmailField(label=_("E-mail"), required=False)
    published = forms.BooleanField(label=_("Shown to everybody"), required=False)

    def __init__(self, resource: Resource | None, instruments: Iterable[Instrument], *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = self.initial_of(resource)
        super().__init__(*args, **kwargs)
        field = self.fields.get("instrument_ids")
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = [(str(one.pk), f"{bilingual(one)} {one.model}".strip()) for one in instruments]

    @classmethod
    def initial_of(cls, resource: Resource | None) -> dict[str, Any]:
        """What the fields hold at first."""
        if resource is None:
            return {"published": True}
        core = {name: getattr(resource, name) for name in _CORE}
        return core | {"keywords": ", ".join(resource.keywords)} | cls.part_initial(part_values(resource))

    def show(self, resource: Resource, proposed: Mapping[str, Any]) -> None:
        """Begin with what was proposed and waits, where it differs from what stands there."""
        part = {name: value for name, value in proposed.items() if name not in CORE_FIELDS}
        core = {name: value for name, value in proposed.items() if name in _CORE}
        if "keywords" in proposed:
            core["keywords"] = ", ".join(proposed["keywords"])
        self.initial.update(core | (self.part_initial(part_values(resource) | part) if part else {}))

    @classmethod
    def part_initial(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The typed part as the fields show it."""
        shown = dict(values)
        if "instrument_ids" in shown:
            shown["instrument_ids"] = [str(pk) for pk in shown["instrument_ids"]]
        return shown

    def core(self) -> dict[str, Any]:
        """What was typed, for the service."""
        typed = {name: self.cleaned_data[name] for name in _CORE}
        return typed | {
            "keywords": _split(self.cleaned_data["keywords"], r"[;\n\u3001\uff0c\uff1b]|,(?![0-9])")
        }  # 1,10-phenanthroline is one

    def part(self) -> dict[str, Any]:
        """The typed part, for the service."""
        found = {name: self.cleaned_data[name] for name in self.part_names()}
        if "instrument_ids" in found:
            found["instrument_ids"] = [int(pk) for pk in found["instrument_ids"]]
        return found

    def part_names(self) -> list[str]:
        """The fields that belong to the typed part as they are."""
        return [name for name in self.fields if name not in _CORE and name != "keywords"]

    def part_fields(self) -> list[tuple[forms.BoundField, bool]]:
        """The fields of the typed part as the page shows them, with whether each takes the whole width."""
        wide = (forms.Textarea, forms.CheckboxSelectMultiple)
        return [(self[name], isinstance(self.fields[name].widget, wide)) for name in self.part_names()]

    def core_fields(self) -> list[tuple[forms.BoundField, bool]]:
        """Number, keywords, texts and identifiers."""
        names = ("inner_id", "keywords", "description", "description_en", "access_terms", "licence", "doi", "cstr")
        return [(self[name], isinstance(self.fields[name].widget, forms.Textarea)) for name in names if name in self.fields]

    def add_refusal(self, refusal: Refusal) -> None:
        """Put every reason at its field, those that have none at the summary."""
        for reason in refusal.reasons:
            self.add_error(self.place_of(reason.field), reason_sentence(reason))

    def place_of(self, field: str) -> str | None:
        """The form's field for a field of the service."""
        return field if field in self.fields else None


def _instruments() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(label=_("Instruments behind it"), required=False, widget=forms.CheckboxSelectMultiple)


class TestItemForm(ResourceForm):
    __test__ = False  # not a test of pytest's
    kind = "test_item"
    method = _line(_("Method"), PART_LENGTHS["method"])
    standard = _line(_("Standard"), PART_LENGTHS["standard"], _("For example GB/T 223.5-2008."))
    condition = _line(_("Condition"), PART_LENGTHS["condition"], _("Range, temperature, what exactly is measured."))
    matrix = _line(_("Sample type"), PART_LENGTHS["matrix"], _("For example brine, soil, steel."))
    sample_amount = _line(_("Amount of sample"), PART_LENGTHS["sample_amount"])
    group = _line(_("Group"), PART_LENGTHS["group"])
    turnaround_days = forms.IntegerField(
        label=_("Turnaround in workdays"), required=False, min_value=1, max_value=MAX_TURNAROUND_DAYS
    )
    daily_capacity = forms.IntegerField(label=_("Samples a day"), required=False, min_value=1, max_value=MAX_DAILY_CAPACITY)
    service_kind = forms.ChoiceField(
        label=_("Kind of service"),
        required=False,
        choices=[("", _("Ordinary testing")), *SERVICE_KIND_NAMES.items()],
        help_text=_("Programmes may leave out statutory tests and the like; whoever sends samples is told."),
    )
    analytes = _area(_("What is measured"), 20_000, _("One a line: name; detection limit; unit. For example Li; 0.01; mg/L."), 4)
    sample_preparation = _area(_("Preparation of samples"), SAMPLE_PREPARATION_LENGTH)
    instrument_ids = _instruments()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sent = max((int(name[7:]) + 1 for name in self.data if re.fullmatch("scheme_[0-9]{1,2}", name)), default=0)
        stored = sum(name.startswith("scheme_") for name in self.initial)
        self._places = range(min(max(QUALIFICATION_ROWS, stored + 1, sent), MAX_QUALIFICATIONS))
        for place in self._places:
            self.fields[f"scheme_{place}"] = _line(_("Qualification"), 30, _("CMA, CNAS ...") if place == 0 else "")
            self.fields[f"certificate_{place}"] = _line(_("Certificate"), 100)
            self.fields[f"valid_from_{place}"] = _day(_("Valid from"))
            self.fields[f"valid_to_{place}"] = _day(_("Valid to"))

    @classmethod
    def part_initial(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        shown = super().part_initial(values)
        shown["analytes"] = analytes_cell(values["analytes"])
        for place, row in enumerate(values["qualifications"]):
            shown[f"scheme_{place}"], shown[f"certificate_{place}"] = row["scheme"], row["certificate_number"]
            shown[f"valid_from_{place}"], shown[f"valid_to_{place}"] = row["valid_from"], row["valid_to"]
        return shown

    def part_names(self) -> list[str]:
        return [name for name in super().part_names() if not re.fullmatch(r"\w+_[0-9]{1,2}", name)]

    def qualification_rows(self) -> list[list[forms.BoundField]]:
        """The fields of each qualification."""
        names = ("scheme", "certificate", "valid_from", "valid_to")
        return [[self[f"{name}_{place}"] for name in names] for place in self._places]

    def part(self) -> dict[str, Any]:
        typed = self.cleaned_data
        rows = [
            {
                "scheme": typed[f"scheme_{place}"],
                "certificate_number": typed[f"certificate_{place}"],
                "valid_from": typed[f"valid_from_{place}"],
                "valid_to": typed[f"valid_to_{place}"],
            }
            for place in self._places
        ]
        return super().part() | {"analytes": read_analytes(typed["analytes"]), "qualifications": rows}

    def place_of(self, field: str) -> str | None:
        return "scheme_0" if field == "qualifications" else super().place_of(field)


class DataSetForm(ResourceForm):
    kind = "dataset"
    creators = _area(_("Creators"), 20_000, _("One a line."))
    issued_on = _day(_("Published on"))
    version = _line(_("Version"), PART_LENGTHS["version"])
    media_types = _line(_("Media types"), 2000, _("For example text/csv, application/zip."))
    size_bytes = forms.IntegerField(label=_("Size in bytes"), required=False, min_value=1)
    temporal_from = _day(_("Covers from"))
    temporal_to = _day(_("Covers to"))
    spatial = _line(_("Area"), PART_LENGTHS["spatial"])
    landing_page = _line(_("Page of the data set"), URL_LENGTH)
    instrument_ids = _instruments()

    @classmethod
    def part_initial(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        shown = super().part_initial(values)
        return shown | {"creators": "\n".join(values["creators"]), "media_types": ", ".join(values["media_types"])}

    def part(self) -> dict[str, Any]:
        typed = self.cleaned_data
        return super().part() | {
            "creators": _split(typed["creators"], r"\n"),
            "media_types": _split(typed["media_types"], r"[,;\s]"),
        }


class LiteratureForm(ResourceForm):
    kind = "literature"
    creators = _area(_("Authors"), 20_000, _("One a line."))
    type = forms.ChoiceField(label=_("Type"), required=False, choices=[("", _("Choose a type")), *LITERATURE_TYPE_NAMES.items()])
    issued = _line(_("Published"), 10, _("2019, 2019-05 or 2019-05-07."))
    publisher = _line(_("Publisher"), PART_LENGTHS["publisher"])
    source = _line(_("Published in"), PART_LENGTHS["source"], _("Journal, volume and pages, or proceedings."))
    language = _line(_("Language"), 20, _("For example zh or en."))
    rights = _line(_("Rights"), PART_LENGTHS["rights"])
    instrument_ids = _instruments()

    @classmethod
    def part_initial(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return super().part_initial(values) | {"creators": "\n".join(values["creators"])}

    def part(self) -> dict[str, Any]:
        return super().part() | {"creators": _split(self.cleaned_data["creators"], r"\n")}


class GermplasmForm(ResourceForm):
    """The descriptors of one standard; the accession's name and number follow from them when they are left empty."""

    kind = "germplasm"
    standard = "mcpd"
    names: Mapping[str, _Label] = MCPD_NAMES
    lengths: Mapping[str, int] = mcpd.LENGTHS
    needed: Sequence[str] = ("ACCENUMB",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False
        self.fields["name"].help_text = _("Left empty, it is called by its species and number.")
        del self.fields["inner_id"]
        for name, label in self.names.items():
            self.fields[name] = self._descriptor(name, label)

    def _descriptor(self, name: str, label: _Label) -> forms.Field:
        codes = CODE_NAMES.get(name) if name != "STORAGE" else None
        if codes is not None:
            choices = [("", _("Not said")), *((code, f"{code} {word}") for code, word in codes.items())]
            return forms.ChoiceField(label=label, required=False, choices=choices)
        length = self.lengths.get(name, mcpd.LENGTH)
        field = _area(label, length) if name in {"REMARKS", "occurrenceRemarks"} else _line(label, length)
        field.required = name in self.needed
        return field

    @classmethod
    def part_initial(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return dict(values["descriptors"])

    def part_names(self) -> list[str]:
        return list(self.names)

    def core(self) -> dict[str, Any]:
        self.cleaned_data.setdefault("inner_id", "")
        return super().core()

    def part(self) -> dict[str, Any]:
        return {"standard": self.standard, "descriptors": {name: self.cleaned_data[name] for name in self.names}}


class DarwinCoreForm(GermplasmForm):
    standard = "dwc"
    names = DARWIN_CORE_NAMES
    lengths = darwin_core.LENGTHS
    needed = ("catalogNumber", "scientificName")


FORMS: dict[str, type[ResourceForm]] = {
    "test_item": TestItemForm,
    "germplasm": GermplasmForm,
    "dataset": DataSetForm,
    "literature": LiteratureForm,
}


def form_class(kind: str, standard: str = "") -> type[ResourceForm]:
    """The form of a kind; germplasm of animals and strains has one of its own."""
    return DarwinCoreForm if kind == "germplasm" and standard == "dwc" else FORMS[kind]


class TestPriceForm(forms.Form):
    """What one unit costs; classes of customers that are left empty pay the same."""

    __test__ = False  # not a test of pytest's
    unit = forms.ChoiceField(label=_("The price is per"))
    amount = forms.CharField(
        label=_("Price in yuan"), required=False, max_length=20, help_text=_("Left empty, it is a price on request.")
    )
    effective_from = forms.DateField(label=_("Valid from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, in_force: InForce | None, unit: str, today: date, *args: Any, **kwargs: Any) -> None:
        price = in_force.price if in_force is not None else None
        initial: dict[str, Any] = {"unit": in_force.unit if in_force is not None else unit, "effective_from": today}
        if price is not None:
            initial["amount"] = _yuan(price.amount_fen)
            initial |= {f"class_{name}": _yuan(fen) for name, fen in price.class_fen.items()}
        kwargs["initial"] = initial
        self.large: list[str] = []
        super().__init__(*args, **kwargs)
        unit_field = self.fields["unit"]
        assert isinstance(unit_field, forms.ChoiceField)
        unit_field.choices = [(name, wording.unit_word(name)) for name in UNITS]
        for name in CUSTOMER_CLASSES:
            self.fields[f"class_{name}"] = _line(wording.customer_class_word(name), 20)

    def ask_about(self, large: Sequence[tuple[str, str]]) -> None:
        """A tick for each large change: its key and what it says. Raises nothing; ``confirmed`` tells which were ticked."""
        self.large = [key for key, _label in large]
        for key, label in large:
            self.fields[f"yes-{key}"] = forms.BooleanField(label=label, required=False)

    @property
    def large_fields(self) -> list[forms.BoundField]:
        return [self[f"yes-{key}"] for key in self.large]

    @property
    def confirmed(self) -> set[str]:
        """The keys of the changes that were said yes to."""
        return {key for key in self.large if self.data.get(f"yes-{key}")}

    def class_fields(self) -> list[forms.BoundField]:
        return [self[f"class_{name}"] for name in CUSTOMER_CLASSES]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("amount", *(f"class_{one}" for one in CUSTOMER_CLASSES)):
            if name in cleaned:
                cleaned[name] = self._fen(name, cleaned[name])
        return cleaned

    def _fen(self, name: str, text: str) -> int | None:
        try:
            return money_fen(text, "yuan", name)
        except Refusal as refusal:
            self.add_error(name, [reason_sentence(reason) for reason in refusal.reasons])
            return None

    def class_fen(self) -> dict[str, int]:
        """What classes of customers pay instead of the list price."""
        typed = {name: self.cleaned_data[f"class_{name}"] for name in CUSTOMER_CLASSES}
        return {name: fen for name, fen in typed.items() if fen is not None}


class RequestForm(forms.Form):
    """Asking for a resource."""

    organisation = forms.ChoiceField(label=_("On behalf of"))
    purpose = forms.CharField(
        label=_("What is it for?"), max_length=resource_requests.PURPOSE_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )
    quantity = _line(_("Quantity"), resource_requests.QUANTITY_LENGTH, _("Samples, seeds, files; whatever fits."))
    terms_accepted = forms.BooleanField(label=_("I have read the terms of access and accept them."))
    terms_seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, organisations: Sequence[Organisation], fingerprint: str, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"terms_seen": fingerprint, **kwargs.pop("initial", {})}
        super().__init__(*args, **kwargs)
        field = self.fields["organisation"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(one.pk), bilingual(one)) for one in organisations]


class RefuseForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=resource_requests.REASON_LENGTH, widget=forms.Textarea(attrs={"rows": 2})
    )


class DeliveryForm(forms.Form):
    mode = forms.ChoiceField(label=_("How"), choices=list(DELIVERY_NAMES.items()), widget=forms.RadioSelect, initial="file")
    file = forms.FileField(label=_("File"), required=False, help_text=_("It is kept as it is. Only both sides can load it."))
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=resource_requests.NOTE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("When and where the visit is, or how the sample travels."),
    )


class FeedbackForm(forms.Form):
    rating = forms.ChoiceField(
        label=_("How was it?"),
        choices=[
            ("5", _("5, very good")),
            ("4", _("4, good")),
            ("3", _("3, fair")),
            ("2", _("2, poor")),
            ("1", _("1, very poor")),
        ],
        widget=forms.RadioSelect,
    )
    feedback = forms.CharField(
        label=_("What should the owner know?"),
        required=False,
        max_length=resource_requests.FEEDBACK_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _split(text: str, pattern: str) -> list[str]:
    return [part.strip() for part in re.split(pattern, text) if part.strip()]


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
