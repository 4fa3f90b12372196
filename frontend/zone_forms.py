"""The form of a policy zone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from instruments.models import PolicyZone
from instruments.services.policy_zones import SLUG_LENGTH, ZoneFields


def _day(label: Any, hint: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=False, help_text=hint, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


class ZoneForm(forms.Form):
    """Everything about a zone; its short name only when it is new."""

    slug = forms.CharField(
        label=_("Short name"),
        max_length=SLUG_LENGTH,
        help_text=_("What organisations and subsidy programmes name, like xining-hightech. It never changes."),
    )
    name = forms.CharField(label=_("Name"), max_length=200)
    name_en = forms.CharField(label=_("Name in English"), max_length=200, required=False)
    region_code = forms.CharField(
        label=_("Lies in (division code)"), max_length=6, required=False, help_text=_("Six digits, like 630100 for Xining.")
    )
    valid_from = _day(_("Holds from"), _("Empty: from ever."))
    valid_to = _day(_("Holds until before"), _("Empty: open."))

    def __init__(self, zone: PolicyZone | None, data: Any = None) -> None:
        names = ("name", "name_en", "region_code", "valid_from", "valid_to")
        super().__init__(data, initial={name: getattr(zone, name) for name in names} if zone else None)
        if zone is not None:
            del self.fields["slug"]

    def zone_fields(self) -> ZoneFields:
        """What was typed; call it on a valid form."""
        typed = {name: value for name, value in self.cleaned_data.items() if name != "slug"}
        return ZoneFields(**typed)
