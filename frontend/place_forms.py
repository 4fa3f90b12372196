"""The form of an owner's place."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.models import Site
from instruments.services.places import Place
from instruments.services.registry import SiteFields

_USUAL_ZONES = ("Asia/Shanghai", "Asia/Urumqi")
_FIELDS = ("name", "name_en", "address", "region_code", "time_zone", "latitude", "longitude")


def _degrees(label: Any, hint: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=40, required=False, help_text=hint, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )


class PlaceForm(forms.Form):
    """Everything about a place; the service says what is wrong with it."""

    name = forms.CharField(label=_("Name"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200, required=False)
    address = forms.CharField(
        label=_("Street and number"), max_length=300, required=False, help_text=_("Where people and parcels come to.")
    )
    region_code = forms.CharField(
        label=_("Lies in (division code)"), max_length=6, required=False, help_text=_("Six digits, like 630100 for Xining.")
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), help_text=_("In which its opening hours are meant."))
    latitude = _degrees(_("Latitude"), _("In degrees, like 36.622; south of the equator with a minus."))
    longitude = _degrees(_("Longitude"), _("In degrees, like 101.778; west of Greenwich with a minus."))

    def __init__(self, site: Site, data: Any = None) -> None:
        known = {name: getattr(site, name) for name in _FIELDS}
        super().__init__(data, initial={name: "" if value is None else value for name, value in known.items()})
        zones = sorted({*available_timezones(), site.time_zone} - set(_USUAL_ZONES))
        self.fields["time_zone"].choices = [(zone, zone) for zone in (*_USUAL_ZONES, *zones)]  # type: ignore[attr-defined]

    def place(self) -> Place:
        """What was typed; call it on a valid form."""
        typed = dict(self.cleaned_data)
        latitude, longitude = typed.pop("latitude"), typed.pop("longitude")
        return Place(SiteFields(**typed), latitude, longitude)
