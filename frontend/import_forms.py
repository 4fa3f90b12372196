"""The forms of the import page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from instruments.models import Organisation, SavedMapping
from instruments.rules.reading_options import ENCODINGS, ReadingOptions
from instruments.services import import_kinds
from instruments.services.import_runs import Asked

EACH_ROW = "each_row"
EVERYBODY = "everybody"
KIND_NAMES: dict[str, Promise | str] = {
    "instruments": pgettext_lazy("kind of import", "Instruments"),
    "centres": pgettext_lazy("kind of import", "Instrument centres"),
    "germplasm": pgettext_lazy("kind of import", "Germplasm (MCPD)"),
    "test_items": pgettext_lazy("kind of import", "Test items and prices"),
    "datasets": pgettext_lazy("kind of import", "Data sets"),
    "literature": pgettext_lazy("kind of import", "Literature"),
    "licences": pgettext_lazy("kind of import", "Licences of users"),
    "bookings": pgettext_lazy("kind of import", "Bookings and past use"),
}
LAYOUT_NAMES: dict[str, Promise | str] = {
    "national": pgettext_lazy("layout of a file", "Excel sheet of the national network"),
    "facility": pgettext_lazy("layout of a file", "Excel sheet of large research facilities"),
    "core_instruments": pgettext_lazy("layout of a file", "Excel sheet of the core instruments of a facility"),
    "national_centre": pgettext_lazy("layout of a file", "Excel sheet of the instrument centres"),
    "csv": pgettext_lazy("layout of a file", "CSV or Excel with our column names"),
    "uniquip": pgettext_lazy("layout of a file", "UNIQUIP list"),
    "mcpd": pgettext_lazy("layout of a file", "MCPD list"),
    "price_list": pgettext_lazy("layout of a file", "Price list of tests"),
    "dataset_list": pgettext_lazy("layout of a file", "List of data sets (terms of DCAT)"),
    "literature_list": pgettext_lazy("layout of a file", "List of literature (terms of Dublin Core)"),
    "licence_list": pgettext_lazy("layout of a file", "List of licences (e-mail, instrument, level, valid until, evidence)"),
    "booking_list": pgettext_lazy("layout of a file", "List of bookings or past use (e-mail, instrument, start, end)"),
    "booking_calendar": pgettext_lazy("layout of a file", "Calendar of one instrument (.ics)"),
    import_kinds.SAVED: pgettext_lazy("layout of a file", "A list with a saved mapping"),
    import_kinds.NEW: pgettext_lazy("layout of a file", "Another list: say what each column means"),
}


class StartForm(forms.Form):
    """Which file, what it holds, whose it is. Kind and layout are one choice, so that only what exists can be chosen."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("Excel (.xlsx), CSV, or a calendar (.ics). Nothing is written before you have seen a preview."),
    )
    form = forms.ChoiceField(label=_("What it holds"))
    owner = forms.ChoiceField(label=_("Owner"))
    mapping = forms.ChoiceField(label=_("Saved mapping"), required=False)

    def __init__(
        self, owners: Sequence[Organisation], mappings: Sequence[SavedMapping], each_row: bool, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.owners, self.mappings = owners, mappings
        listed = [(str(owner.pk), owner.name) for owner in owners]
        self._choices("owner", [*([(EACH_ROW, str(_("Each row names its owner")))] if each_row else []), *listed])
        self._choices("form", _forms({import_kinds.of_document(one.document) for one in mappings}))
        self._choices("mapping", [("", str(_("Choose a mapping"))), *((str(one.pk), _mapping_name(one)) for one in mappings)])
        if not mappings:
            del self.fields["mapping"]

    def asked(self) -> Asked:
        """What was chosen; call it on a valid form."""
        typed = self.cleaned_data
        kind, _colon, layout = typed["form"].partition(":")
        owner, mapping = typed["owner"], typed.get("mapping", "")
        return Asked(kind, layout, None if owner == EACH_ROW else int(owner), int(mapping) if mapping else None)

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


def _forms(mapped: Collection[str]) -> list[tuple[str, str]]:
    found = []
    several = len(import_kinds.kinds()) > 1
    for code, kind in import_kinds.kinds().items():
        for layout in kind.layouts if kind.of_an_owner else ():
            if layout == import_kinds.SAVED and code not in mapped:
                continue
            name = str(LAYOUT_NAMES[layout])
            found.append((f"{code}:{layout}", f"{KIND_NAMES[code]}: {name}" if several else name))
    return found


def _mapping_name(mapping: SavedMapping) -> str:
    return f"{mapping.name} ({mapping.organisation.name})" if mapping.organisation else mapping.name


class MappingForm(forms.Form):
    """A mapping that was written as a file: its name, and for whose lists it is."""

    map = forms.FileField(
        label=_("Mapping as a JSON file"), help_text=_("Written by hand, or saved here or on another platform like this one.")
    )
    name = forms.CharField(label=_("Name"), max_length=100)
    owner = forms.ChoiceField(label=_("Owner"))

    def __init__(self, owners: Iterable[Organisation], for_everybody: bool, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, prefix="mapping")
        listed = [(str(owner.pk), owner.name) for owner in owners]
        self.fields["owner"].choices = [  # type: ignore[attr-defined]
            *([(EVERYBODY, str(_("Everybody")))] if for_everybody else []),
            *listed,
        ]

    def organisation_id(self) -> int | None:
        """Whose it becomes; call it on a valid form."""
        owner = self.cleaned_data["owner"]
        return None if owner == EVERYBODY else int(owner)


class ColumnsForm(forms.Form):
    """One select per column of the file, filled in by what its heading is usually called."""

    save_as = forms.CharField(
        label=_("Save this mapping as"),
        required=False,
        max_length=100,
        help_text=_(
            "The next file of this kind is then read without asking, in the encoding and time zone that are chosen here."
        ),
    )

    def __init__(
        self, kind: import_kinds.ImportKind, columns: Sequence[str], with_owner: bool, data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data)
        self.columns = list(columns)
        choices = [one for one in kind.columns.choices if with_owner or one != "organisation.name"]
        guessed = kind.columns.guess(self.columns, choices)
        options = [("", str(_("Leave out"))), *((code, import_kinds.field_name(kind.code, code)) for code in choices)]
        for place, column in enumerate(self.columns):
            field = forms.ChoiceField(
                label=column,
                required=False,
                choices=options,
                initial=guessed.get(column, ""),
                widget=forms.Select(attrs={"class": "form-select"}),
            )
            self.fields[f"column_{place}"] = field

    def chosen(self) -> dict[str, str]:
        """The choice for each heading; call it on a valid form."""
        return {column: self.cleaned_data[f"column_{place}"] for place, column in enumerate(self.columns)}


SURENESS_NAMES: dict[str, Promise | str] = {
    "certain": pgettext_lazy("encoding of a file", "certain"),
    "likely": pgettext_lazy("encoding of a file", "likely"),
    "guess": pgettext_lazy("encoding of a file", "a guess"),
    "declared": pgettext_lazy("encoding of a file", "chosen"),
}
_ENCODING_NAMES: dict[str, str] = {
    "utf-8": "UTF-8",
    "gb18030": "GB 18030 (GBK, GB 2312)",
    "big5": "Big5",
    "cp932": "Shift JIS",
    "euc_kr": "EUC-KR",
    "cp1252": "Windows 1252",
    "cp1250": "Windows 1250",
    "mac_roman": "Mac Roman",
    "utf-16": "UTF-16",
}
_CONSTANTS = 4


class ReadingForm(forms.Form):
    """How a file is to be read: encoding, zone of its times, values for columns that it lacks; as far as its kind takes them."""

    encoding = forms.ChoiceField(label=_("Encoding"), required=False)
    time_zone = forms.CharField(label=_("Time zone"), required=False, max_length=60)

    def __init__(
        self, kind: import_kinds.ImportKind, facts: Mapping[str, Any], options: ReadingOptions, data: Any = None
    ) -> None:
        super().__init__(data, initial={"encoding": options.encoding, "time_zone": options.time_zone})
        found = str(facts.get("encoding", ""))
        known = dict.fromkeys([*ENCODINGS, *facts.get("other_encodings", ()), *([options.encoding] if options.encoding else [])])
        self.fields["encoding"].choices = [  # type: ignore[attr-defined]
            ("", _("Found out: %(name)s") % {"name": found} if found else _("Find it out")),
            *((name, _ENCODING_NAMES.get(name, name)) for name in known),
        ]
        for name in ({"encoding", "time_zone"} - kind.takes) | ({"encoding"} if found == "xlsx" else set()):
            del self.fields[name]
        if "time_zone" in self.fields:
            self.fields["time_zone"].help_text = (
                _("In which the times of the file are meant, for example Asia/Urumqi. Empty: that of each instrument.")
                if kind.code == "bookings"
                else _("Of places that are created, for example Asia/Urumqi. Empty: that of the owner's other places.")
            )
        self._constants(kind, list(options.constants.items()))

    def _constants(self, kind: import_kinds.ImportKind, given: Sequence[tuple[str, str]]) -> None:
        choices = [("", str(_("Choose a field"))), *((code, import_kinds.field_name(kind.code, code)) for code in kind.constants)]
        self.pairs: list[tuple[str, str]] = []
        for place in range(_CONSTANTS if kind.constants else 0):
            name, value = given[place] if place < len(given) else ("", "")
            number = {"n": place + 1}
            self.fields[f"field_{place}"] = forms.ChoiceField(
                label=_("Field %(n)s") % number, required=False, choices=choices, initial=name
            )
            self.fields[f"value_{place}"] = forms.CharField(
                label=_("Value for all rows %(n)s") % number, required=False, max_length=300, initial=value
            )
            self.pairs.append((f"field_{place}", f"value_{place}"))

    def bound_pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The fields of each value, side by side."""
        return [(self[field], self[value]) for field, value in self.pairs]

    def clean(self) -> dict[str, Any]:
        """Each value needs its field, and each field has one value."""
        typed = super().clean() or {}
        chosen: set[str] = set()
        for field, value in self.pairs:
            name = typed.get(field, "")
            if typed.get(value) and not name and field not in self.errors:
                self.add_error(field, _("Choose the field that this value is for, or leave the value empty."))
            if name and typed.get(value):
                if name in chosen:
                    self.add_error(field, _("This field has a value already. Keep one of the two."))
                chosen.add(name)
        return typed

    def options(self) -> ReadingOptions:
        """What was chosen; call it on a valid form."""
        typed = self.cleaned_data
        pairs = [(typed[field], typed[value]) for field, value in self.pairs]
        return ReadingOptions(
            typed.get("encoding", ""),
            typed.get("time_zone", "").strip(),
            {field: value for field, value in pairs if field and value},
        )
