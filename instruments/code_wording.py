"""What code lists and the fields of a code are called (source words; translated where shown)."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SCHEME_NAMES: Mapping[str, Promise | str] = {
    "nrii": pgettext_lazy("code list", "Classes of instruments"),
    "gbt13745": pgettext_lazy("code list", "Subjects (GB/T 13745)"),
    "iso3166": pgettext_lazy("code list", "Countries"),
    "gbt2260": pgettext_lazy("code list", "Divisions (GB/T 2260)"),
    "panet": pgettext_lazy("code list", "Techniques (PaNET)"),
}
FIELD_NAMES: Mapping[str, Promise | str] = {
    "code": pgettext_lazy("code list", "Code"),
    "name": _("Name"),
    "name_en": _("Name in English"),
    "parent_code": pgettext_lazy("code list", "Lies below"),
    "level": pgettext_lazy("code list", "Level"),
    "aliases": pgettext_lazy("code list", "Other names"),
    "valid_from": _("Holds from"),
    "valid_to": _("Holds until before"),
}
